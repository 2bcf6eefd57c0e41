"""The `daypass` command as its users call it: as a process, from a terminal of its own."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import asyncpg

from services.embedded.postgres import DATABASE, SUPERUSER, user_of

PROGRAM = Path(sys.executable).with_name("daypass")
PATIENCE_S = 60
STATE = Path(tempfile.gettempdir()) / f"daypass-tests-{os.geteuid()}"
"""What instances of the tests keep outside of their data directories, a folder for each user."""


@dataclass(frozen=True)
class User:
    """A caller: `prefix` comes before the command."""

    name: str
    uid: int
    prefix: tuple[str, ...] = ()

    def command(self, data_dir: Path, *arguments: str) -> list[str]:
        return [*self.prefix, str(PROGRAM), "--data-dir", str(data_dir), *arguments]

    def environ(self) -> dict[str, str]:
        """Return the environment of each command of this user."""
        STATE.mkdir(exist_ok=True)
        STATE.chmod(0o1777)
        return environ() | {"XDG_STATE_HOME": str(STATE / str(self.uid))}

    def run(self, data_dir: Path, *arguments: str, said: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        command = self.command(data_dir, *arguments)
        return subprocess.run(
            command, input=said, capture_output=True, text=True, timeout=PATIENCE_S, check=False, env=self.environ()
        )

    @contextlib.contextmanager
    def up(
        self, data_dir: Path, *arguments: str, port: int | None = 0, settings: Mapping[str, str] = MappingProxyType({})
    ) -> Iterator["Up"]:
        """Start an instance, in a session of its own as a terminal's; whatever happens, it is gone afterwards."""
        ports = [] if port is None else ["--port", str(port)]
        command = self.command(data_dir, "up", "--json", *ports, *arguments)
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environ() | dict(settings),
            start_new_session=True,
        ) as process:
            try:
                yield Up(process)
            finally:
                if process.poll() is None:
                    process.send_signal(signal.SIGTERM)
                    process.wait(PATIENCE_S)


class Up:
    """A `daypass up --json` under way."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def ready(self) -> dict[str, Any]:
        """Wait until it says that it is ready; return what it said."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.communicate(timeout=PATIENCE_S)[1]
        return dict(json.loads(line))

    def says(self, text: str) -> None:
        """Wait until a line on stderr contains `text`."""
        assert self.process.stderr is not None
        assert any(text in line for line in self.process.stderr)

    def signal(self, number: signal.Signals) -> tuple[int, str]:
        """Send a signal as a terminal would, to the whole group; return the exit code and the rest of stderr."""
        os.killpg(self.process.pid, number)
        return self.ended()

    def ended(self) -> tuple[int, str]:
        """Wait for the end; return the exit code and the rest of stderr."""
        said = self.process.communicate(timeout=PATIENCE_S)[1]
        return self.process.returncode, said


async def superuser(data_dir: Path) -> "asyncpg.Connection[asyncpg.Record]":
    """Connect to a running instance's PostgreSQL as its owner."""
    return await connected(data_dir, SUPERUSER)


async def connected(data_dir: Path, role: str) -> "asyncpg.Connection[asyncpg.Record]":
    """Connect to a running instance's PostgreSQL by the role of a service, or of its owner."""
    password = json.loads((data_dir / "secrets.json").read_text())["postgres"][role]
    return await asyncpg.connect(host=str(sockets(data_dir)), user=user_of(role), password=password, database=DATABASE)


def sockets(data_dir: Path) -> Path:
    """Return the folder of a running instance's sockets."""
    return Path(json.loads((data_dir / "run.json").read_text())["redis_url"].split("@", 1)[1]).parent


def environ() -> dict[str, str]:
    """The environment of a user without any settings."""
    return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}


def processes_in(data_dir: Path) -> list[str]:
    """Return the command lines of all processes that work in a data directory or name it."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdecimal() and process.name != str(os.getpid()):
            with contextlib.suppress(OSError):
                line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                if str(data_dir) in line or data_dir in (process / "cwd").readlink().parents:
                    found.append(f"{process.name} {line}")
    return found
