"""Consumer groups: each entry of a stream handled by one of a service's processes, at least once.

An entry is acknowledged after its handler returned. What a process took and did not finish, another claims once it has
lain idle; a process that is still at work keeps its entries young. After five deliveries an entry goes to the dead
letters of its service, which health and `daypass dead-letter list` show; in a group that retries for ever it is instead
delivered again after longer and longer pauses. An entry that cannot be read is a dead letter at once.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from shared.messaging import names
from shared.messaging.codec import MalformedMessage
from shared.messaging.reading import is_worn_out
from shared.messaging.wire import REDIS_ERRORS, forever

log = structlog.get_logger()

Handle = Callable[[dict[bytes, bytes], int], Awaitable[None]]
"""Called with an entry's fields and its age in milliseconds (of no meaning where the relay numbered the entry).

`MalformedMessage` makes the entry a dead letter; any other exception leaves it to be delivered again.
"""

DELIVERIES = 5
PENDING = 1_000
DEAD_LENGTH = 1_000
MOST_BYTES = 32 * 1024**2
"""The size of a stream whose entries are deleted once they are handled: it holds what waits, and no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupTiming:
    """How long a group waits: for entries, between looks at what lies idle, and until that is delivered again.

    The pause between two deliveries of an entry that is retried for ever doubles, up to `longest_pause_ms`.
    """

    block_ms: int = 1000
    claim_every_s: float = 1.0
    idle_ms: int = 2_000
    longest_pause_ms: int = 300_000
    retry_s: float = 0.2

    def pause_ms(self, deliveries: int) -> int:
        """Return how long an entry that is retried for ever rests after so many deliveries."""
        return int(min(self.longest_pause_ms, self.idle_ms * 2.0 ** min(deliveries - 1, 20)))


GROUP_TIMING = GroupTiming()


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRules:
    """How a group treats its entries: at most `concurrency` at a time in each process.

    `retries_for_ever`: no entry is abandoned because its handler fails. `deletes`: no other group reads the stream, so
    an entry that has been handled is deleted.
    """

    concurrency: int
    retries_for_ever: bool = False
    deletes: bool = False


class Group:
    """One process's part in the group of a service on a stream."""

    def __init__(
        self,
        *,
        redis: Redis,
        stream: str,
        service: str,
        consumer: str,
        rules: GroupRules,
        timing: GroupTiming = GROUP_TIMING,
    ) -> None:
        self._redis = redis
        self._stream = stream
        self._name = service
        self._consumer = consumer
        self._slots = asyncio.Semaphore(rules.concurrency)
        self._rules = rules
        self._timing = timing
        self._at_work: dict[bytes, asyncio.Task[None]] = {}

    async def run(self, handle: Handle) -> None:
        """Take entries and handle them until cancelled; then what is at work is finished first."""
        try:
            async with asyncio.TaskGroup() as loops:
                for step in (self._take, self._claim):
                    one = partial(self._step, step, handle)
                    loops.create_task(forever(one, name="stream", retry_s=self._timing.retry_s, stream=self._stream))
        finally:
            await asyncio.gather(*self._at_work.values(), return_exceptions=True)
            await self._leave()

    async def _step(self, step: Callable[[Handle], Awaitable[None]], handle: Handle) -> None:
        try:
            await step(handle)
        except ResponseError as error:
            if not any(code in str(error) for code in ("NOGROUP", "UNBLOCKED")):
                raise
            await self._create()

    async def _create(self) -> None:
        try:
            await self._redis.xgroup_create(self._stream, self._name, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    async def _take(self, handle: Handle) -> None:
        await self._slots.acquire()
        self._slots.release()
        free = self._rules.concurrency - len(self._at_work)
        async with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.xreadgroup(
                self._name, self._consumer, {self._stream: ">"}, count=max(1, free), block=self._timing.block_ms
            )
            pipeline.time()
            reply, now = await pipeline.execute()
        for id_, fields in reply[0][1] if reply else ():
            await self._start(id_, fields, now, handle)

    async def _claim(self, handle: Handle) -> None:
        await asyncio.sleep(self._timing.claim_every_s)
        if self._rules.deletes:
            await self._keep_usable()
        if self._at_work:
            await self._redis.xclaim(
                self._stream, self._name, self._consumer, 0, list(self._at_work), idle=0, justid=True
            )
        idle: list[dict[str, Any]] = await self._redis.xpending_range(  # Any: as in `_claim_one`
            self._stream, self._name, min="-", max="+", count=PENDING, idle=self._timing.idle_ms
        )
        due = [entry for entry in idle if entry["time_since_delivered"] >= self._pause_ms(entry["times_delivered"])]
        now = await self._redis.time() if due else (0, 0)
        for entry in due[: self._rules.concurrency]:
            await self._claim_one(entry, now, handle)

    async def _keep_usable(self) -> None:
        """Delete the stream where its writers have made it too large to be read, or have used up its ids."""
        try:
            last: bytes = (await self._redis.xinfo_stream(self._stream))["last-generated-id"]
        except ResponseError:  # there is none
            return
        size = await self._redis.memory_usage(self._stream, samples=0) or 0
        if size > MOST_BYTES or is_worn_out(last):
            log.warning("a stream of no more use is deleted", stream=self._stream, bytes=size, last=last.decode())
            await self._redis.unlink(self._stream)

    def _pause_ms(self, deliveries: int) -> int:
        if not self._rules.retries_for_ever:
            return self._timing.idle_ms
        return self._timing.pause_ms(deliveries)

    async def _claim_one(self, entry: dict[str, Any], now: tuple[int, int], handle: Handle) -> None:
        # Any: what the client makes of XPENDING
        id_: bytes = entry["message_id"]
        if id_ in self._at_work:
            return
        claimed: Any = await self._redis.xclaim(self._stream, self._name, self._consumer, self._timing.idle_ms, [id_])
        for _, fields in claimed:
            if entry["times_delivered"] >= DELIVERIES and not self._rules.retries_for_ever:
                await self._bury(id_, fields)
            else:
                await self._start(id_, fields, now, handle)

    async def _start(self, id_: bytes, fields: dict[bytes, bytes], now: tuple[int, int], handle: Handle) -> None:
        await self._slots.acquire()
        written_ms = int(id_.split(b"-")[0])
        age_ms = max(0, now[0] * 1000 + now[1] // 1000 - written_ms)
        self._at_work[id_] = asyncio.create_task(self._work(id_, fields, age_ms, handle))

    async def _work(self, id_: bytes, fields: dict[bytes, bytes], age_ms: int, handle: Handle) -> None:
        started = time.monotonic()
        try:
            await self._handle(id_, fields, age_ms, handle)
        except Exception:  # the entry stays pending and is delivered again; the log has the cause
            log.exception("an entry failed", stream=self._stream, seconds=round(time.monotonic() - started, 3))
        finally:
            del self._at_work[id_]
            self._slots.release()

    async def _handle(self, id_: bytes, fields: dict[bytes, bytes], age_ms: int, handle: Handle) -> None:
        try:
            await handle(fields, age_ms)
        except MalformedMessage:
            await self._bury(id_, fields)
        else:
            await self._acknowledge(id_)

    async def _acknowledge(self, id_: bytes) -> None:
        async with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.xack(self._stream, self._name, id_)
            if self._rules.deletes:
                pipeline.xdel(self._stream, id_)
            await pipeline.execute()

    async def _bury(self, id_: bytes, fields: dict[bytes, bytes]) -> None:
        log.error("entry moved to the dead letters", stream=self._stream, entry=id_.decode())
        # Any: the client's types. What the entry held keeps its names, ours begin with an underscore.
        dead: dict[Any, Any] = {b"_stream": self._stream.encode(), b"_id": id_, **fields}
        letters = names.dead_letters(self._name)
        bury = partial(self._redis.xadd, letters, dead, maxlen=DEAD_LENGTH, approximate=True)
        try:
            await bury()
        except ResponseError as error:
            if not any(text in str(error) for text in ("exhausted the last possible ID", "equal or smaller")):
                raise
            log.warning("a stream of no more use is deleted", stream=letters)
            await self._redis.unlink(letters)
            await bury()
        await self._acknowledge(id_)

    async def _leave(self) -> None:
        try:
            pending = await self._redis.xpending_range(
                self._stream, self._name, min="-", max="+", count=1, consumername=self._consumer
            )
            if not pending:
                await self._redis.xgroup_delconsumer(self._stream, self._name, self._consumer)
        except REDIS_ERRORS as error:
            log.warning("consumer left behind", stream=self._stream, error=repr(error))
