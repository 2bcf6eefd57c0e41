"""Valkey, which is Redis by protocol, as a child process on a socket.

Its append-only file is synced once a second: PostgreSQL holds the truth, and a feed that has lost its end is seen to
have (its numbers are dense) and is written again. What a killed process had written is in the system's cache, so only
a crash of the whole machine loses that second.
"""

import asyncio
import hashlib
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from string import Template

from redis.asyncio import Redis

from services.embedded.account import Account
from services.embedded.child import Child
from services.embedded.errors import PartFailed
from services.embedded.held import hold, pid_in
from services.embedded.programs import Programs
from shared.kernel.settings import Secret
from shared.messaging.names import ASKING
from shared.messaging.wire import REDIS_ERRORS, pause

ADMIN = "admin"
USERS = (ADMIN, *ASKING)
RULES_FILE = Path(__file__).parents[2] / "deploy" / "redis" / "users.acl.template"

START_TIMEOUT_S = 60.0
STOP_PATIENCE_S = 10.0
POLL_S = 0.02

SETTINGS = {"maxmemory-policy": "noeviction"}
"""What Redis must have wherever it runs, and is checked at the start of each service."""

CONFIGURATION = Template("""\
port 0
unixsocket "$socket"
unixsocketperm 700
dir .
pidfile valkey.pid
aclfile users.acl
appendonly yes
appendfsync everysec
save ""
proto-max-bulk-len 8mb
client-output-buffer-limit normal 64mb 0 0
shutdown-on-sigterm force
""")


class Valkey:
    """One Valkey on one data directory; `passwords` has one for each of `USERS`.

    `settings` are further lines of its configuration, read at each start.
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
        self.data_dir = data_dir
        self.socket = socket_dir / "valkey.sock"
        self._log = log
        self.programs = programs
        """By which it is started the next time."""
        self.settings = dict(settings)
        self._passwords = passwords
        self._account = account
        self._child: Child | None = None

    @property
    def child(self) -> Child:
        """The process, once started."""
        if self._child is None:
            raise RuntimeError("Valkey was not started")
        return self._child

    def url(self, user: str) -> str:
        """Return the connection URL of one of `USERS`."""
        return f"unix://{user}:{self._passwords[user].reveal()}@{self.socket}"

    async def start(self) -> None:
        """Start and wait until it answers. Raises `PartFailed`; nothing is left running then."""
        try:
            await self._stop_orphan()
            self._write_configuration()
            self._child = await Child.spawn(
                [self.programs.valkey, "valkey.conf"],
                name="Valkey",
                cwd=self.data_dir,
                log=self._log,
                account=self._account,
                death_signal=signal.SIGTERM,
            )
            await self._ready()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Sync the append-only file and stop."""
        if self._child is not None:
            await self._child.stop(signal.SIGTERM, patience_s=STOP_PATIENCE_S)

    async def _stop_orphan(self) -> None:
        pid = pid_in(self.data_dir / "valkey.pid")
        if pid is None:
            return
        with hold(pid) as process:
            if process is not None and process.runs_in(self.data_dir, "valkey-server"):
                await process.stop(signal.SIGTERM, patience_s=STOP_PATIENCE_S)

    def _write_configuration(self) -> None:
        self.data_dir.mkdir(mode=0o700, exist_ok=True)
        lines = "".join(f"{name} {value}\n" for name, value in self.settings.items())
        self._write("valkey.conf", CONFIGURATION.substitute(socket=self.socket) + lines)
        self._write("users.acl", self._access_rules())
        if self._account is not None:
            shutil.chown(self.data_dir, self._account.uid, self._account.gid)

    def _write(self, name: str, text: str) -> None:
        path = self.data_dir / name
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
        if self._account is not None:
            shutil.chown(path, self._account.uid, self._account.gid)

    def _access_rules(self) -> str:
        """Render the rules that every topology shares, and add the user that may do everything: this process's own."""
        digests = {user: hashlib.sha256(self._passwords[user].reveal().encode()).hexdigest() for user in USERS}
        lines = [line for line in RULES_FILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
        rules = Template("\n".join(lines).replace("\\\n", " "))
        shared = rules.substitute({f"{user.upper()}_SHA256": digest for user, digest in digests.items()})
        return f"{shared}\nuser {ADMIN} on #{digests[ADMIN]} ~* &* +@all\n"

    async def _ready(self) -> None:
        client = Redis.from_url(self.url(ADMIN), protocol=2)
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                while not await _answers(client):
                    if self.child.has_ended:
                        raise self.child.failure()
        except TimeoutError as error:
            raise PartFailed(f"Valkey did not answer within {START_TIMEOUT_S:.0f} s (see {self._log})") from error
        finally:
            await client.aclose()


async def _answers(client: Redis) -> bool:
    """Say whether it answers by now; while it reads its append-only file, it refuses."""
    try:
        return bool(await client.ping())
    except REDIS_ERRORS as error:
        await pause(error, POLL_S)
        return False
