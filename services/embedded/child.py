"""Child processes that never outlive this one.

Linux tells a child by a signal that the *thread* which forked it has died: children are started from the main thread,
which lives as long as the process.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from services.embedded.account import Account
from services.embedded.errors import PartFailed

PR_SET_PDEATHSIG = 1
TAIL_LINES = 6
TAIL_BYTES = 4096


class Child:
    """A running program, in a session of its own so that Ctrl-C reaches only us, and we stop it in order."""

    def __init__(self, process: asyncio.subprocess.Process, *, name: str, log: Path, log_start: int) -> None:
        self.name = name
        self._process = process
        self._log = log
        self._log_start = log_start

    @classmethod
    async def spawn(
        cls,
        command: Sequence[str | Path],
        *,
        name: str,
        cwd: Path,
        log: Path,
        account: Account | None,
        death_signal: signal.Signals,
    ) -> Self:
        """Start `command`, which writes to the end of `log`, and gets `death_signal` where this process dies.

        Raises `PartFailed` where it cannot be executed.
        """
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("children are started from the main thread only")
        with log.open("ab") as output:
            os.fchmod(output.fileno(), 0o600)
            log_start = output.tell()
            try:
                process = await asyncio.create_subprocess_exec(
                    *command,
                    cwd=cwd,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env=_environment(),
                    start_new_session=True,
                    preexec_fn=_before_exec(account, death_signal),
                )
            except (OSError, RuntimeError) as error:
                raise PartFailed(f"{name} cannot be executed: {error}") from error
            return cls(process, name=name, log=log, log_start=log_start)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether the process is no more."""
        return self._process.returncode is not None

    async def wait(self) -> int:
        """Wait for the end; return the exit code, negative for a signal."""
        return await self._process.wait()

    async def stop(self, *signals: signal.Signals, patience_s: float) -> None:
        """Send each signal in turn until the process ends, then SIGKILL."""
        for number in (*signals, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.wait(), patience_s)
                return

    def failure(self) -> PartFailed:
        """Tell of the end of this process, with the last lines that it wrote."""
        with self._log.open("rb") as log:
            log.seek(max(self._log_start, log.seek(0, os.SEEK_END) - TAIL_BYTES))
            lines = log.read().decode(errors="replace").strip().splitlines()
        said = "\n  ".join(lines[-TAIL_LINES:])
        return PartFailed(f"{self.name} stopped by itself (see {self._log}):\n  {said or 'it logged nothing'}")


def _environment() -> dict[str, str]:
    """Pass on nothing that would change a part's behaviour or carry a secret: no PG…, no DAYPASS_…, no locale."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _before_exec(account: Account | None, death_signal: signal.Signals) -> Callable[[], None]:
    prctl = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None
    parent = os.getpid()

    def prepare() -> None:
        if account is not None:
            account.enter()
        if prctl is not None:  # after the change of account, which clears it
            prctl(PR_SET_PDEATHSIG, int(death_signal))
            if os.getppid() != parent:
                os._exit(1)

    return prepare
