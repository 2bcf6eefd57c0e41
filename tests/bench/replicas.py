"""Replicas of data in a process of their own: each has a guard, and behind it a handler that answers a constant."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import msgspec

from shared.guard.feed_reader import LEASE_S
from shared.guard.guard import Guard
from shared.guard.resolver import BusResolver
from shared.kernel.loops import running
from shared.messaging.bus import Bus
from shared.messaging.wire import open_client
from shared.process.app import WebApp
from shared.web.endpoint import Call, Caller, Routes

CONSTANT = "/v1/bench/constant"
LEASE = "/v1/bench/lease"


@dataclass
class Replica:
    """A guard, and the least that was left of its lease when a request came in, in seconds."""

    guard: Guard
    least_left_s: float = LEASE_S


class Lease(msgspec.Struct):
    """The least that was left of the lease, as a share of a whole one."""

    least: float


routes = Routes[Replica]("bench")


@routes.endpoint("GET", CONSTANT, name="bench.constant", callers=Caller.USER, scopes=("account",))
async def constant(call: Call[Replica]) -> bytes:
    """Answer a user."""
    replica = call.deps
    replica.least_left_s = min(replica.least_left_s, replica.guard.cache.lease_left_s)
    return b"{}"


@routes.endpoint("GET", LEASE, name="bench.lease", callers=Caller.PUBLIC)
async def lease(call: Call[Replica]) -> Lease:
    """Tell how much was left of the lease."""
    return Lease(call.deps.least_left_s / LEASE_S)


@contextlib.asynccontextmanager
async def servers(redis_url: str, count: str = "1") -> AsyncIterator[dict[str, Any]]:
    """As many replicas as are asked for, registered and with a lease."""
    async with contextlib.AsyncExitStack() as stack:
        yield {"ports": [await _open(stack, redis_url) for _ in range(int(count))]}


async def _open(stack: contextlib.AsyncExitStack, redis_url: str) -> int:
    redis = open_client(redis_url, name="bench-replica")
    stack.push_async_callback(redis.aclose)
    bus = Bus(redis=redis, service="data")
    stack.push_async_callback(bus.close)
    guard = Guard(service="data", redis_url=redis_url, resolver=BusResolver(bus))
    await stack.enter_async_context(running([guard.run()]))
    await guard.reader.until_leased(20)
    app = WebApp([(routes, Replica(guard))], guard=guard)
    port = await app.start(("127.0.0.1", 0))
    stack.push_async_callback(app.stop)
    return port
