"""Files.

Owns: buckets, files and their content, and the permissions of these.
Publishes: nothing.
Consumes: the event `project.deleted`, on which it drops the buckets of the project.
Answers services: `grants.find_team_in_files`, `grants.list_in_files`.
Answers the command line: nothing.
"""
