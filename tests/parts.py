"""The real PostgreSQL and Valkey of the tests, from the same wheels and by the same code as `daypass up`."""

import contextlib
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from services.embedded.account import Account
from services.embedded.backend import Home
from services.embedded.postgres import DATABASE, ROLES_FILE, SETTINGS, SUPERUSER, Postgres
from services.embedded.programs import find_programs
from services.embedded.valkey import USERS, Valkey
from shared.kernel.settings import Secret
from shared.messaging.names import SERVICES

PASSWORDS = {name: Secret(f"{name}-password") for name in (SUPERUSER, *SERVICES, *USERS)}


@dataclass(frozen=True)
class Database:
    """A database of its own on the PostgreSQL of the tests, with roles and schemas, and no tables."""

    name: str
    postgres: Postgres

    def dsn(self, role: str) -> str:
        """Return the connection string of a service (auth, token, data) or of the superuser."""
        return self.postgres.dsn(role).replace(f"/{DATABASE}?", f"/{self.name}?")


@dataclass(frozen=True)
class Parts:
    """PostgreSQL, and Valkeys as many as are asked for."""

    folder: Path
    account: Account | None
    postgres: Postgres

    async def new_database(self) -> Database:
        """Make an empty database with Daypass's roles and schemas."""
        name = f"test_{secrets.token_hex(6)}"
        connection = await asyncpg.connect(self.postgres.dsn(SUPERUSER))
        try:
            await connection.execute(f"CREATE DATABASE {name}")
        finally:
            await connection.close()
        database = Database(name, self.postgres)
        await _make_roles(database)
        return database

    @contextlib.asynccontextmanager
    async def valkey(self) -> AsyncIterator[Valkey]:
        """Start a Valkey of its own."""
        folder = _folder(self.folder, f"v{secrets.token_hex(4)}", self.account)
        home = Home(
            data_dir=folder / "data",
            socket_dir=folder,
            log=self.folder / f"{folder.name}.log",
            programs=find_programs(self.account, copies=self.folder / "programs"),
            passwords=PASSWORDS,
            account=self.account,
        )
        valkey = Valkey(home)
        await valkey.start()
        try:
            yield valkey
        finally:
            await valkey.stop()


@contextlib.asynccontextmanager
async def open_parts(**settings: str) -> AsyncIterator[Parts]:
    """Start PostgreSQL in a folder with a short name, since sockets' paths are short; `settings` change its own."""
    folder = Path(tempfile.mkdtemp(prefix="daypass-"))
    account = Account.choose(kept=folder / "pg")
    folder.chmod(0o711)
    (folder / "programs").mkdir(mode=0o755)
    home = Home(
        data_dir=_folder(folder, "p", account) / "data",
        socket_dir=_folder(folder, "s", account),
        log=folder / "postgres.log",
        programs=find_programs(account, copies=folder / "programs"),
        passwords=PASSWORDS,
        account=account,
    )
    postgres = Postgres(home, settings=SETTINGS | settings)
    try:
        await postgres.start()
        yield Parts(folder, account, postgres)
    finally:
        await postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _folder(parent: Path, name: str, account: Account | None) -> Path:
    folder = parent / name
    folder.mkdir(mode=0o700)
    if account is not None:
        shutil.chown(folder, account.uid, account.gid)
    return folder


async def _make_roles(database: Database) -> None:
    connection = await asyncpg.connect(database.dsn(SUPERUSER))
    try:
        for service in SERVICES:
            password = PASSWORDS[service].reveal()
            await connection.execute("SELECT set_config($1, $2, false)", f"daypass.{service}_password", password)
        await connection.execute(ROLES_FILE.read_text(encoding="utf-8"))
    finally:
        await connection.close()
