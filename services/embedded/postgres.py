"""PostgreSQL as a child process, on a socket, as durable as anywhere.

The wheel's own `get_server()` is not used: it makes a system user, changes modes of parent folders and leaves orphans.
"""

import asyncio
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from services.embedded.account import Account
from services.embedded.child import Child
from services.embedded.errors import PartFailed, StartRefused
from services.embedded.held import hold, pid_in
from services.embedded.programs import Programs
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


class Postgres:
    """One PostgreSQL on one data directory; `passwords` has one for `SUPERUSER` and for auth, token and data.

    `settings` are those of the server.
    """

    def __init__(
        self,
        *,
        data_dir: Path,
        socket_dir: Path,
        log: Path,
        programs: Programs,
        passwords: Mapping[str, Secret],
        account: Account | None = None,
        settings: Mapping[str, str] = SETTINGS,
    ) -> None:
        self._settings = settings
        self.data_dir = data_dir
        self._socket_dir = socket_dir
        self._log = log
        self._programs = programs
        self._passwords = passwords
        self._account = account
        self._child: Child | None = None

    @property
    def child(self) -> Child:
        """The process, once started."""
        if self._child is None:
            raise RuntimeError("PostgreSQL was not started")
        return self._child

    def dsn(self, role: str) -> str:
        """Return the connection string of a service (auth, token, data) or of `SUPERUSER`."""
        return self._dsn(user_of(role), self._passwords[role], DATABASE)

    async def start(self) -> None:
        """Start, making the cluster first where there is none, and bring roles and schemas up to date.

        Raises `StartRefused` or `PartFailed`; nothing is left running then.
        """
        try:
            await self._stop_orphan()
            await self._make_cluster()
            self._child = await self._spawn()
            await self._ready()
            await self._make_database()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End all connections, write everything down, stop."""
        if self._child is not None:
            await self._child.stop(signal.SIGINT, signal.SIGQUIT, patience_s=STOP_PATIENCE_S)

    def _dsn(self, user: str, password: Secret, database: str) -> str:
        host = quote(str(self._socket_dir), safe="")
        return f"postgresql://{user}:{quote(password.reveal(), safe='')}@/{database}?host={host}"

    async def _stop_orphan(self) -> None:
        """Stop a postmaster of this directory whose parent is gone; drop the file of one that is gone itself.

        PostgreSQL would take any process that has the old one's id by now for its older self, and refuse to start.
        """
        pid_file = self.data_dir / "postmaster.pid"
        pid = pid_in(pid_file)
        if pid is None:
            return
        with hold(pid) as process:
            if process is None:
                return
            if process.runs_in(self.data_dir, "postgres"):
                await process.stop(signal.SIGINT, signal.SIGQUIT, patience_s=STOP_PATIENCE_S)
            else:
                pid_file.unlink()

    async def _make_cluster(self) -> None:
        version = self.data_dir / "PG_VERSION"
        if version.exists():
            found = version.read_text(encoding="ascii").strip()
            if found != MAJOR_VERSION:
                raise StartRefused(
                    f"{self.data_dir} was created by PostgreSQL {found}; this release has {MAJOR_VERSION}"
                )
            return
        unfinished = self.data_dir.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        if self._account is not None:
            shutil.chown(unfinished, self._account.uid, self._account.gid)
        await self._initdb(unfinished)
        unfinished.rename(self.data_dir)

    async def _initdb(self, folder: Path) -> None:
        password_file = folder.with_suffix(".password")
        password_file.touch(mode=0o600)
        password_file.write_text(self._passwords[SUPERUSER].reveal(), encoding="ascii")
        if self._account is not None:
            shutil.chown(password_file, self._account.uid, self._account.gid)
        try:
            child = await Child.spawn(
                [
                    self._programs.initdb,
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
                log=self._log,
                account=self._account,
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
        settings = {**self._settings, "unix_socket_directories": f'"{self._socket_dir}"'}
        arguments = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return await Child.spawn(
            [self._programs.postgres, "-D", self.data_dir, *arguments],
            name="PostgreSQL",
            cwd=self.data_dir,
            log=self._log,
            account=self._account,
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

    async def _make_database(self) -> None:
        password = self._passwords[SUPERUSER]
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
                setting, password = f"daypass.{service}_password", self._passwords[service].reveal()
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
