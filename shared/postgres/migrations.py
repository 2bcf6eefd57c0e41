"""The migration runner: numbered SQL files, applied once each, in order, by one process at a time.

A service keeps its files in `store/migrations/` as `0001_what_it_does.sql`. Each runs in a transaction of its own
and must be safe while the previous release still runs. A database that is newer than the code is refused.
"""

import asyncio
import re
from pathlib import Path

import asyncpg
import structlog

log = structlog.get_logger()

AWAIT_S = 0.2

_FILE = re.compile(r"^(\d{4})_[a-z0-9_]+\.sql\Z")


class MigrationError(Exception):
    """The database cannot be brought to, or is beyond, the version of this code."""


async def migrate(dsn: str, *, schema: str, folder: Path) -> None:
    """Bring `schema` up to the newest file in `folder`.

    Raises `MigrationError` where the database is newer than the code or a migration fails (and is rolled back).
    """
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("SELECT pg_advisory_lock(hashtext($1))", f"daypass migrate {schema}")
        await _apply_missing(connection, schema, _files(folder))
    finally:
        await connection.close()


async def await_table(dsn: str, *, table: str, owner: str, timeout_s: float = 60.0) -> None:
    """Wait for a table of another service, which may be starting at the same time; raises `MigrationError`."""
    connection = await asyncpg.connect(dsn)
    try:
        async with asyncio.timeout(timeout_s):
            while await connection.fetchval("SELECT to_regclass($1)", table) is None:
                log.info("waiting for another service", table=table, owner=owner)
                await asyncio.sleep(AWAIT_S)
    except TimeoutError as error:
        raise MigrationError(f"{owner} has not made {table} in {timeout_s:.0f} s: is it running?") from error
    finally:
        await connection.close()


def _files(folder: Path) -> dict[int, Path]:
    return {int(path.name[:4]): path for path in sorted(folder.iterdir()) if _FILE.match(path.name)}


async def _apply_missing(connection: "asyncpg.Connection[asyncpg.Record]", schema: str, files: dict[int, Path]) -> None:
    await connection.execute(
        f"CREATE TABLE IF NOT EXISTS {schema}.migrations"
        " (number integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
    )
    applied = await connection.fetchval(f"SELECT coalesce(max(number), 0) FROM {schema}.migrations")
    if applied > max(files, default=0):
        raise MigrationError(
            f"schema {schema} is at version {applied}, but this release of Daypass knows only up to"
            f" {max(files, default=0)}: start a newer release"
        )
    for number, path in files.items():
        if number > applied:
            await _apply(connection, schema, number, path)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


async def _apply(connection: "asyncpg.Connection[asyncpg.Record]", schema: str, number: int, path: Path) -> None:
    try:
        async with connection.transaction():
            await connection.execute(_read(path))
            await connection.execute(
                f"INSERT INTO {schema}.migrations (number, name) VALUES ($1, $2)", number, path.stem
            )
    except asyncpg.PostgresError as error:
        raise MigrationError(f"{path.name} failed and was rolled back: {error}") from error
    log.info("migration applied", schema=schema, migration=path.stem)
