"""Registrations: every process for which a revocation waits, as the registries say; and the removal of silent ones.

Each service registers in a set of its own, which only the service vouches for: what cannot be read there is no
registration. A replica that has kept the same registration for REGISTRATION holds no lease any more: it is struck, by
deleting just that registration.
"""

import asyncio
import re
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

import structlog
from redis.asyncio import Redis

from shared.guard.feed_reader import REGISTRATION_S, FeedReader
from shared.guard.timing import BARRIER_TIMING, BarrierTiming
from shared.guard.trust import Identity, Trust
from shared.kernel.clock import boot_clock
from shared.messaging import names
from shared.messaging.passed_over import PassedOver
from shared.messaging.reading import field_of, raise_first, tail_of
from shared.messaging.wire import REDIS_ERRORS, Command, Wire, heed_cancellation, persist

log = structlog.get_logger()

LIST_S = 2.0
MOST = 1000
"""A registry with more members than this is not read whole, and what is not there is not believed to be missing."""

MOST_BYTES = 1_000_000

_MEMBER = re.compile(rb"([0-9a-z-]{1,64}):([0-9]{1,18}):[0-9]{1,18}")


class Replica(NamedTuple):
    """A replica, as it is known to others."""

    service: str
    name: str


class Registration(NamedTuple):
    """What a replica said of itself: as a member of its service's registry, `name:position:round`.

    The round makes each member another than those before: so deleting one is deleting it only if it still stands.
    """

    service: str
    name: str
    position: int
    member: bytes

    @property
    def replica(self) -> Replica:
        """Return whose it is."""
        return Replica(self.service, self.name)


class Registered(NamedTuple):
    """What is read of all registries at one moment.

    `redis` says which Redis that was and whose streams it holds, and is empty where it has no name yet. `last` is
    the number of the stream's last entry. `is_whole`: a replica that is not among the registrations is not registered.
    """

    redis: Identity
    last: int
    registrations: Sequence[Registration]
    is_whole: bool

    def replicas_before(self, number: int) -> set[Registration]:
        """Return the replicas that had not applied `number` when they registered."""
        return {one for one in self.registrations if one.position < number}


class Members(NamedTuple):
    """The members of a registry, sorted into registrations and junk."""

    registrations: list[Registration]
    others: list[bytes]

    @classmethod
    def of(cls, service: str, members: Iterable[bytes]) -> "Members":
        """Read the members of a service's registry."""
        read = [(member, parse_registration(service, member)) for member in members]
        return cls([one for _, one in read if one is not None], [member for member, one in read if one is None])


class _Replies(NamedTuple):
    """What Redis replied: to the transaction that reads, and how many copies acknowledged what was written after it."""

    executed: list[Any]  # Any: replies of Redis
    followers: int | None


class _Moment(NamedTuple):
    """What the transaction read: the parts of Redis's identity, the stream's end, and each requested registry.

    Any: a reply of Redis, which may be an error.
    """

    server: bytes
    replication: bytes
    identity: list[bytes | None]
    end: Any
    registries: list[Any]


class Primary(NamedTuple):
    """The Redis that holds the registries: a client of it, its URL for a connection of one's own, and its copies.

    `copies` is the number of promotable ones: what is read of the registries counts only if all of them still followed
    this Redis after it was read.
    """

    client: Redis
    url: str
    copies: int = 0


class Registry:
    """The registries of all services, as one process reads and clears them.

    `removes`: this process may remove registrations. `on_read` is called with the replicas of each reading.
    """

    def __init__(
        self,
        *,
        primary: Primary,
        reader: FeedReader,
        trust: Trust | None = None,
        removes: bool = True,
        timing: BarrierTiming = BARRIER_TIMING,
        on_read: Callable[[set[Replica]], None] = lambda _: None,
    ) -> None:
        self._redis = primary.client
        self._redis_url = primary.url
        self._copies = primary.copies
        self._reader = reader
        self._trust = Trust() if trust is None else trust
        self._removes = removes
        self._timing = timing
        self._on_read = on_read
        self._seen_since: dict[Registration, float] = {}
        self._passed_over = PassedOver()
        self._next_read: asyncio.Task[Registered] | None = None
        self._reading: set[asyncio.Task[Registered]] = set()
        self._wire: Wire | None = None
        self._wire_lock = asyncio.Lock()
        self._reads = 0
        self._unreadable_until = 0.0
        self._removed: deque[Registration] = deque(maxlen=MOST)
        self.removed = 0
        """How many silent replicas this process has struck."""

    async def watch(self) -> None:
        """Keep an eye on which Redis this is, and strike silent replicas, until cancelled."""
        while True:
            heed_cancellation()
            if self._removes:
                await self._clear_overgrown()
            await self.strike((await self.read()).registrations)
            await asyncio.sleep(self._timing.watch_s)

    async def close(self) -> None:
        """End readings that are under way, and close the connection."""
        for reading in self._reading:
            reading.cancel()
        await asyncio.gather(*self._reading, return_exceptions=True)
        await self._drop_wire()

    async def read(self) -> Registered:
        """Read the registries once, later than this call; calls that come meanwhile share the next read."""
        if self._next_read is None:
            self._next_read = asyncio.create_task(self._read_next())
            self._reading.add(self._next_read)
            self._next_read.add_done_callback(self._reading.discard)
        return await asyncio.shield(self._next_read)

    async def strike(self, registrations: Iterable[Registration]) -> None:
        """Remove those that have not changed since this process first read them, REGISTRATION ago."""
        now = boot_clock()
        for one in registrations if self._removes else ():
            if now - self._seen_since.get(one, now) >= REGISTRATION_S and await self._remove(one.service, one.member):
                self.removed += 1
                self._removed.append(one)
                log.warning("silent replica struck", service=one.service, replica=one.name)

    def removed_of(self, registrations: set[Registration]) -> set[Registration]:
        """Return those of these that this process has removed lately."""
        return registrations.intersection(self._removed)

    async def _remove(self, service: str, member: bytes) -> bool:
        """Take a member out of a registry; a replica that has registered again since stands there as another one."""
        call: Callable[[], Any] = partial(self._redis.zrem, names.registry(service), member)  # Any: the client's unions
        return bool(await persist(call, retry_s=self._timing.retry_s))

    async def _clear_overgrown(self) -> None:
        """Empty a registry larger than any service needs: its mark goes with it, so no absence in it is believed."""
        keys = [names.registry(service) for service in names.SERVICES]
        overgrown = [key for key in keys if await self._is_overgrown(key)]
        if overgrown:
            log.warning("oversized registry emptied", registries=overgrown)
            await self._redis.unlink(*overgrown)

    async def _is_overgrown(self, key: str) -> bool:
        if await self._redis.zcard(key) > MOST:
            return True
        return (await self._redis.memory_usage(key, samples=0) or 0) > MOST_BYTES

    async def _read_next(self) -> Registered:
        timing = self._timing
        async with self._wire_lock:
            await asyncio.sleep(0)  # those who came in the same turn of the loop ride along
            self._next_read = None
            stream = self._reader.stream
            services: Sequence[str] = names.SERVICES if boot_clock() >= self._unreadable_until else ()
            try:
                replies = await self._send(stream, services, timing.registries_s if services else timing.read_s)
            except REDIS_ERRORS as error:  # is a registry more than can be read?
                if not services:
                    raise
                log.warning("the registries cannot be read", error=repr(error))
                self._unreadable_until = boot_clock() + timing.unreadable_s
                services = ()
                replies = await self._send(stream, services, timing.read_s)
        if replies.followers is not None and replies.followers < self._copies:
            raise ConnectionError(f"{replies.followers} of {self._copies} copies follow this Redis")
        server, replication, identity, end, *registries = replies.executed
        raise_first([server, replication, identity])
        return await self._understand(_Moment(server, replication, identity, end, registries), stream, services)

    async def _send(self, stream: str, services: Sequence[str], timeout_s: float) -> _Replies:
        try:
            if self._wire is None:
                self._wire = await Wire.open(self._redis_url, name="daypass-registry")
            replies = await self._wire.send(self._commands(stream, services), timeout_s=timeout_s)
            raise_first(replies)
        except BaseException:
            await self._drop_wire()
            raise
        if not self._copies:
            *_, executed = replies
            return _Replies(executed, None)
        *_, executed, _set, followers = replies
        return _Replies(executed, followers)

    def _commands(self, stream: str, services: Sequence[str]) -> list[Command]:
        self._reads += 1
        # A copy that acknowledges what was written after the reading was still a copy when it was read.
        reader = self._reader
        follow: list[Command] = [
            ("SET", names.probe(reader.service), f"{reader.name}:{self._reads}"),
            ("WAIT", self._copies, int(self._timing.read_s * 500)),
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

    async def _understand(self, moment: _Moment, stream: str, services: Sequence[str]) -> Registered:
        id_, suffix, *marks = moment.identity
        run_id, replica_id = field_of(moment.server, b"run_id:"), field_of(moment.replication, b"master_replid:")
        redis = (run_id, replica_id, id_ or b"", suffix or b"")
        is_trusted = await self._trust.see((*redis, *(mark or b"" for mark in marks)))
        registrations: list[Registration] = []
        are_whole = []
        for service, mark, reply in zip(services, marks, moment.registries, strict=bool(services)):
            members = reply if isinstance(reply, list) else []
            known = names.MARK.encode() + mark if mark else b""
            are_whole.append(len(members) <= MOST and known in members)
            read = Members.of(service, members)
            registrations += read.registrations
            if junk := [member for member in read.others if member != known]:
                await self._pass_over(service, junk)
        self._remember(registrations)
        is_of_stream = stream == names.stream("feed", (suffix or b"").decode(errors="replace"))
        return Registered(
            redis=() if b"" in redis else redis,
            last=tail_of(moment.end) if is_of_stream else 0,
            registrations=registrations,
            is_whole=is_trusted and len(are_whole) == len(names.SERVICES) and all(are_whole),
        )

    async def _pass_over(self, service: str, junk: list[bytes]) -> None:
        """Take junk out of a registry; where it is too much to be named, empty the registry instead."""
        self._passed_over.note("registration", service=service, members=len(junk))
        if not self._removes:
            return
        if sum(map(len, junk)) > MOST_BYTES:
            await self._redis.unlink(names.registry(service))
        else:
            await self._redis.zrem(names.registry(service), *junk)

    def _remember(self, registrations: Sequence[Registration]) -> None:
        now = boot_clock()
        self._seen_since = {one: self._seen_since.get(one, now) for one in registrations}
        self._on_read({one.replica for one in registrations})

    async def _drop_wire(self) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            await wire.close()


def parse_registration(service: str, member: bytes) -> Registration | None:
    """Read a member of a registry; None where it is malformed."""
    match = _MEMBER.fullmatch(member)
    return None if match is None else Registration(service, match[1].decode(), int(match[2]), member)


async def list_registrations(redis: Redis) -> list[Registration]:
    """Read at most `MOST` registrations of each service, for people to look at; raises one of `REDIS_ERRORS`."""
    registrations: list[Registration] = []
    async with asyncio.timeout(LIST_S):
        for service in names.SERVICES:
            members: Any = await redis.zrange(names.registry(service), 0, MOST - 1)  # Any: the client's
            registrations += Members.of(service, members).registrations
    return sorted(registrations)
