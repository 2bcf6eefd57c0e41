"""The barrier: a revocation is in force everywhere before its caller gets an answer.

After an entry has been appended, every replica in every registry must have applied it, or be fenced. Replicas announce
how far they are; announcements are a hint and the registry, read again while waiting, is the record. A replica that
has kept the same registration for REGISTRATION holds no lease any more: it is struck, by compare and delete.
"""

import asyncio
import contextlib
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import asyncpg
import structlog
from redis.asyncio import Redis

from shared.guard.feed_reader import REGISTRATION_S
from shared.guard.guard import Guard
from shared.guard.receipt import PENDING, Receipt
from shared.guard.replies import Pairs, field_of, pairs, tail_of
from shared.guard.trust import Identity, Trust
from shared.kernel.clock import boot_clock, now
from shared.kernel.errors import ErrorType, Unavailable
from shared.messaging import names
from shared.messaging.outbox import OWNER, Access, Answered, Pending, find_number, keep_answers, list_pending
from shared.messaging.wire import REDIS_ERRORS, Command, Wire, heed_cancellation, pause
from shared.postgres.pool import AWAY, Pool

log = structlog.get_logger()

CONFIRM_S = 10.0
APPLIED_S = 0.1
REREAD_S = 0.1
RETRY_S = 0.2
WATCH_S = 0.5
READ_S = 2.0
FLUSH_S = 0.2
SWEEP_S = 1.0
PENDING_S = 2.0
"""A receipt that is not confirmed so long after its commit may have nobody any more who would: the sweep does."""

T = TypeVar("T")

Replica = tuple[str, str]
"""Its service, and the field by which it stands in that service's registry."""

# KEYS: a registry. ARGV: a replica, and the registration that was read. Deletes it only if it is still the same.
_STRIKE = """
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then return redis.call('HDEL', KEYS[1], ARGV[1]) end
return 0
"""


class Registered:
    """The registries at one moment: each replica's registration, the number of the stream's last entry, and trust."""

    def __init__(self, hashes: list[Pairs], last: int, *, is_trusted: bool) -> None:
        self.last = last
        self.is_trusted = is_trusted
        self.registrations: dict[Replica, bytes] = {
            (service, field.decode()): value
            for service, found in zip(names.SERVICES, hashes, strict=True)
            for field, value in found.items()
            if field.startswith(names.REPLICA.encode())
        }

    def behind(self, number: int) -> set[Replica]:
        """Return the replicas that had not applied `number` when they registered."""
        return {replica for replica, value in self.registrations.items() if int(value.split(b":")[0]) < number}


class Revocations:
    """Waits, for one process, until what was written to the outbox is in force everywhere, and keeps the receipts.

    `wake_relay` tells the relay that something was committed. `access` is how this process reaches the outbox.
    `copies` is the number of Redis's promotable copies: what is read of the registries counts only if all of them
    still followed this Redis after it was read. `sweeps`:
    this process also confirms what others left pending. `is_off` is for tests only: nothing is waited for.
    """

    def __init__(
        self,
        *,
        guard: Guard,
        redis: Redis,
        redis_url: str,
        pool: Pool,
        wake_relay: Callable[[], Awaitable[None]],
        access: Access = OWNER,
        trust: Trust | None = None,
        copies: int = 0,
        sweeps: bool = False,
        is_off: bool = False,
    ) -> None:
        self._guard = guard
        self._redis = redis
        self._redis_url = redis_url
        self._pool = pool
        self._wake_relay = wake_relay
        self._access = access
        self._trust = Trust() if trust is None else trust
        self._copies = copies
        self._sweeps = sweeps
        self._is_off = is_off
        self._announced: dict[Replica, int] = {}
        self._news = asyncio.Condition()
        self._next_read: asyncio.Task[Registered] | None = None
        self._wire: Wire | None = None
        self._wire_lock = asyncio.Lock()
        self._reads = 0
        self._answers: list[Answered] = []
        self.observe: Callable[[float], None] = lambda _: None
        """Called with the seconds that each barrier took."""
        self.waiting = 0
        self.struck = 0

    async def run(self) -> None:
        """Listen to announcements, watch which Redis this is, and write receipts down, until cancelled."""
        steps = [self._listen, self._watch, self._flush]
        if self._sweeps:
            steps.append(self._sweep)
        try:
            async with asyncio.TaskGroup() as loops:
                for step in steps:
                    loops.create_task(self._forever(step))
        finally:
            await self._drop_wire()
            with contextlib.suppress(Exception):  # what is not written down now, the sweep of another process confirms
                await self._flush_once()

    async def _forever(self, loop: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await loop()
            except (*REDIS_ERRORS, *AWAY, asyncpg.PostgresError) as error:
                log.warning("barrier interrupted", error=repr(error))
                await pause(error, RETRY_S)

    async def _watch(self) -> None:
        while True:
            heed_cancellation()
            await self._read()
            await asyncio.sleep(WATCH_S)

    async def confirm(self, ticket: uuid.UUID) -> Receipt:
        """Wait until an outbox row, committed before this call, is in force on every replica.

        Raises `Unavailable(REVOCATION_UNCONFIRMED)` after CONFIRM_S: the change stands, and is not known everywhere.
        Call it with no database connection held.
        """
        if self._is_off:
            return PENDING
        started = time.perf_counter()
        try:
            with self._counted():
                async with asyncio.timeout(CONFIRM_S):
                    await self._persist(self._wake_relay)
                    number = await self._numbered(ticket)
                    acked, fenced = await self._pass(number)
        except TimeoutError as error:
            raise Unavailable(
                "The change is made, but not yet confirmed everywhere. Repeat the call to wait for that.",
                type=ErrorType.REVOCATION_UNCONFIRMED,
            ) from error
        elapsed_s = time.perf_counter() - started
        self.observe(elapsed_s)
        receipt = Receipt(number=number, acked=acked, fenced=fenced, milliseconds=round(elapsed_s * 1000, 1))
        self._answers.append(Answered(ticket, now(), acked, fenced, receipt.milliseconds))
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
        while True:
            heed_cancellation()
            try:
                return await call()
            except (*REDIS_ERRORS, *AWAY) as error:
                await pause(error, RETRY_S)

    async def _numbered(self, ticket: uuid.UUID) -> int:
        while True:
            number = await self._guard.applied(ticket, APPLIED_S)
            if number is not None:
                return number
            found = await self._persist(partial(find_number, self._pool, ticket, self._access))
            if found is not None and found.suffix == self._guard.reader.suffix:
                return found.number

    async def _flush(self) -> None:
        while True:
            heed_cancellation()
            await asyncio.sleep(FLUSH_S)
            await self._flush_once()

    async def _flush_once(self) -> None:
        answers, self._answers = self._answers, []
        try:
            await keep_answers(self._pool, answers, self._access)
        except BaseException:
            self._answers = answers + self._answers
            raise

    async def _sweep(self) -> None:
        """Confirm what is pending for long: whoever waited for it has given up, or died."""
        while True:
            heed_cancellation()
            await asyncio.sleep(SWEEP_S)
            if pending := await list_pending(self._pool, older_than_s=PENDING_S):
                acked, fenced = await self._pass(max(one.number for one in pending))
                await keep_answers(self._pool, [_late(one, acked, fenced) for one in pending])

    async def _pass(self, number: int) -> tuple[int, int]:
        since: dict[Replica, tuple[bytes, float]] = {}
        fenced = 0
        while True:
            found = await self._persist(self._read)
            behind = found.behind(number)
            if found.last >= number:
                late = self._still_behind(behind, number)
                if found.is_trusted and not late:
                    return len(found.registrations), fenced
                fenced += await self._strike(found, late, since)
            await self._wait_for(behind, number)

    def _still_behind(self, behind: set[Replica], number: int) -> set[Replica]:
        return {replica for replica in behind if self._announced.get(replica, 0) < number}

    async def _wait_for(self, behind: set[Replica], number: int) -> None:
        """Wait until all of these have announced the number, but read the registries again before long."""
        try:
            async with asyncio.timeout(REREAD_S), self._news:
                await self._news.wait_for(lambda: bool(behind) and not self._still_behind(behind, number))
        except TimeoutError:
            pass

    async def _strike(self, found: Registered, behind: set[Replica], since: dict[Replica, tuple[bytes, float]]) -> int:
        """Strike replicas whose registration has not changed since this barrier first read it, REGISTRATION ago."""
        struck = 0
        for replica in behind:
            value = found.registrations[replica]
            known = since.get(replica)
            if known is None or known[0] != value:
                since[replica] = (value, boot_clock())
            elif boot_clock() - known[1] >= REGISTRATION_S:
                struck += await self._persist(partial(self._strike_one, replica, value))
        self.struck += struck
        return struck

    async def _strike_one(self, replica: Replica, value: bytes) -> int:
        struck = int(await self._redis.eval(_STRIKE, 1, names.registry(replica[0]), replica[1], value))
        log.warning("a silent replica was struck", replica=replica[1])
        return struck

    async def _read(self) -> Registered:
        """Read the registries once, later than this call; calls that come meanwhile share the next read."""
        if self._next_read is None:
            self._next_read = asyncio.create_task(self._read_next())
        return await asyncio.shield(self._next_read)

    async def _read_next(self) -> Registered:
        async with self._wire_lock:
            await asyncio.sleep(0)  # those who came in the same turn of the loop ride along
            self._next_read = None
            try:
                if self._wire is None:
                    self._wire = await Wire.open(self._redis_url, name="daypass-registry")
                replies = await self._wire.send(self._commands(), timeout_s=READ_S)
                _raise_first(replies)
                (server, replication, *hashes, stream), copies = replies[len(names.SERVICES) + 4], replies[-1]
                _raise_first([server, replication, *hashes])
            except BaseException:
                await self._drop_wire()
                raise
        if self._copies and copies < self._copies:
            raise ConnectionError(f"{copies} of {self._copies} copies follow this Redis")
        registries = [pairs(found) for found in hashes]
        trusted = await self._trust.see(_identity(server, replication, registries))
        found = Registered(registries, tail_of(stream), is_trusted=trusted)
        self._announced = {replica: at for replica, at in self._announced.items() if replica in found.registrations}
        return found

    def _commands(self) -> list[Command]:
        self._reads += 1
        # A copy that acknowledges what was written after the reading was still a copy when it was read.
        service = self._guard.reader.service
        follow: list[Command] = [
            ("HSET", names.registry(service), "read", f"{self._guard.reader.name}:{self._reads}"),
            ("WAIT", self._copies, int(READ_S * 500)),
        ]
        return [
            ("MULTI",),
            ("INFO", "server"),
            ("INFO", "replication"),
            *(("HGETALL", names.registry(service)) for service in names.SERVICES),
            ("XINFO", "STREAM", self._guard.reader.stream),
            ("EXEC",),
            *(follow if self._copies else ()),
        ]

    async def _drop_wire(self) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            await wire.close()

    async def _listen(self) -> None:
        wire = await Wire.open(self._redis_url, name="daypass-barrier")
        try:
            channels = [names.announcements(service) for service in names.SERVICES]
            await wire.send([("SUBSCRIBE", *channels)], timeout_s=2)
            while True:
                await self._take_in(await wire.receive())
        finally:
            await wire.close()

    async def _take_in(self, message: Any) -> None:  # Any: a reply of Redis
        if isinstance(message, Exception):
            raise message
        if message[0] != b"message":
            return
        service = message[1].decode().removeprefix(names.announcements(""))
        name, _, position = message[2].decode().rpartition(":")
        self._announced[service, names.REPLICA + name] = int(position)
        async with self._news:
            self._news.notify_all()


def _raise_first(replies: list[Any]) -> None:  # Any: replies of Redis
    for reply in replies:
        if isinstance(reply, Exception):
            raise reply


def _identity(server: bytes, replication: bytes, registries: list[Pairs]) -> Identity:
    marks = [found.get(name, b"") for found in registries for name in (b"token", b"stream")]
    return (field_of(server, b"run_id:"), field_of(replication, b"master_replid:"), *marks)


def _late(pending: Pending, acked: int, fenced: int) -> Answered:
    moment = now()
    return Answered(pending.ticket, moment, acked, fenced, (moment - pending.committed_at) / timedelta(milliseconds=1))
