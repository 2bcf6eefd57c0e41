"""A warm request, with what it asks for in memory: our guard against what others do at each request.

All stand in one process, before the same handler that answers a constant; who is asked over a network is another.
"""

import contextlib
import json
import statistics
from collections.abc import AsyncIterator
from typing import Any

import jwt
from aiohttp import ClientSession

from shared.contracts.principal import Kind
from shared.guard.guard import Guard
from shared.guard.resolver import BusResolver
from shared.kernel.loops import running
from shared.messaging.bus import Bus
from shared.messaging.wire import open_client
from shared.process.app import WebApp
from tests.bench.authority import PROJECT
from tests.bench.guards import DecodingGuard, DenylistGuard, IntrospectingGuard, KnownGuard, introspection
from tests.bench.load import Target, rounds
from tests.bench.measures import Measure, at_least, figure, median_ratio
from tests.bench.replicas import CONSTANT, Replica, routes
from tests.bench.server import serving

ROUNDS = 15
ROUND_S = 0.5


@contextlib.asynccontextmanager
async def servers(text: str) -> AsyncIterator[dict[str, Any]]:
    """The port of the same handler behind each guard; `text` is what the authority printed."""
    world = json.loads(text)
    async with contextlib.AsyncExitStack() as stack:
        redis = open_client(world["redis"], name="bench-warm")
        denied = open_client(world["admin"], name="bench-warm")
        for client in (redis, denied):
            stack.push_async_callback(client.aclose)
        bus = Bus(redis=redis, service="data")
        stack.push_async_callback(bus.close)
        guard = Guard(service="data", redis_url=world["redis"], resolver=BusResolver(bus))
        await stack.enter_async_context(running([guard.run()]))
        await guard.reader.until_leased(20)
        headers = {"X-Appwrite-Project": PROJECT, "X-Appwrite-Key": world["key"]}
        http = ClientSession(f"http://127.0.0.1:{world['port']}", headers=headers)
        await stack.enter_async_context(http)
        async with http.get("/v1/.well-known/jwks.json") as answer:
            key = jwt.PyJWK((await answer.json())["keys"][0])
        issuer = jwt.decode(world["jwt"], options={"verify_signature": False})["iss"]
        principal = await guard.jwt(PROJECT, world["jwt"])
        assert principal is not None
        assert principal.kind is Kind.JWT
        guards = {
            "ours": guard,
            "none": KnownGuard(principal),
            "decode": DecodingGuard(principal, key, issuer),
            "denylist": DenylistGuard(principal, key, issuer, denied),
            "introspection": IntrospectingGuard(principal, introspection(http)),
        }
        yield {name: await _serve(stack, one, guard) for name, one in guards.items()}


async def _serve(stack: contextlib.AsyncExitStack, guard: Guard, leased: Guard) -> int:
    app = WebApp([(routes, Replica(leased))], guard=guard)
    port = await app.start(("127.0.0.1", 0))
    stack.push_async_callback(app.stop)
    return port


async def measure() -> list[Measure]:
    """Requests per second with each guard, by turns."""
    async with (
        serving("tests.bench.authority") as world,
        serving("tests.bench.warm", json.dumps(world)) as ports,
    ):
        headers = {"X-Appwrite-Project": PROJECT, "X-Appwrite-JWT": world["jwt"]}
        targets = [Target.get(port, CONSTANT, headers) for port in ports.values()]
        found = await rounds(targets, count=ROUNDS, seconds=ROUND_S)
    places = {name: place for place, name in enumerate(ports)}
    rates = [statistics.median(column) for column in zip(*found, strict=True)]
    detail = "; ".join(f"{name} {rate:.0f}" for name, rate in zip(places, rates, strict=True))

    def over(name: str) -> float:
        return median_ratio(found, places["ours"], places[name])

    return [
        at_least(
            3.5,
            name="warm request over introspection per request",
            value=over("introspection"),
            detail=f"median of {ROUNDS} rounds; per s: {detail}",
        ),
        at_least(
            2.5,
            name="warm request over a denylist in Redis per request",
            value=over("denylist"),
            detail="PyJWT, then a GET",
        ),
        figure(name="warm request over PyJWT per request", value=over("decode"), detail="which sees no revocation"),
        figure(name="warm request over no authentication", value=over("none"), detail="the project is known, too"),
    ]
