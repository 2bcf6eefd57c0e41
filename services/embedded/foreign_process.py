"""Processes that are not our children, held by a descriptor: a recycled process id is never taken for them."""

import asyncio
import contextlib
import os
import select
import signal
from collections.abc import Iterator
from pathlib import Path


class ForeignProcess:
    """Some process of this system. Made by `hold`."""

    def __init__(self, pid: int, descriptor: int) -> None:
        self.pid = pid
        self._descriptor = descriptor

    def runs_in(self, directory: Path, program: str) -> bool:
        """Say whether it executes `program` and works in `directory`; False where we may not know."""
        try:
            executable = Path(f"/proc/{self.pid}/exe").readlink().name
            working_directory = Path(f"/proc/{self.pid}/cwd").readlink()
        except OSError:
            return False
        return executable.removesuffix(" (deleted)") == program and working_directory == directory.resolve()

    def send(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens where the process has ended. Raises `PermissionError`."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._descriptor, number)

    async def ended(self, timeout_s: float) -> bool:
        """Wait for the end; False if it still runs after `timeout_s`."""
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        return bool(await asyncio.to_thread(poll.poll, timeout_s * 1000))

    async def stop(self, *signals: signal.Signals, patience_s: float) -> None:
        """Send each signal in turn until the process ends, then SIGKILL."""
        for number in (*signals, signal.SIGKILL):
            self.send(number)
            if await self.ended(patience_s):
                return


@contextlib.contextmanager
def hold(pid: int) -> Iterator[ForeignProcess | None]:
    """Take hold of a process; None where there is none of this id."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        yield None
        return
    try:
        yield ForeignProcess(pid, descriptor)
    finally:
        os.close(descriptor)


def pid_in(file: Path) -> int | None:
    """Return the process id in the first line of a file; None where there is no such file or no such line."""
    try:
        pid = int(file.read_text(encoding="utf-8").split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None
    return pid if pid > 0 else None
