"""The three services of Daypass, the process that runs all three, and the command line."""
