"""Incarnations of projects: which are deleted, and what is left of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from services.data.domain.catalogue import Database
from shared.postgres.incarnations import Incarnations
from shared.postgres.pool import Connection

LOCK_MS = 2_000
"""For how long a purge waits for transactions that use a table, before it goes on with the next."""

INCARNATIONS = Incarnations("data")

_TABLES = "SELECT n FROM data.tables WHERE database_n = $1 ORDER BY n"
_DELETE_TABLE = "DELETE FROM data.tables WHERE n = $1"
_UNADOPTED = "SELECT DISTINCT project FROM data.databases WHERE incarnation IS NULL"
_ADOPT = "UPDATE data.databases SET incarnation = $2 WHERE project = $1 AND incarnation IS NULL"


class TableInUse(Exception):
    """Somebody uses a table that is to be dropped: try again later."""


@asynccontextmanager
async def impatient(connection: Connection) -> AsyncIterator[None]:
    """Run one transaction that waits for no lock longer than `LOCK_MS`; then it raises `TableInUse`."""
    try:
        async with connection.transaction():
            await connection.execute(f"SET LOCAL lock_timeout = {LOCK_MS}")
            yield
    except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError) as error:
        raise TableInUse from error


async def list_table_numbers(connection: Connection, database: Database) -> list[int]:
    """Return the numbers of the tables of a database."""
    return [row["n"] for row in await connection.fetch(_TABLES, database.n)]


async def drop_table(connection: Connection, database: Database, n: int) -> None:
    """Delete a table with all its rows, by its number."""
    await connection.execute(_DELETE_TABLE, n)
    await connection.execute(f"DROP TABLE IF EXISTS {database.schema}.p_{n}, {database.schema}.t_{n} CASCADE")


async def list_unadopted(connection: Connection) -> list[str]:
    """Return the ids of the projects that have databases of no incarnation."""
    return [row["project"] for row in await connection.fetch(_UNADOPTED)]


async def adopt_databases(connection: Connection, project: str, incarnation: int) -> None:
    """Give the databases of a project that are of no incarnation to this one."""
    await connection.execute(_ADOPT, project, incarnation)
