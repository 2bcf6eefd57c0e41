"""The backup of a data directory, and a new data directory from a backup.

A restored database holds what was ended since the backup was made: it always begins a new epoch.
"""

import asyncio
import contextlib
import ctypes
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from services.embedded.archive import DUMP, Manifest, read_archive, scratch, write_archive
from services.embedded.datadir import DataDir, holder, is_empty, locked
from services.embedded.dump import DUMP_OPTIONS, OWNED, create_schemas, list_databases, restore_options
from services.embedded.errors import PartFailed, StartRefused
from services.embedded.parts import Say, open_postgres
from services.embedded.postgres import DATABASE, SUPERUSER, mark_restored, user_of
from services.embedded.programs import find_programs
from services.embedded.run_file import find_running
from services.embedded.secret_file import find_column_key, keep_column_key, read_or_make
from shared.kernel.clock import now
from shared.kernel.settings import Secret

AT_FDCWD, RENAME_EXCHANGE = -100, 2
UNFINISHED = "restoring"
"""A file in a directory that is being restored, and may be deleted until it has taken its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Server:
    """A PostgreSQL that runs: the folder of its socket, and passwords, for `SUPERUSER` and for each service."""

    sockets: Path
    passwords: Mapping[str, Secret]

    async def connect(self, role: str) -> "asyncpg.Connection[asyncpg.Record]":
        password = self.passwords[role].reveal()
        return await asyncpg.connect(host=str(self.sockets), user=user_of(role), password=password, database=DATABASE)

    async def run(self, role: str, program: Path, *arguments: str) -> str:
        """Run one of PostgreSQL's programs to its end, return what it says; raises `PartFailed` with its last words."""
        environ = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LC_ALL": "C",
            "PGHOST": str(self.sockets),
            "PGUSER": user_of(role),
            "PGPASSWORD": self.passwords[role].reveal(),
            "PGDATABASE": DATABASE,
        }
        pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(
            program, *arguments, env=environ, stdin=nothing, stdout=pipe, stderr=pipe
        )
        try:
            output, errors = await process.communicate()
        except BaseException:
            process.kill()
            raise
        if process.returncode != 0:
            raise PartFailed(f"{program.name} failed:\n  {errors.decode(errors='replace').strip()[-2000:]}")
        return output.decode(errors="replace")


async def back_up(data_dir: DataDir, file: Path, *, say: Say) -> Manifest:
    """Write a backup of a data directory to `file`, whether an instance runs on it or not.

    Raises `StartRefused` or `PartFailed`.
    """
    if not data_dir.format.exists():
        raise StartRefused(f"{data_dir.path} is not a data directory of Daypass")
    programs = find_programs(None, copies=data_dir.programs)
    async with _server_of(data_dir, say=say) as server:
        with scratch(file) as folder:
            dump = folder / DUMP
            say("copying the database")
            await server.run(SUPERUSER, programs.pg_dump, f"--file={dump}", *DUMP_OPTIONS)
            connection = await server.connect(SUPERUSER)
            version = connection.get_server_version()
            await connection.close()
            say("writing and checking the archive")
            manifest = write_archive(file, dump, postgresql=f"{version.major}.{version.minor}")
            dump.unlink()
            read_archive(file, folder)
            return manifest


async def restore(data_dir: DataDir, file: Path, *, replace: bool, column_key: Secret | None, say: Say) -> Path | None:
    """Make a data directory from a backup; return where the one that was there is now, if there was one.

    `column_key` opens the encrypted columns of the backup; None: the one of the data directory that is replaced.
    All is made and checked beside it, and takes its place at once. Raises `StartRefused` or `PartFailed`; then nothing
    was changed.
    """
    if (pid := holder(data_dir)) is not None:
        raise StartRefused(f"Daypass runs on {data_dir.path} (process {pid}); stop it with: daypass down")
    if not replace and not is_empty(data_dir):
        raise StartRefused(f"{data_dir.path} is not empty: choose another --data-dir, or use --replace")
    parent = data_dir.path.parent
    parent.mkdir(parents=True, exist_ok=True)
    fresh = DataDir(parent / f"{data_dir.path.name}.restoring")
    if (pid := holder(fresh)) is not None:
        raise StartRefused(f"{data_dir.path} is being restored (process {pid}): try again")
    column_key = column_key or (None if is_empty(data_dir) else find_column_key(data_dir))
    with scratch(data_dir.path) as folder:
        (data_dir.path / UNFINISHED).unlink(missing_ok=True)
        if fresh.path.exists() and not (fresh.path / UNFINISHED).exists():
            raise StartRefused(f"{fresh.path} holds the data that an earlier restore replaced: move or delete it")
        say("checking the archive")
        read_archive(file, folder)
        _delete_unfinished(fresh)
        try:
            await _fill(fresh, folder / DUMP, say=say)
            if column_key is not None:
                keep_column_key(fresh, column_key)
            return _put_in_place(fresh, data_dir)
        finally:
            _delete_unfinished(fresh)


async def _fill(fresh: DataDir, dump: Path, *, say: Say) -> None:
    async with open_postgres(fresh.path, say=say) as database:
        (fresh.path / UNFINISHED).touch()
        say("restoring the database")
        server = _Server(sockets=database.postgres.home.socket_dir, passwords=database.secrets.postgres)
        restore_program = find_programs(None, copies=fresh.programs).pg_restore
        databases = list_databases(await server.run(SUPERUSER, restore_program, "--list", str(dump)))
        connection = await server.connect("data")
        await connection.execute(create_schemas(databases), timeout=None)
        await connection.close()
        for service in OWNED:
            options = (*restore_options(service, databases), f"--dbname={DATABASE}")
            await server.run(service, restore_program, *options, str(dump))
        connection = await server.connect("auth")
        await mark_restored(connection)
        await connection.close()
        for service in OWNED:  # ANALYZE runs the functions of an index's expressions
            connection = await server.connect(service)
            await connection.execute("ANALYZE", timeout=None)
            await connection.close()


def _delete_unfinished(fresh: DataDir) -> None:
    if (fresh.path / UNFINISHED).exists():
        shutil.rmtree(fresh.path)


def _put_in_place(fresh: DataDir, data_dir: DataDir) -> Path | None:
    """Let `fresh` be `data_dir`, at once; return where that is now, unless it was empty or not there."""
    was_there, was_empty = data_dir.path.exists(), is_empty(data_dir)
    if was_there:
        with locked(data_dir):
            _exchange(fresh.path, data_dir.path)
    else:
        fresh.path.rename(data_dir.path)
    (data_dir.path / UNFINISHED).unlink()
    if not was_there:
        return None
    if was_empty:
        shutil.rmtree(fresh.path)
        return None
    return fresh.path.rename(data_dir.path.with_name(f"{data_dir.path.name}.replaced-{now():%Y%m%dT%H%M%S}"))


def _exchange(one: Path, other: Path) -> None:
    """Let two folders change their names at once; raises `OSError`."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(other))


@contextlib.asynccontextmanager
async def _server_of(data_dir: DataDir, *, say: Say) -> AsyncIterator[_Server]:
    """Yield the PostgreSQL of a data directory, started where none runs."""
    running = find_running(data_dir)
    if running is not None:
        yield _Server(sockets=running.socket_dir, passwords=read_or_make(data_dir).postgres)
        return
    if (pid := holder(data_dir)) is not None:
        raise StartRefused(f"Daypass is starting or stopping on {data_dir.path} (process {pid}): try again")
    async with open_postgres(data_dir.path, say=say) as database:
        yield _Server(sockets=database.postgres.home.socket_dir, passwords=database.secrets.postgres)
