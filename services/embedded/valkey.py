"""Valkey, which is Redis by protocol, as a child process on a socket.

Its append-only file is synced once a second: PostgreSQL holds the truth, and a feed that has lost its end is seen to
have (its numbers are dense) and is written again. What a killed process had written is in the system's cache, so only
a crash of the whole machine loses that second.
"""

import asyncio
import hashlib
import signal
from collections.abc import Mapping
from pathlib import Path
from string import Template

from redis.asyncio import Redis

from services.embedded.backend import Backend, Home, Program
from services.embedded.child import Child
from services.embedded.errors import PartFailed
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


PROGRAM = Program(
    name="Valkey",
    executable="valkey-server",
    pid_file="valkey.pid",
    stop_signals=(signal.SIGTERM,),
    patience_s=STOP_PATIENCE_S,
)


class Valkey(Backend):
    """One Valkey; it has a password for each of `USERS`.

    `settings` are further lines of its configuration, read at each start. Its stop syncs the append-only file.
    """

    def __init__(self, home: Home, *, settings: Mapping[str, str] = SETTINGS) -> None:
        super().__init__(home, PROGRAM)
        self.socket = home.socket_dir / "valkey.sock"
        self.settings = dict(settings)

    def url(self, user: str) -> str:
        """Return the connection URL of one of `USERS`."""
        return f"unix://{user}:{self.home.passwords[user].reveal()}@{self.socket}"

    async def _spawn(self) -> Child:
        return await Child.spawn(
            [self.programs.valkey, "valkey.conf"],
            name="Valkey",
            cwd=self.data_dir,
            log=self.home.log,
            account=self.home.account,
            death_signal=signal.SIGTERM,
        )

    async def _prepare(self) -> None:
        self.data_dir.mkdir(mode=0o700, exist_ok=True)
        lines = "".join(f"{name} {value}\n" for name, value in self.settings.items())
        self._write(self.data_dir / "valkey.conf", CONFIGURATION.substitute(socket=self.socket) + lines)
        self._write(self.data_dir / "users.acl", self._access_rules())
        self._give(self.data_dir)

    def _access_rules(self) -> str:
        """Render the rules that every topology shares, and add the user that may do everything: this process's own."""
        digests = {user: hashlib.sha256(self.home.passwords[user].reveal().encode()).hexdigest() for user in USERS}
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
            raise PartFailed(f"Valkey did not answer within {START_TIMEOUT_S:.0f} s (see {self.home.log})") from error
        finally:
            await client.aclose()


async def _answers(client: Redis) -> bool:
    """Say whether it answers by now; while it reads its append-only file, it refuses."""
    try:
        return bool(await client.ping())
    except REDIS_ERRORS as error:
        await pause(error, POLL_S)
        return False
