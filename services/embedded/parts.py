"""PostgreSQL and Valkey on one data directory, started and stopped in order."""

import contextlib
import dataclasses
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from services.embedded.backend import Home
from services.embedded.datadir import DataDir, open_data_dir
from services.embedded.lineage import is_newest, renew, state_dir
from services.embedded.postgres import SUPERUSER, Postgres, mark_restored
from services.embedded.programs import find_programs
from services.embedded.secret_file import Secrets, read_or_make
from services.embedded.sockets import open_socket_dir
from services.embedded.valkey import Valkey

Say = Callable[[str], None]
"""Tells an operator who waits what is being done."""


def silent(_: str) -> None:
    """Say nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What runs: `postgres.dsn("auth")`, `valkey.url("auth")`."""

    data_dir: DataDir
    secrets: Secrets
    postgres: Postgres
    valkey: Valkey


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPostgres:
    """A data directory that is held, with PostgreSQL alone, which `was_there` before or has been made."""

    data_dir: DataDir
    was_there: bool
    secrets: Secrets
    postgres: Postgres


@contextlib.asynccontextmanager
async def open_postgres(path: Path, *, say: Say = silent) -> AsyncIterator[OpenPostgres]:
    """Hold the data directory `path`, made where there is none, and run PostgreSQL on it; else as `open_parts`."""
    async with contextlib.AsyncExitStack() as stack:
        data_dir, account = stack.enter_context(open_data_dir(path))
        secrets = read_or_make(data_dir)
        socket_dir = stack.enter_context(open_socket_dir(data_dir, account))
        home = Home(
            data_dir=data_dir.postgres,
            socket_dir=socket_dir,
            log=data_dir.part_log("postgres"),
            programs=find_programs(account, copies=data_dir.programs),
            passwords=secrets.postgres,
            account=account,
        )
        was_there = data_dir.postgres.exists()
        say("starting PostgreSQL" if was_there else "creating a PostgreSQL cluster and starting it")
        postgres = Postgres(home)
        await postgres.start()
        stack.push_async_callback(postgres.stop)
        yield OpenPostgres(data_dir=data_dir, was_there=was_there, secrets=secrets, postgres=postgres)


@contextlib.asynccontextmanager
async def open_parts(path: Path, *, is_restored: bool = False, say: Say = silent) -> AsyncIterator[Parts]:
    """Hold the data directory `path`, made where there is none, and run both parts on it.

    To be called from the main thread. Raises `StartRefused` or `PartFailed`; nothing is left running then. Under root,
    the parts run as another account, which must be able to enter the parent folders of `path`. `is_restored`: it is an
    older copy, whatever it looks like; one that looks so begins a new epoch as well.
    """
    async with contextlib.AsyncExitStack() as stack:
        opened = await stack.enter_async_context(open_postgres(path, say=say))
        data_dir = opened.data_dir
        if opened.was_there and (is_restored or not is_newest(data_dir)):
            say("the data is an older copy that was put back: all sessions end, all signing keys are replaced")
            connection = await asyncpg.connect(opened.postgres.dsn(SUPERUSER))
            await mark_restored(connection)
            await connection.close()
        if not renew(data_dir):
            say(f"{state_dir()} cannot be written: some older copies that are put back will not be noticed")
        stack.callback(renew, data_dir)
        say("starting Valkey")
        home = dataclasses.replace(
            opened.postgres.home,
            data_dir=data_dir.valkey,
            log=data_dir.part_log("valkey"),
            passwords=opened.secrets.valkey,
        )
        valkey = Valkey(home)
        await valkey.start()
        stack.push_async_callback(valkey.stop)
        yield Parts(data_dir=data_dir, secrets=opened.secrets, postgres=opened.postgres, valkey=valkey)
