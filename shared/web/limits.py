"""Rate limits: fixed windows that start at multiples of their length, counted in Redis for all replicas."""

import hashlib
import time
from collections.abc import Mapping

import msgspec
import structlog
from limits.aio.storage import RedisStorage
from redis.asyncio import BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from shared.kernel.errors import ErrorType, Refusal, Unavailable
from shared.web.call import Call
from shared.web.endpoint import Endpoint, RateLimit

KEY_PREFIX = "limits"
REDIS_TIMEOUT_S = 1.0
MAX_CONNECTIONS = 32

_log = structlog.get_logger()


class Window(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One count: its key in Redis, how many calls are left after this one, and when it ends in Unix seconds."""

    key: str
    remaining: int
    ends_at: int


class Limiter:
    """Counts calls."""

    def __init__(self, redis_url: str) -> None:
        self._pool = BlockingConnectionPool.from_url(
            redis_url,
            max_connections=MAX_CONNECTIONS,
            timeout=REDIS_TIMEOUT_S,
            socket_timeout=REDIS_TIMEOUT_S,
            socket_connect_timeout=REDIS_TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
        )
        # The library would read no URL of a Unix socket, nor one without a port; a pool it takes as it is.
        self._storage = RedisStorage(
            "async+redis://",
            implementation="redispy",
            key_prefix=KEY_PREFIX,
            connection_pool=self._pool,  # type: ignore[arg-type] # its hints forget the option that its docs name
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._pool.disconnect()

    async def count(self, endpoint: Endpoint, limit: RateLimit, call: Call[object], given: Mapping[str, object]) -> str:
        """Count a call and add the headers that say so; return the key of its window, empty where nobody can count.

        Raises `Refusal(GENERAL_RATE_LIMIT_EXCEEDED)`; and `Unavailable` where Redis is away and the limit is one that
        fails closed.
        """
        now = time.time()
        try:
            window = await self._hit(limit, _key(endpoint, limit, call, given), now)
        except (RedisError, OSError, TimeoutError) as error:
            _log.warning("calls cannot be counted", endpoint=endpoint.name, error=type(error).__name__)
            if limit.fail_closed:
                raise Unavailable("Calls cannot be counted at the moment.", type=ErrorType.GENERAL_BUSY) from error
            return ""
        call.add_header("X-RateLimit-Limit", str(limit.amount))
        call.add_header("X-RateLimit-Remaining", str(max(window.remaining, 0)))
        call.add_header("X-RateLimit-Reset", str(window.ends_at))
        if window.remaining < 0:
            raise Refusal(
                ErrorType.GENERAL_RATE_LIMIT_EXCEEDED,
                "Rate limit for the current endpoint has been exceeded. Please try again after some time.",
                retry_after_s=max(1, window.ends_at - int(now)),
            )
        return window.key

    async def reset(self, key: str) -> None:
        """Forget the count of a window; where Redis is away it ends by itself."""
        try:
            await self._storage.clear(key)
        except (RedisError, OSError, TimeoutError) as error:
            _log.warning("a count cannot be cleared", error=type(error).__name__)

    async def _hit(self, limit: RateLimit, key: str, now: float) -> Window:
        starts_at = int(now) // limit.window_s * limit.window_s
        key = f"{key}/{starts_at}"
        hits = await self._storage.incr(key, limit.window_s)
        return Window(key=key, remaining=limit.amount - hits, ends_at=starts_at + limit.window_s)


def _key(endpoint: Endpoint, limit: RateLimit, call: Call[object], given: Mapping[str, object]) -> str:
    parts = [call.project.id, endpoint.name]
    for dimension in limit.by:
        if dimension == "ip":
            parts.append(call.client.ip)
        elif dimension == "user":
            parts.append(call.principal.user)
        elif dimension not in {"url", "method"}:  # these two the endpoint's name stands for
            value = given.get(dimension)
            parts.append(value.lower() if isinstance(value, str) else "")
    # A digest: parameters may be long, and e-mail addresses have no business in Redis's keys.
    return f"{endpoint.name}:{hashlib.sha256(msgspec.json.encode(parts)).hexdigest()}"
