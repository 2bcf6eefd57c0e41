"""Incarnations of projects: which are deleted, and what is left of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.data.domain.catalogue import Database
from shared.postgres.pool import Connection

LOCK_MS = 2_000
"""For how long a purge waits for whoever uses a table, before it goes on with the next."""

# Whoever makes a database in a project shares this lock, and whoever notes that the project is deleted has it alone: so
# each database is seen by the purge, or is not made.
_LOCK = "SELECT pg_advisory_xact_lock{shared}(hashtextextended('daypass incarnation', $1))"
_HOLD = _LOCK.format(shared="_shared")
_HAVE = _LOCK.format(shared="")
_IS_DEAD = "SELECT FROM data.dead_projects WHERE incarnation = $1"
_INSERT_DEAD = "INSERT INTO data.dead_projects (incarnation, project) VALUES ($1, $2) ON CONFLICT DO NOTHING"
_TABLES = "SELECT n FROM data.tables WHERE database_n = $1 ORDER BY n"
_DELETE_TABLE = "DELETE FROM data.tables WHERE n = $1"
_UNADOPTED = "SELECT DISTINCT project FROM data.databases WHERE incarnation IS NULL"
_ADOPT = "UPDATE data.databases SET incarnation = $2 WHERE project = $1 AND incarnation IS NULL"


async def hold_incarnation(connection: Connection, incarnation: int) -> bool:
    """Let nobody note until this transaction ends that a project is deleted; False where that is noted already."""
    await connection.execute(_HOLD, incarnation)
    return await connection.fetchrow(_IS_DEAD, incarnation) is None


async def note_death(connection: Connection, incarnation: int, project: str) -> None:
    """Note that a project is deleted: no database is made in it any more. Once more is no fault."""
    async with connection.transaction():
        await connection.execute(_HAVE, incarnation)
        await connection.execute(_INSERT_DEAD, incarnation, project)


@asynccontextmanager
async def impatient(connection: Connection) -> AsyncIterator[None]:
    """Run one transaction that waits for no lock longer than `LOCK_MS`; then it raises `LockNotAvailableError`."""
    async with connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = {LOCK_MS}")
        yield


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
