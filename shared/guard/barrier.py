"""The barrier: a revocation is in force everywhere before its caller gets an answer.

After an entry has been appended, every replica in every registry must have applied it, or be fenced. Replicas announce
how far they are; announcements are a hint and the registry, read again while waiting, is the record. Registries are
written by their services: they can make a barrier wait for REGISTRATION, and no longer.
"""

import asyncio
import contextlib
import enum
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import NamedTuple, TypeVar

from shared.guard.announcements import Announcements
from shared.guard.feed_reader import REGISTRATION_S
from shared.guard.guard import Guard
from shared.guard.receipt import PENDING, Receipt
from shared.guard.receipt_keeper import Passed, ReceiptKeeper
from shared.guard.registrations import Registration, Registry
from shared.guard.timing import BARRIER_TIMING, BarrierTiming
from shared.guard.trust import Identity
from shared.kernel.clock import boot_clock
from shared.kernel.errors import ErrorType, Unavailable
from shared.messaging.outbox import Access
from shared.messaging.wire import REDIS_ERRORS, forever, persist
from shared.postgres.errors import AWAY, DATABASE_ERRORS

T = TypeVar("T")


class Mode(enum.Enum):
    """What a process does for receipts: it waits at barriers, and may also confirm what others left pending."""

    OFF = "off"
    """For tests only: nothing is waited for."""
    WAITS = "waits"
    SWEEPS = "sweeps"


class Peers(NamedTuple):
    """What a process knows of all replicas: which are registered, and how far each is."""

    registry: Registry
    announcements: Announcements


class Revocations:
    """Waits, for one process, until what was written to the outbox is in force everywhere.

    `wake_relay` tells the relay that something was committed.
    """

    def __init__(
        self,
        *,
        guard: Guard,
        peers: Peers,
        receipts: ReceiptKeeper,
        wake_relay: Callable[[], Awaitable[None]],
        mode: Mode = Mode.WAITS,
        timing: BarrierTiming = BARRIER_TIMING,
    ) -> None:
        self.registry = peers.registry
        self._announcements = peers.announcements
        self._guard = guard
        self._receipts = receipts
        self._wake_relay = wake_relay
        self._mode = mode
        self._timing = timing
        self.observe: Callable[[float], None] = lambda _: None
        """Called with the seconds that each barrier took."""
        self.waiting = 0
        """How many barriers are being waited for."""

    @property
    def access(self) -> Access:
        """How this process reaches the outbox."""
        return self._receipts.access

    async def run(self) -> None:
        """Listen to announcements, watch which Redis this is, and write receipts down, until cancelled."""
        steps = [self._announcements.listen, self.registry.watch, self._receipts.flush]
        if self._mode is Mode.SWEEPS:
            steps.append(partial(self._receipts.sweep, self._run_barrier))
        foreseen = (*REDIS_ERRORS, *DATABASE_ERRORS)
        try:
            async with asyncio.TaskGroup() as loops:
                for step in steps:
                    loops.create_task(forever(step, name="barrier", retry_s=self._timing.retry_s, foreseen=foreseen))
        finally:
            await self.registry.close()
            with contextlib.suppress(Exception):  # what is not written down now, the sweep of another process confirms
                await self._receipts.flush_once()

    async def confirm(self, ticket: uuid.UUID) -> Receipt:
        """Wait until an outbox row, committed before this call, is in force on every replica.

        Raises `Unavailable(REVOCATION_UNCONFIRMED)` after `confirm_s`: the change stands, and is not known everywhere.
        Call it with no database connection held.
        """
        if self._mode is Mode.OFF:
            return PENDING
        started = time.perf_counter()
        try:
            with self._counted():
                async with asyncio.timeout(self._timing.confirm_s):
                    await self._persist(self._wake_relay)
                    number = await self._numbered(ticket)
                    passed = await self._run_barrier(number)
        except TimeoutError as error:
            raise Unavailable(
                "The change is made, but not yet confirmed everywhere. Repeat the call to wait for the confirmation.",
                type=ErrorType.REVOCATION_UNCONFIRMED,
            ) from error
        elapsed_s = time.perf_counter() - started
        self.observe(elapsed_s)
        receipt = Receipt(
            number=number, acked=passed.acked, fenced=passed.fenced, milliseconds=round(elapsed_s * 1000, 1)
        )
        self._receipts.keep(ticket, receipt)
        return receipt

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        self.waiting += 1
        try:
            yield
        finally:
            self.waiting -= 1

    async def _persist(self, call: Callable[[], Awaitable[T]]) -> T:
        """Call again and again while Redis or the database is away."""
        return await persist(call, retry_s=self._timing.retry_s, foreseen=(*REDIS_ERRORS, *AWAY))

    async def _numbered(self, ticket: uuid.UUID) -> int:
        while True:
            number = await self._guard.applied(ticket, self._timing.applied_s)
            if number is not None:
                return number
            numbered = await self._persist(partial(self._receipts.find_number, ticket))
            if numbered is not None and numbered.suffix == self._guard.reader.suffix:
                return numbered.number

    async def _run_barrier(self, number: int) -> Passed:
        """Wait until every replica has applied an entry, or is fenced; return how many there are of each.

        Once the entry has stood for REGISTRATION in one and the same Redis, no replica holds a lease that is older than
        it, and only replicas that have applied it get newer ones: so the barrier stops waiting, whatever stands in the
        registries.
        """
        redis: Identity = ()
        since = 0.0
        awaited: set[Registration] = set()
        while True:
            registered = await self._persist(self.registry.read)
            before = registered.replicas_before(number)
            if registered.last < number or not registered.redis:
                redis = ()
            else:
                late = self._announcements.still_behind(before, number)
                awaited |= late
                if registered.is_whole and not late:
                    return Passed(len(registered.registrations), len(self.registry.removed_of(awaited)))
                await self.registry.strike(late)
                if registered.redis != redis:
                    redis, since = registered.redis, boot_clock()
                elif boot_clock() - since >= REGISTRATION_S:
                    fenced = self.registry.removed_of(awaited) | late
                    return Passed(len(registered.registrations) - len(late), len(fenced))
            await self._announcements.wait_for(before, number, self._timing.reread_s)
