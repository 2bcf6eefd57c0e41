"""The services of Daypass, the process that runs them all, and the command line."""
