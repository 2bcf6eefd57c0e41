"""Content.

Owns: databases, tables, columns, indexes, rows and their permissions.
Says: nothing.
Hears: `project.deleted` on `events`, by which it drops the databases of a project; requests of the command line.
"""
