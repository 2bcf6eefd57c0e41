"""News over Redis at its simplest: from a bare XADD in one process to a blocking XREAD in another."""

import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any, Self

from redis.asyncio import Redis

from shared.kernel.loops import running
from shared.messaging.wire import Wire, open_client
from tests.bench.server import serving

STREAM, WIRE_STREAM, TIMES = "bench:hop", "bench:hop:wire", "bench:hop:seconds"


class Hop:
    """Measures one hop after another, each in milliseconds until the reading process had the entry."""

    def __init__(self, redis: Redis, wire: Wire) -> None:
        self._redis = redis
        self._wire = wire

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, redis_url: str) -> AsyncIterator[Self]:
        """Start the process that reads; the user of `redis_url` may do everything."""
        async with serving("tests.bench.hop", redis_url), _connected(redis_url) as (redis, wire):
            yield cls(redis, wire)

    async def by_client(self) -> float:
        """By the usual client library on both sides."""
        await self._redis.xadd(STREAM, {"sent": repr(time.perf_counter())})
        return await self._result()

    async def by_wire(self) -> float:
        """By packed commands on both sides, with next to nothing of a client library."""
        await self._wire.send([("XADD", WIRE_STREAM, "*", "sent", repr(time.perf_counter()))], timeout_s=5)
        return await self._result()

    async def _result(self) -> float:
        [(_, seconds)] = await self._wire.send([("BLPOP", TIMES, 5)], timeout_s=6)
        return float(seconds) * 1000


@contextlib.asynccontextmanager
async def servers(redis_url: str) -> AsyncIterator[dict[str, Any]]:
    """Read both streams, and say how long each entry took (`time.perf_counter` is the same in all processes)."""
    async with _connected(redis_url) as (redis, wire), running([_by_client(redis), _by_wire(wire, redis)]):
        yield {}


@contextlib.asynccontextmanager
async def _connected(redis_url: str) -> AsyncIterator[tuple[Redis, Wire]]:
    redis, wire = open_client(redis_url, name="bench-hop"), await Wire.open(redis_url, name="bench-hop")
    try:
        yield redis, wire
    finally:
        await wire.close()
        await redis.aclose()


async def _by_client(redis: Redis) -> None:
    at: bytes | str = "0"
    while True:
        reply = await redis.xread({STREAM: at}, block=1000)
        now = time.perf_counter()
        if reply:
            [[_, [(at, fields)]]] = reply
            await redis.rpush(TIMES, repr(now - float(fields[b"sent"])))


async def _by_wire(wire: Wire, redis: Redis) -> None:
    at: bytes | str = "0"
    while True:
        [reply] = await wire.send([("XREAD", "BLOCK", 1000, "STREAMS", WIRE_STREAM, at)], timeout_s=5)
        now = time.perf_counter()
        if reply:
            [[_, [(at, (_, sent))]]] = reply
            await redis.rpush(TIMES, repr(now - float(sent)))
