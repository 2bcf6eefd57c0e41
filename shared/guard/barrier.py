"""The barrier: a revocation is in force everywhere before its caller gets an answer.

After an entry has been appended, every replica in every registry must have applied it, or be fenced. Replicas announce
how far they are; announcements are a hint and the registry, read again while waiting, is the record. A replica that
has kept the same registration for REGISTRATION holds no lease any more: it is struck, by compare and delete.
"""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from redis.asyncio import Redis

from shared.guard.feed_reader import REGISTRATION_S
from shared.guard.guard import Guard
from shared.guard.receipt import Receipt
from shared.guard.trust import Identity, Trust
from shared.kernel.clock import boot_clock
from shared.kernel.errors import ErrorType, Unavailable
from shared.messaging import names
from shared.messaging.wire import REDIS_ERRORS, Wire, heed_cancellation, pause

log = structlog.get_logger()

CONFIRM_S = 10.0
APPLIED_S = 0.1
REREAD_S = 0.1
RETRY_S = 0.2
WATCH_S = 0.5

Replica = tuple[str, str]
"""Its service, and the field by which it stands in that service's registry."""

# KEYS: a registry. ARGV: a replica, and the registration that was read. Deletes it only if it is still the same.
_STRIKE = """
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then return redis.call('HDEL', KEYS[1], ARGV[1]) end
return 0
"""


class Registered:
    """The registries at one moment: each replica's registration, the number of the stream's last entry, and trust."""

    def __init__(self, hashes: list[dict[bytes, bytes]], last: int, *, is_trusted: bool) -> None:
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
    """Waits, for one process, until what it wrote to the outbox is in force everywhere."""

    def __init__(
        self,
        *,
        guard: Guard,
        redis: Redis,
        redis_url: str,
        number_of: Callable[[uuid.UUID], Awaitable[int | None]],
        wake_relay: Callable[[], Awaitable[None]],
        trust: Trust | None = None,
    ) -> None:
        self._guard = guard
        self._redis = redis
        self._redis_url = redis_url
        self._number_of = number_of
        self._wake_relay = wake_relay
        self._trust = Trust() if trust is None else trust
        self._announced: dict[Replica, int] = {}
        self._news = asyncio.Condition()
        self._next_read: asyncio.Task[Registered] | None = None

    async def run(self) -> None:
        """Listen to announcements, and watch which Redis this is, until cancelled."""
        async with asyncio.TaskGroup() as loops:
            loops.create_task(self._forever(self._listen))
            loops.create_task(self._forever(self._watch))

    async def _forever(self, loop: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await loop()
            except REDIS_ERRORS as error:
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
        started = time.perf_counter()
        try:
            async with asyncio.timeout(CONFIRM_S):
                await self._wake_relay()
                number = await self._numbered(ticket)
                acked, fenced = await self._pass(number)
        except REDIS_ERRORS as error:
            raise Unavailable(
                "The change is made, but not yet confirmed everywhere. Repeat the call to wait for that.",
                type=ErrorType.REVOCATION_UNCONFIRMED,
            ) from error
        elapsed_ms = (time.perf_counter() - started) * 1000
        return Receipt(number=number, acked=acked, fenced=fenced, milliseconds=round(elapsed_ms, 1))

    async def _numbered(self, ticket: uuid.UUID) -> int:
        while True:
            number = await self._guard.applied(ticket, APPLIED_S)
            if number is None:
                number = await self._number_of(ticket)
            if number is not None:
                return number

    async def _pass(self, number: int) -> tuple[int, int]:
        since: dict[Replica, tuple[bytes, float]] = {}
        fenced = 0
        while True:
            found = await self._read()
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
                struck += int(await self._redis.eval(_STRIKE, 1, names.registry(replica[0]), replica[1], value))
                log.warning("a silent replica was struck", replica=replica[1])
        return struck

    async def _read(self) -> Registered:
        """Read the registries once, later than this call; calls that come meanwhile share the next read."""
        if self._next_read is None:
            self._next_read = asyncio.create_task(self._read_next())
        return await asyncio.shield(self._next_read)

    async def _read_next(self) -> Registered:
        await asyncio.sleep(0)  # those who came in the same turn of the loop ride along
        self._next_read = None
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.info("server")
            pipeline.info("replication")
            for service in names.SERVICES:
                pipeline.hgetall(names.registry(service))
            pipeline.xinfo_stream(self._guard.reader.stream)
            server, replication, *hashes, stream = await pipeline.execute(raise_on_error=False)
        for reply in (server, replication, *hashes):
            if isinstance(reply, Exception):
                raise reply
        last = 0 if isinstance(stream, Exception) else _number(stream["last-generated-id"])
        found = Registered(hashes, last, is_trusted=await self._trust.see(_identity(server, replication, hashes)))
        self._announced = {replica: at for replica, at in self._announced.items() if replica in found.registrations}
        return found

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


def _number(stream_id: bytes | str) -> int:
    text = stream_id.decode() if isinstance(stream_id, bytes) else stream_id
    return int(text.split("-")[0])


def _identity(server: dict[str, Any], replication: dict[str, Any], hashes: list[dict[bytes, bytes]]) -> Identity:
    # Any: the client's reading of INFO
    marks = [found.get(name, b"") for found in hashes for name in (b"token", b"stream")]
    return (str(server["run_id"]).encode(), str(replication["master_replid"]).encode(), *marks)
