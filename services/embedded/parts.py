"""PostgreSQL and Valkey on one data directory, started and stopped in order."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from services.embedded.datadir import DataDir, open_data_dir
from services.embedded.postgres import Postgres
from services.embedded.programs import find_programs
from services.embedded.secret_file import Secrets, read_or_make
from services.embedded.sockets import open_socket_dir
from services.embedded.valkey import Valkey

Say = Callable[[str], None]
"""Tells whoever waits what is being done."""


def silent(_: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What runs: `postgres.dsn("auth")`, `valkey.url("auth")`."""

    data_dir: DataDir
    secrets: Secrets
    postgres: Postgres
    valkey: Valkey


@contextlib.asynccontextmanager
async def open_parts(path: Path, *, say: Say = silent) -> AsyncIterator[Parts]:
    """Hold the data directory `path`, made where there is none, and run both parts on it.

    To be called from the main thread. Raises `StartRefused` or `PartFailed`; nothing is left running then. Under root,
    the parts run as another account, which must be able to enter the parent folders of `path`.
    """
    async with contextlib.AsyncExitStack() as stack:
        data_dir, account = stack.enter_context(open_data_dir(path))
        secrets = read_or_make(data_dir)
        socket_dir = stack.enter_context(open_socket_dir(data_dir, account))
        programs = find_programs(account, copies=data_dir.programs)
        say("starting PostgreSQL" if data_dir.postgres.exists() else "making a PostgreSQL cluster and starting it")
        postgres = Postgres(
            data_dir=data_dir.postgres,
            socket_dir=socket_dir,
            log=data_dir.part_log("postgres"),
            programs=programs,
            passwords=secrets.postgres,
            account=account,
        )
        await postgres.start()
        stack.push_async_callback(postgres.stop)
        say("starting Valkey")
        valkey = Valkey(
            data_dir=data_dir.valkey,
            socket_dir=socket_dir,
            log=data_dir.part_log("valkey"),
            programs=programs,
            passwords=secrets.valkey,
            account=account,
        )
        await valkey.start()
        stack.push_async_callback(valkey.stop)
        yield Parts(data_dir=data_dir, secrets=secrets, postgres=postgres, valkey=valkey)
