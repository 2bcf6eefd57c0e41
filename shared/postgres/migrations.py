"""The migration runner: numbered SQL files, applied once each, in order, by one process at a time.

A service keeps its files in `migrations/` as `0001_what_it_does.sql`. Each runs in a transaction of its own
and must be safe while the previous release still runs. A database that is newer than the code is refused.
"""

import asyncio
import contextlib
import re
from pathlib import Path
from typing import TypeAlias

import asyncpg
import structlog

from shared.postgres.pool import connect

log = structlog.get_logger()

AWAIT_S = 0.2
LOCK_TIMEOUT_MS = 60_000
"""How long a migration waits for transactions that use the tables of its schema."""

_FILE = re.compile(r"^(\d{4})_[a-z0-9_]+\.sql\Z")

# Only the owner of the schema, and whom it lets, can hold this lock up. An advisory lock any role could take.
_LOCK = "LOCK TABLE {schema}.migrations IN EXCLUSIVE MODE"
_HOLDERS = """
    SELECT DISTINCT usename FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE granted AND pid <> pg_backend_pid() AND relation IN (
        SELECT oid FROM pg_class WHERE relnamespace = $1::text::regnamespace
    ) ORDER BY usename
"""

_Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


class MigrationError(Exception):
    """The database cannot be brought to, or is beyond, the version of this code."""


async def migrate(dsn: str, *, schema: str, folder: Path, lock_timeout_ms: int = LOCK_TIMEOUT_MS) -> None:
    """Bring `schema` up to the newest file in `folder`.

    Raises `MigrationError` where the database is newer than the code, or a migration fails (and is rolled back) or
    waits too long for tables that others use.
    """
    connection = await connect(dsn, lock_timeout=str(lock_timeout_ms))
    try:
        await _make_table(connection, schema)
        while await _apply_next(connection, schema, _files(folder)):
            pass
    except asyncpg.LockNotAvailableError as error:
        holders = ", ".join(row["usename"] for row in await connection.fetch(_HOLDERS, schema)) or "a role"
        raise MigrationError(
            f"schema {schema} cannot be migrated: {holders} has held its tables for {lock_timeout_ms // 1000} s."
            " End those sessions (pg_stat_activity lists them), or restart what they belong to"
        ) from error
    finally:
        await connection.close()


async def await_function(dsn: str, *, function: str, owner: str, timeout_s: float = 60.0) -> None:
    """Wait for a function of another service, which may be starting at the same time; raises `MigrationError`."""
    connection = await connect(dsn)
    try:
        async with asyncio.timeout(timeout_s):
            while await connection.fetchval("SELECT to_regprocedure($1)", function) is None:
                log.info("waiting for another service", function=function, owner=owner)
                await asyncio.sleep(AWAIT_S)
    except TimeoutError as error:
        raise MigrationError(f"{owner} has not created {function} within {timeout_s:.0f} s: is it running?") from error
    finally:
        await connection.close()


def _files(folder: Path) -> dict[int, Path]:
    return {int(path.name[:4]): path for path in sorted(folder.iterdir()) if _FILE.match(path.name)}


async def _make_table(connection: _Connection, schema: str) -> None:
    with contextlib.suppress(asyncpg.UniqueViolationError, asyncpg.DuplicateTableError):  # another was here first
        await connection.execute(
            f"CREATE TABLE IF NOT EXISTS {schema}.migrations"
            " (number integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
        )


async def _apply_next(connection: _Connection, schema: str, files: dict[int, Path]) -> bool:
    """Apply the first file that is missing, in a transaction that keeps others out; return False where none is."""
    newest = max(files, default=0)
    async with connection.transaction():
        await connection.execute(_LOCK.format(schema=schema))
        applied = await connection.fetchval(f"SELECT coalesce(max(number), 0) FROM {schema}.migrations")
        if applied > newest:
            raise MigrationError(
                f"schema {schema} is at version {applied}, but this release of Daypass knows only up to"
                f" {newest}: start a newer release"
            )
        number = min((number for number in files if number > applied), default=None)
        if number is None:
            return False
        await _apply(connection, schema, number, files[number])
    log.info("migration applied", schema=schema, migration=files[number].stem)
    return True


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


async def _apply(connection: _Connection, schema: str, number: int, path: Path) -> None:
    try:
        await connection.execute(_read(path))
        await connection.execute(f"INSERT INTO {schema}.migrations (number, name) VALUES ($1, $2)", number, path.stem)
    except asyncpg.LockNotAvailableError:
        raise
    except asyncpg.PostgresError as error:
        raise MigrationError(f"{path.name} failed and was rolled back: {error}") from error
