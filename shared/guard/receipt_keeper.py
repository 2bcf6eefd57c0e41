"""The keeper of receipts: it stores the results of barriers, and confirms abandoned receipts."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import NamedTuple

from shared.guard.receipt import Receipt
from shared.guard.timing import BARRIER_TIMING, BarrierTiming
from shared.kernel.clock import now
from shared.messaging.outbox import (
    OWNER,
    Access,
    Answered,
    Numbered,
    Pending,
    find_number,
    keep_answers,
    list_pending,
)
from shared.messaging.wire import heed_cancellation
from shared.postgres.pool import Pool


class Passed(NamedTuple):
    """How a barrier was passed: the replicas that have applied the entry, and those that are fenced."""

    acked: int
    fenced: int


class ReceiptKeeper:
    """Keeps the receipts of one process. `access` is how it reaches the outbox."""

    def __init__(self, pool: Pool, *, access: Access = OWNER, timing: BarrierTiming = BARRIER_TIMING) -> None:
        self._pool = pool
        self.access = access
        self._timing = timing
        self._answers: list[Answered] = []

    async def find_number(self, ticket: uuid.UUID) -> Numbered | None:
        """Return the number of an outbox row, None while it has none."""
        return await find_number(self._pool, ticket, self.access)

    def keep(self, ticket: uuid.UUID, receipt: Receipt) -> None:
        """Note a receipt; it is written down a moment later."""
        self._answers.append(Answered(ticket, now(), receipt.acked, receipt.fenced, receipt.milliseconds))

    async def flush(self) -> None:
        """Write down what was noted, again and again until cancelled; raises what PostgreSQL raises."""
        while True:
            heed_cancellation()
            await asyncio.sleep(self._timing.flush_s)
            await self.flush_once()

    async def flush_once(self) -> None:
        """Write down what was noted so far; what cannot be written stays noted."""
        answers, self._answers = self._answers, []
        try:
            await keep_answers(self._pool, answers, self.access)
        except BaseException:
            self._answers = answers + self._answers
            raise

    async def sweep(self, run_barrier: Callable[[int], Awaitable[Passed]]) -> None:
        """Confirm old pending receipts until cancelled: their requests have timed out, or their processes died."""
        while True:
            heed_cancellation()
            await asyncio.sleep(self._timing.sweep_s)
            if pending := await list_pending(self._pool, older_than_s=self._timing.pending_s):
                passed = await run_barrier(max(one.number for one in pending))
                await keep_answers(self._pool, [_late(one, passed) for one in pending])


def _late(pending: Pending, passed: Passed) -> Answered:
    moment = now()
    milliseconds = (moment - pending.committed_at) / timedelta(milliseconds=1)
    return Answered(pending.ticket, moment, passed.acked, passed.fenced, milliseconds)
