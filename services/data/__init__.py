"""Content.

Owns: databases, tables, columns, indexes, rows and their permissions.
Publishes: nothing.
Consumes: the event `project.deleted`, on which it drops the databases of the project.
Answers services: `grants.find_team`, `grants.list`.
Answers the command line: `table.list`, `table.show`, `row.list`, `row.show`, `row.explain`, `column.reseal`.
"""
