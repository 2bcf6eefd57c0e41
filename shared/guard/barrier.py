"""The barrier: a revocation is in force everywhere before its caller gets an answer.

After an entry has been appended, every replica in every registry must have applied it, or be fenced. Replicas announce
how far they are; announcements are a hint and the registry, read again while waiting, is the record. A replica that
has kept the same registration for REGISTRATION holds no lease any more: it is struck, by deleting just that
registration. Registries are written by their services: they can make a barrier wait for REGISTRATION, and no longer.
"""

import asyncio
import contextlib
import time
import uuid
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import asyncpg
import structlog
from redis.asyncio import Redis

from shared.guard.feed_reader import REGISTRATION_S
from shared.guard.guard import Guard
from shared.guard.receipt import PENDING, Receipt
from shared.guard.registrations import MOST, Registration, parse_announcement, parse_registration
from shared.guard.trust import Identity, Trust
from shared.kernel.clock import boot_clock, now
from shared.kernel.errors import ErrorType, Unavailable
from shared.messaging import names
from shared.messaging.outbox import OWNER, Access, Answered, Pending, find_number, keep_answers, list_pending
from shared.messaging.passed_over import PassedOver
from shared.messaging.reading import field_of, raise_first, tail_of
from shared.messaging.wire import REDIS_ERRORS, Command, Wire, forever, heed_cancellation, pause
from shared.postgres.pool import AWAY, Pool

log = structlog.get_logger()

CONFIRM_S = 10.0
APPLIED_S = 0.1
REREAD_S = 0.1
RETRY_S = 0.2
BURST, BURST_S = 250, 0.025
"""So many announcements are read in no less than this."""

MOST_BYTES = 1_000_000
WATCH_S = 0.5
READ_S = 2.0
REGISTRIES_S = 0.5
"""Registries that cannot be read in this time are more than anybody needs."""

UNREADABLE_S = 2.0
"""So long are they not read again, by the same process; what must wait for them waits for time to pass instead."""

FLUSH_S = 0.2
SWEEP_S = 1.0
PENDING_S = 2.0
"""A receipt that is not confirmed so long after its commit may have nobody any more who would: the sweep does."""

T = TypeVar("T")

Replica = tuple[str, str]
"""Its service and name."""


class Registered:
    """What a barrier reads at one moment.

    `redis` says which Redis that was and whose streams it holds, and is empty where nobody has named it yet. `last` is
    the number of the stream's last entry. `is_whole`: a replica that is not among the registrations is not registered.
    """

    def __init__(self, *, redis: Identity, last: int, registrations: Sequence[Registration], is_whole: bool) -> None:
        self.redis = redis
        self.last = last
        self.registrations = registrations
        self.is_whole = is_whole

    def behind(self, number: int) -> set[Registration]:
        """Return the replicas that had not applied `number` when they registered."""
        return {one for one in self.registrations if one.position < number}


class Revocations:
    """Waits, for one process, until what was written to the outbox is in force everywhere, and keeps the receipts.

    `wake_relay` tells the relay that something was committed. `access` is how this process reaches the outbox.
    `copies` is the number of Redis's promotable copies: what is read of the registries counts only if all of them
    still followed this Redis after it was read. `sweeps`: this process also confirms what others left pending.
    `strikes`: it may strike replicas of all services. `is_off` is for tests only: nothing is waited for.
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
        strikes: bool = True,
        is_off: bool = False,
    ) -> None:
        self._guard = guard
        self._redis = redis
        self._redis_url = redis_url
        self._pool = pool
        self._wake_relay = wake_relay
        self.access = access
        self._trust = Trust() if trust is None else trust
        self._copies = copies
        self._sweeps = sweeps
        self._strikes = strikes
        self._is_off = is_off
        self._announced: dict[Replica, int] = {}
        self._seen_since: dict[Registration, float] = {}
        self._struck: deque[Registration] = deque(maxlen=MOST)
        self._passed_over = PassedOver()
        self._news = asyncio.Condition()
        self._next_read: asyncio.Task[Registered] | None = None
        self._reading: set[asyncio.Task[Registered]] = set()
        self._wire: Wire | None = None
        self._wire_lock = asyncio.Lock()
        self._reads = 0
        self._unreadable_until = 0.0
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
        foreseen = (*REDIS_ERRORS, *AWAY, asyncpg.PostgresError)
        try:
            async with asyncio.TaskGroup() as loops:
                for step in steps:
                    loops.create_task(forever(step, name="barrier", retry_s=RETRY_S, foreseen=foreseen))
        finally:
            for reading in self._reading:
                reading.cancel()
            await asyncio.gather(*self._reading, return_exceptions=True)
            await self._drop_wire()
            with contextlib.suppress(Exception):  # what is not written down now, the sweep of another process confirms
                await self._flush_once()

    async def _watch(self) -> None:
        """Keep an eye on which Redis this is, and strike whoever is silent."""
        while True:
            heed_cancellation()
            if self._strikes:
                await self._clear_overgrown()
            await self._strike((await self._read()).registrations)
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
                "The change is made, but not yet confirmed everywhere. Repeat the call to wait for the confirmation.",
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
            found = await self._persist(partial(find_number, self._pool, ticket, self.access))
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
            await keep_answers(self._pool, answers, self.access)
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
        """Wait until every replica has applied an entry, or is fenced; return how many there are of each.

        Once the entry has stood for REGISTRATION in one and the same Redis, nobody holds a lease that is older than it,
        and newer ones are given only to replicas that have applied it: so whatever stands in the registries, nobody is
        waited for any longer.
        """
        redis: Identity = ()
        since = 0.0
        awaited: set[Registration] = set()
        while True:
            found = await self._persist(self._read)
            behind = found.behind(number)
            if found.last < number or not found.redis:
                redis = ()
            else:
                late = self._still_behind(behind, number)
                awaited |= late
                if found.is_whole and not late:
                    return len(found.registrations), len(awaited.intersection(self._struck))
                await self._strike(late)
                if found.redis != redis:
                    redis, since = found.redis, boot_clock()
                elif boot_clock() - since >= REGISTRATION_S:
                    fenced = len(awaited.intersection(self._struck) | late)
                    return len(found.registrations) - len(late), fenced
            await self._wait_for(behind, number)

    def _still_behind(self, behind: set[Registration], number: int) -> set[Registration]:
        return {one for one in behind if self._announced.get((one.service, one.name), 0) < number}

    async def _wait_for(self, behind: set[Registration], number: int) -> None:
        """Wait until all of these have announced the number, but read the registries again before long."""
        try:
            async with asyncio.timeout(REREAD_S), self._news:
                await self._news.wait_for(lambda: bool(behind) and not self._still_behind(behind, number))
        except TimeoutError:
            pass

    async def _strike(self, registrations: Iterable[Registration]) -> None:
        """Strike those that have not changed since this process first read them, REGISTRATION ago."""
        now = boot_clock()
        for one in registrations if self._strikes else ():
            if now - self._seen_since.get(one, now) >= REGISTRATION_S and await self._remove(one.service, one.member):
                self.struck += 1
                self._struck.append(one)
                log.warning("silent replica struck", service=one.service, replica=one.name)

    async def _remove(self, service: str, member: bytes) -> bool:
        """Take a member out of a registry; a replica that has registered again since stands there as another one."""
        call: Callable[[], Any] = partial(self._redis.zrem, names.registry(service), member)  # Any: the client's unions
        return bool(await self._persist(call))

    async def _clear_overgrown(self) -> None:
        """Empty a registry of more than anybody needs: its mark goes with it, so no absence in it is believed."""
        keys = [names.registry(service) for service in names.SERVICES]
        overgrown = [key for key in keys if await self._is_overgrown(key)]
        if overgrown:
            log.warning("oversized registry emptied", registries=overgrown)
            await self._redis.unlink(*overgrown)

    async def _is_overgrown(self, key: str) -> bool:
        if await self._redis.zcard(key) > MOST:
            return True
        return (await self._redis.memory_usage(key, samples=0) or 0) > MOST_BYTES

    async def _read(self) -> Registered:
        """Read the registries once, later than this call; calls that come meanwhile share the next read."""
        if self._next_read is None:
            self._next_read = asyncio.create_task(self._read_next())
            self._reading.add(self._next_read)
            self._next_read.add_done_callback(self._reading.discard)
        return await asyncio.shield(self._next_read)

    async def _read_next(self) -> Registered:
        async with self._wire_lock:
            await asyncio.sleep(0)  # those who came in the same turn of the loop ride along
            self._next_read = None
            stream = self._guard.reader.stream
            services: Sequence[str] = names.SERVICES if boot_clock() >= self._unreadable_until else ()
            try:
                replies = await self._send(self._commands(stream, services), REGISTRIES_S if services else READ_S)
            except REDIS_ERRORS as error:  # is a registry more than can be read?
                if not services:
                    raise
                log.warning("the registries cannot be read", error=repr(error))
                self._unreadable_until = boot_clock() + UNREADABLE_S
                services = ()
                replies = await self._send(self._commands(stream, services), READ_S)
        if self._copies and replies[-1] < self._copies:
            raise ConnectionError(f"{replies[-1]} of {self._copies} copies follow this Redis")
        executed = replies[-3] if self._copies else replies[-1]
        raise_first([*executed[:3]])
        return await self._understand(executed, stream, services)

    async def _send(self, commands: list[Command], timeout_s: float) -> list[Any]:  # Any: replies of Redis
        try:
            if self._wire is None:
                self._wire = await Wire.open(self._redis_url, name="daypass-registry")
            replies = await self._wire.send(commands, timeout_s=timeout_s)
            raise_first(replies)
        except BaseException:
            await self._drop_wire()
            raise
        return replies

    def _commands(self, stream: str, services: Sequence[str]) -> list[Command]:
        self._reads += 1
        # A copy that acknowledges what was written after the reading was still a copy when it was read.
        reader = self._guard.reader
        follow: list[Command] = [
            ("SET", names.probe(reader.service), f"{reader.name}:{self._reads}"),
            ("WAIT", self._copies, int(READ_S * 500)),
        ]
        keys = [names.registry(service) for service in services]
        return [
            ("MULTI",),
            ("INFO", "server"),
            ("INFO", "replication"),
            ("HMGET", names.IDENTITY, "id", "stream", *names.SERVICES),
            ("XINFO", "STREAM", stream),
            *(("ZRANGE", key, 0, MOST) for key in keys),
            ("EXEC",),
            *(follow if self._copies else ()),
        ]

    async def _understand(self, executed: list[Any], stream: str, services: Sequence[str]) -> Registered:
        server, replication, (id_, suffix, *marks), end, *registries = executed
        redis = (field_of(server, b"run_id:"), field_of(replication, b"master_replid:"), id_ or b"", suffix or b"")
        is_trusted = await self._trust.see((*redis, *(mark or b"" for mark in marks)))
        registrations, are_whole = [], []
        for service, mark, reply in zip(services, marks, registries, strict=bool(services)):
            members = reply if isinstance(reply, list) else []
            known = names.MARK.encode() + mark if mark else b""
            are_whole.append(len(members) <= MOST and known in members)
            read = [(member, parse_registration(service, member)) for member in members]
            registrations += [one for _, one in read if one is not None]
            if junk := [member for member, one in read if one is None and member != known]:
                await self._pass_over(service, junk)
        self._remember(registrations)
        is_of_stream = stream == names.stream("feed", (suffix or b"").decode(errors="replace"))
        return Registered(
            redis=() if b"" in redis else redis,
            last=tail_of(end) if is_of_stream else 0,
            registrations=registrations,
            is_whole=is_trusted and len(are_whole) == len(names.SERVICES) and all(are_whole),
        )

    async def _pass_over(self, service: str, junk: list[bytes]) -> None:
        """Take junk out of a registry; where it is too much to be named, empty the registry instead."""
        self._passed_over.note("registration", service=service, members=len(junk))
        if not self._strikes:
            return
        if sum(map(len, junk)) > MOST_BYTES:
            await self._redis.unlink(names.registry(service))
        else:
            await self._redis.zrem(names.registry(service), *junk)

    def _remember(self, registrations: Sequence[Registration]) -> None:
        now = boot_clock()
        self._seen_since = {one: self._seen_since.get(one, now) for one in registrations}
        known = {(one.service, one.name) for one in registrations}
        self._announced = {replica: at for replica, at in self._announced.items() if replica in known}

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
                heed_cancellation()
                started = boot_clock()
                for _ in range(BURST):
                    await self._take_in(await wire.receive())
                # however much a service announces, there is time for something else
                await asyncio.sleep(BURST_S - (boot_clock() - started))
        finally:
            await wire.close()

    async def _take_in(self, message: Any) -> None:  # Any: a reply of Redis
        if isinstance(message, Exception):
            raise message
        if message[0] != b"message":
            return
        service = message[1].decode().removeprefix(names.announcements(""))
        announcement = parse_announcement(message[2])
        if announcement is None:
            self._passed_over.note("announcement", service=service, length=len(message[2]))
            return
        name, position = announcement
        known = self._announced.get((service, name))
        if position > (known or 0) and (known is not None or len(self._announced) < MOST):
            self._announced[service, name] = position
            async with self._news:
                self._news.notify_all()


def _late(pending: Pending, acked: int, fenced: int) -> Answered:
    moment = now()
    return Answered(pending.ticket, moment, acked, fenced, (moment - pending.committed_at) / timedelta(milliseconds=1))
