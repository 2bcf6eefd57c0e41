"""PostgreSQL as a child process, on a socket, as durable as anywhere.

The wheel's own `get_server()` is not used: it makes a system user, changes modes of parent folders and leaves orphans.
"""

import asyncio
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from services.embedded.backend import Backend, Home, Program
from services.embedded.child import Child
from services.embedded.errors import PartFailed, StartRefused
from shared.kernel.settings import Secret
from shared.messaging.names import SERVICES
from shared.postgres.errors import DATABASE_ERRORS
from shared.postgres.pool import Connection, connect

ROLES_FILE = Path(__file__).parents[2] / "deploy" / "postgres" / "roles.sql"
SUPERUSER = "daypass"
DATABASE = "daypass"
MARK_RESTORED = "UPDATE feed.instance SET is_restored = true"
MAJOR_VERSION = "18"

START_TIMEOUT_S = 120.0
"""Recovery after a crash comes before readiness."""
STOP_PATIENCE_S = 15.0
POLL_S = 0.02

SETTINGS = {
    # durability, written out although these are PostgreSQL's own values
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # no value of a row stands in the log
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
    # nothing listens on the network
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    # a laptop's share of memory and disk
    "shared_buffers": "64MB",
    "max_connections": "200",
    # who says nothing takes a connection from others
    "authentication_timeout": "5s",
    "max_wal_size": "256MB",
    "min_wal_size": "32MB",
    # text and time are the same wherever this runs
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "password_encryption": "scram-sha-256",
}


PROGRAM = Program(
    name="PostgreSQL",
    executable="postgres",
    pid_file="postmaster.pid",
    stop_signals=(signal.SIGINT, signal.SIGQUIT),
    patience_s=STOP_PATIENCE_S,
)


class Postgres(Backend):
    """One PostgreSQL; it has a password for `SUPERUSER` and for auth, token and data. `settings` are the server's.

    Its start makes the cluster where there is none, and brings roles and schemas up to date.
    """

    def __init__(self, home: Home, *, settings: Mapping[str, str] = SETTINGS) -> None:
        super().__init__(home, PROGRAM)
        self._settings = settings

    def dsn(self, role: str) -> str:
        """Return the connection string of a service (auth, token, data) or of `SUPERUSER`."""
        return self._dsn(user_of(role), self.home.passwords[role], DATABASE)

    def _dsn(self, user: str, password: Secret, database: str) -> str:
        host = quote(str(self.home.socket_dir), safe="")
        return f"postgresql://{user}:{quote(password.reveal(), safe='')}@/{database}?host={host}"

    async def _prepare(self) -> None:
        version = self.data_dir / "PG_VERSION"
        if version.exists():
            major_version = version.read_text(encoding="ascii").strip()
            if major_version != MAJOR_VERSION:
                raise StartRefused(
                    f"{self.data_dir} was created by PostgreSQL {major_version}; this release has {MAJOR_VERSION}"
                )
            return
        unfinished = self.data_dir.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        self._give(unfinished)
        await self._initdb(unfinished)
        unfinished.rename(self.data_dir)

    async def _initdb(self, folder: Path) -> None:
        password_file = folder.with_suffix(".password")
        self._write(password_file, self.home.passwords[SUPERUSER].reveal())
        try:
            child = await Child.spawn(
                [
                    self.programs.initdb,
                    f"--pgdata={folder}",
                    f"--username={SUPERUSER}",
                    f"--pwfile={password_file}",
                    "--auth-local=scram-sha-256",
                    "--auth-host=reject",
                    "--encoding=UTF8",
                    "--locale=C",
                    "--locale-provider=builtin",
                    "--builtin-locale=C.UTF-8",
                    "--no-instructions",
                ],
                name="PostgreSQL's initdb",
                cwd=folder,
                log=self.home.log,
                account=self.home.account,
                death_signal=signal.SIGKILL,
            )
            try:
                if await child.wait() != 0:
                    raise child.failure()
            finally:
                await child.stop(patience_s=STOP_PATIENCE_S)
        finally:
            password_file.unlink()

    async def _spawn(self) -> Child:
        settings = {**self._settings, "unix_socket_directories": f'"{self.home.socket_dir}"'}
        arguments = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return await Child.spawn(
            [self.programs.postgres, "-D", self.data_dir, *arguments],
            name="PostgreSQL",
            cwd=self.data_dir,
            log=self.home.log,
            account=self.home.account,
            # immediate shutdown: sure to end, whatever the disk; recovery at the next start loses nothing committed
            death_signal=signal.SIGQUIT,
        )

    async def _ready(self) -> None:
        status_file = self.data_dir / "postmaster.pid"
        async with asyncio.timeout(START_TIMEOUT_S):
            while not _says_ready(status_file, self.child.pid):
                if self.child.has_ended:
                    raise self.child.failure()
                await asyncio.sleep(POLL_S)
        await self._make_database()

    async def _make_database(self) -> None:
        password = self.home.passwords[SUPERUSER]
        try:
            connection = await connect(self._dsn(SUPERUSER, password, "postgres"))
            try:
                if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", DATABASE):
                    await connection.execute(f"CREATE DATABASE {DATABASE}")
                await connection.execute("REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC")
            finally:
                await connection.close()
            await self._make_roles()
        except DATABASE_ERRORS as error:
            raise PartFailed(f"PostgreSQL could not create its roles and schemas: {error}") from error

    async def _make_roles(self) -> None:
        connection = await connect(self.dsn(SUPERUSER))
        try:
            for service in SERVICES:
                setting, password = f"daypass.{service}_password", self.home.passwords[service].reveal()
                await connection.execute("SELECT set_config($1, $2, false)", setting, password)
            await connection.execute(ROLES_FILE.read_text(encoding="utf-8"))
        finally:
            await connection.close()


def user_of(role: str) -> str:
    """Return PostgreSQL's name of `SUPERUSER`, or of the role of a service."""
    return role if role == SUPERUSER else f"daypass_{role}"


async def mark_restored(connection: Connection) -> None:
    """Say in a database that it is an older copy: a new epoch begins at the next start of the services."""
    if await connection.fetchval("SELECT to_regclass('feed.instance')") is not None:
        await connection.execute(MARK_RESTORED)


def _says_ready(status_file: Path, pid: int) -> bool:
    """Read PostgreSQL's status file: the first line is its process id, the eighth says `ready` when it is."""
    try:
        lines = status_file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return False
    return lines[:1] == [str(pid)] and lines[7:8] != [] and lines[7].strip() == "ready"
