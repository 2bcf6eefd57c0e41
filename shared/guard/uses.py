"""Which sessions are used, in projects whose policy ends unused ones: noted in memory, reported once a minute."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

import structlog

from shared.contracts.ids import ProjectId, SessionId
from shared.contracts.requests import SessionUse
from shared.kernel.errors import Refusal

REPORT_S = 60.0
MOST = 100_000
"""Sessions that are noted at most between two reports. Beyond that a use is not noted, and a session may end early."""
BATCH = 1_000

_log = structlog.get_logger()


class Recorder(Protocol):
    """Where uses are recorded: in auth's database, at once or over the bus."""

    async def report_uses(self, uses: Sequence[SessionUse]) -> None:
        """Record uses; raises `Unavailable`."""


class Uses:
    """Notes uses of sessions, and reports them to `recorder`."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._noted: set[SessionUse] = set()

    def note(self, project_id: ProjectId, session_id: SessionId) -> None:
        """Note that a session is used."""
        if len(self._noted) < MOST:
            self._noted.add(SessionUse(project_id, session_id))

    async def run(self) -> None:
        """Report once a minute until cancelled."""
        while True:
            await asyncio.sleep(REPORT_S)
            await self.flush()

    async def flush(self) -> None:
        """Report what was noted since the last time; what cannot be reported stays for the next time."""
        noted, self._noted = sorted(self._noted), set()
        for start in range(0, len(noted), BATCH):
            batch = noted[start : start + BATCH]
            try:
                await self._recorder.report_uses(batch)
            except Refusal as refusal:
                self._noted.update(batch)
                _log.warning("uses of sessions not reported", sessions=len(batch), error=refusal.message)
