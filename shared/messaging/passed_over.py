"""Unreadable messages of another service: skipped, and logged rarely, however many there are."""

import time

import structlog

log = structlog.get_logger()

EVERY_S = 60.0
"""A kind of malformed message is logged at most this often."""


class PassedOver:
    """Counts what a process has passed over, by kind."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._due: dict[str, float] = {}

    def note(self, kind: str, **where: object) -> None:
        """Count one more, and log the first of each minute with the number of those since the last that was logged."""
        self._counts[kind] = self._counts.get(kind, 0) + 1
        now = time.monotonic()
        if now >= self._due.get(kind, now):
            self._due[kind] = now + EVERY_S
            log.warning("malformed messages skipped", kind=kind, count=self._counts.pop(kind), **where)
