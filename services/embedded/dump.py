"""What `pg_dump` writes into a backup, and how it is read back, wherever PostgreSQL runs.

Each service's role reads back what belongs to it, and nobody else does: code that a service has left in its tables, or
that somebody has put into the file, runs with the rights of that role.
"""

import re

from services.embedded.errors import StartRefused

OWNED = {"auth": ("auth", "feed"), "token": ("token",), "data": ("data",), "storage": ("storage",)}
"""The schemas of each service, in the order in which they are read back; data also owns one for each database."""

LOCK_WAIT = "60s"
"""How long pg_dump waits for a table that is being changed."""

DUMP_OPTIONS = (
    "--format=custom",
    f"--lock-wait-timeout={LOCK_WAIT}",
    *(f"--schema={schema}" for schemas in OWNED.values() for schema in schemas),
    "--schema=db_*",
    # what must not come back
    "--exclude-table-data=token.signing_keys",
    "--exclude-table-data=auth.tokens",
)

_SCHEMA = re.compile(r"^\d+; 2615 \d+ SCHEMA - (\S+) ", re.MULTILINE)
_OF_DATABASE = re.compile(r"db_([1-9]\d{0,17})\Z")


def list_databases(listing: str) -> list[int]:
    """Return the numbers of the databases in a dump, of what `pg_restore --list` says of it.

    Raises `StartRefused` where it is not the dump of an instance.
    """
    schemas = _SCHEMA.findall(listing)
    missing = {schema for owned in OWNED.values() for schema in owned} - set(schemas)
    if missing:
        raise StartRefused(f"the backup holds no schema {', '.join(sorted(missing))}: nothing was changed")
    return sorted(int(match[1]) for schema in schemas if (match := _OF_DATABASE.match(schema)))


def create_schemas(databases: list[int]) -> str:
    """Return what data's role runs first, in a database that `deploy/postgres/roles.sql` has made ready."""
    return f"SELECT privileged.create_database_schema(n) FROM unnest(ARRAY{databases}::bigint[]) AS n"


def restore_options(service: str, databases: list[int]) -> list[str]:
    """Return the arguments of `pg_restore` when a service's role reads back what is its own."""
    schemas = [*OWNED[service], *(f"db_{n}" for n in databases if service == "data")]
    # In one transaction, each table would hold locks, of which there is a bounded number.
    return ["--exit-on-error", "--transaction-size=1000", "--no-owner", *(f"--schema={schema}" for schema in schemas)]
