"""Incarnations of projects: which are deleted, and what is left of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from services.data.domain.catalogue import Database
from shared.postgres.pool import Connection

LOCK_MS = 2_000
"""For how long a purge waits for transactions that use a table, before it goes on with the next."""

# A transaction that creates a database shares the row of the project's incarnation, and one that notes its deletion
# changes it: so each database is seen by the purge, or is not made. An advisory lock any role could take.
_INSERT = "INSERT INTO data.incarnations (incarnation) VALUES ($1) ON CONFLICT DO NOTHING"
_HOLD = "SELECT deleted_at IS NULL FROM data.incarnations WHERE incarnation = $1 FOR SHARE"
_NOTE_DEATH = """
    INSERT INTO data.incarnations (incarnation, deleted_at) VALUES ($1, now())
    ON CONFLICT (incarnation) DO UPDATE SET deleted_at = coalesce(incarnations.deleted_at, now())
"""
_TABLES = "SELECT n FROM data.tables WHERE database_n = $1 ORDER BY n"
_DELETE_TABLE = "DELETE FROM data.tables WHERE n = $1"
_UNADOPTED = "SELECT DISTINCT project FROM data.databases WHERE incarnation IS NULL"
_ADOPT = "UPDATE data.databases SET incarnation = $2 WHERE project = $1 AND incarnation IS NULL"


class TableInUse(Exception):
    """Somebody uses a table that is to be dropped: try again later."""


async def hold_incarnation(connection: Connection, incarnation: int) -> bool:
    """Lock a project against its deletion until this transaction ends; False where it is deleted already."""
    await connection.execute(_INSERT, incarnation)
    return bool(await connection.fetchval(_HOLD, incarnation))


async def note_death(connection: Connection, incarnation: int) -> None:
    """Note that a project is deleted: no database is made in it any more. Once more is no fault."""
    await connection.execute(_NOTE_DEATH, incarnation)


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
