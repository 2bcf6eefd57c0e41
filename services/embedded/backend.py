"""What PostgreSQL and Valkey have in common: a child process on a data directory and a socket."""

import shutil
import signal
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from services.embedded.account import Account
from services.embedded.child import Child
from services.embedded.foreign_process import hold, pid_in
from services.embedded.programs import Programs
from shared.kernel.settings import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """What a backend runs on: its folders and log, the programs, a password for each of its users, its account."""

    data_dir: Path
    socket_dir: Path
    log: Path
    programs: Programs
    passwords: Mapping[str, Secret]
    account: Account | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program that serves, and how it is stopped: each of the signals in turn, then SIGKILL."""

    name: str
    executable: str
    pid_file: str
    stop_signals: tuple[signal.Signals, ...]
    patience_s: float


class Backend(ABC):
    """One PostgreSQL or Valkey on one data directory."""

    def __init__(self, home: Home, program: Program) -> None:
        self.home = home
        self.programs = home.programs
        """By which it is started the next time."""
        self._program = program
        self._child: Child | None = None

    @property
    def data_dir(self) -> Path:
        """The data directory."""
        return self.home.data_dir

    @property
    def child(self) -> Child:
        """The process, once started."""
        if self._child is None:
            raise RuntimeError(f"{self._program.name} was not started")
        return self._child

    async def start(self) -> None:
        """Start and wait until it answers. Raises `StartRefused` or `PartFailed`; nothing is left running then."""
        try:
            await self._stop_orphan()
            await self._prepare()
            self._child = await self._spawn()
            await self._ready()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End all connections, write everything to disk, stop."""
        if self._child is not None:
            await self._child.stop(*self._program.stop_signals, patience_s=self._program.patience_s)

    @abstractmethod
    async def _prepare(self) -> None:
        """Write what the program needs on disk."""

    @abstractmethod
    async def _spawn(self) -> Child:
        """Start the program."""

    @abstractmethod
    async def _ready(self) -> None:
        """Wait until the program answers, and make what its users need."""

    async def _stop_orphan(self) -> None:
        """Stop a process of this data directory whose parent is gone; delete the file of one that is gone itself.

        PostgreSQL would take any process that has the old one's id by now for its older self, and refuse to start.
        """
        pid_file = self.data_dir / self._program.pid_file
        pid = pid_in(pid_file)
        if pid is None:
            return
        with hold(pid) as process:
            if process is None:
                return
            if process.runs_in(self.data_dir, self._program.executable):
                await process.stop(*self._program.stop_signals, patience_s=self._program.patience_s)
            else:
                pid_file.unlink()

    def _give(self, path: Path) -> None:
        """Give a file or folder to the account of the parts."""
        if self.home.account is not None:
            shutil.chown(path, self.home.account.uid, self.home.account.gid)

    def _write(self, path: Path, text: str) -> None:
        """Write a private file for the account of the parts."""
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
        self._give(path)
