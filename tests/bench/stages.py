"""When a revocation passes each of its stages, as seen inside the process that revokes."""

import contextlib
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from unittest import mock

from shared.guard.barrier import Revocations
from shared.messaging.relay import Appender


@dataclass
class Stages:
    """Moments by `time.perf_counter`: its row was committed, numbered, appended to the feed; the barrier was passed."""

    committed: float = 0.0
    numbered: float = 0.0
    appended: float = 0.0
    confirmed: float = 0.0

    @property
    def relay_ms(self) -> float:
        """From the commit until Redis has acknowledged the entry."""
        return (self.appended - self.committed) * 1000

    @property
    def barrier_ms(self) -> float:
        """From that until every replica has applied it."""
        return (self.confirmed - self.appended) * 1000

    @property
    def numbered_ms(self) -> float:
        """From the commit of the number until every replica has applied the entry."""
        return (self.confirmed - self.numbered) * 1000


@contextlib.contextmanager
def watched() -> Iterator[dict[uuid.UUID, Stages]]:
    """Note the stages of every ticket that this process confirms while inside."""
    seen: dict[uuid.UUID, Stages] = {}
    confirm, append = Revocations.confirm, Appender.append

    async def watched_confirm(self: Revocations, ticket: uuid.UUID, *more: Any, **named: Any) -> Any:
        stages = seen[ticket] = Stages(committed=time.perf_counter())
        receipt = await confirm(self, ticket, *more, **named)
        stages.confirmed = time.perf_counter()
        return receipt

    async def watched_append(self: Appender, rows: Any, **named: Any) -> int:
        numbered = time.perf_counter()
        last = await append(self, rows, **named)
        appended = time.perf_counter()
        for row in rows:
            if (stages := seen.get(row["id"])) is not None and not stages.appended:
                stages.numbered, stages.appended = numbered, appended
        return last

    with (
        mock.patch.object(Revocations, "confirm", watched_confirm),
        mock.patch.object(Appender, "append", watched_append),
    ):
        yield seen
