"""Content.

Owns: databases, tables, columns, indexes, rows and their permissions.
Publishes: nothing.
Consumes: project deletions from `events`, on which it drops the databases of the project.
Answers: `grants.find_team`, `grants.list`; and the requests of the command line.
"""
