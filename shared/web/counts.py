"""Where calls are counted: in the memory of the process, or in a Redis of its own for all replicas.

Never in the Redis that carries the feed: strangers can make as many counts as they like, and what is full there refuses
revocations. Either place has an end, and forgets the counts that it needs least.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from shared.kernel.settings import Secret

KEY_PREFIX = "limits"
TIMEOUT_S = 1.0
MAX_CONNECTIONS = 32
MOST_COUNTS = 100_000

Clock = Callable[[], float]


class Counts(Protocol):
    """Numbers by key, each of which ends by itself."""

    def now(self) -> float:
        """Return the Unix time by which windows begin and end."""

    async def add(self, key: str, amount: int, *, lifetime_s: int) -> int:
        """Add to a count and return it; one that begins lives for `lifetime_s`. Raises one of `REDIS_ERRORS`."""

    async def clear(self, key: str) -> None:
        """Forget a count; raises one of `REDIS_ERRORS`."""

    async def close(self) -> None:
        """Close what was opened."""


class MemoryCounts:
    """Counts of this process alone, at most `most`: beyond that the one that was touched longest ago goes.

    A count lives by a `steady` clock, which cannot be set.
    """

    def __init__(self, most: int = MOST_COUNTS, *, wall: Clock = time.time, steady: Clock = time.monotonic) -> None:
        self._most = most
        self._wall = wall
        self._steady = steady
        self._counts: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._counts)

    def now(self) -> float:
        """Return the Unix time."""
        return self._wall()

    async def add(self, key: str, amount: int, *, lifetime_s: int) -> int:
        """Add to a count and return it."""
        now = self._steady()
        count, ends_at = self._counts.pop(key, (0, 0.0))
        if ends_at <= now:
            count, ends_at = 0, now + lifetime_s
        self._counts[key] = (count + amount, ends_at)
        if len(self._counts) > self._most:
            self._counts.popitem(last=False)
        return count + amount

    async def clear(self, key: str) -> None:
        """Forget a count."""
        self._counts.pop(key, None)

    async def close(self) -> None:
        """There is nothing to close."""


class RedisCounts:
    """Counts of all replicas of a service, by plain commands: no right to run scripts is needed."""

    def __init__(self, url: str, *, service: str, wall: Clock = time.time) -> None:
        self._wall = wall
        self._prefix = f"{KEY_PREFIX}:{service}:"
        self._redis = Redis.from_pool(
            BlockingConnectionPool.from_url(
                url,
                max_connections=MAX_CONNECTIONS,
                timeout=TIMEOUT_S,
                socket_timeout=TIMEOUT_S,
                socket_connect_timeout=TIMEOUT_S,
                retry=Retry(NoBackoff(), 0),
                protocol=2,
                driver_info=None,
            )
        )

    def now(self) -> float:
        """Return the Unix time."""
        return self._wall()

    async def add(self, key: str, amount: int, *, lifetime_s: int) -> int:
        """Add to a count and return it."""
        name = self._prefix + key
        async with self._redis.pipeline() as pipeline:
            pipeline.incrby(name, amount)
            pipeline.expire(name, lifetime_s, nx=True)
            count: int = (await pipeline.execute())[0]
        return count

    async def clear(self, key: str) -> None:
        """Forget a count."""
        await self._redis.delete(self._prefix + key)

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()


def open_counts(url: Secret, *, service: str) -> Counts:
    """Return the counts that a setting means; without a URL, those of the process."""
    return RedisCounts(url.reveal(), service=service) if url else MemoryCounts()
