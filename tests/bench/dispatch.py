"""Dispatch costs the same with 10 routes as with 500."""

import contextlib
from collections.abc import AsyncIterator

import msgspec

from shared.process.app import WebApp
from shared.web.endpoint import Call, Caller, Routes
from shared.web.parameters import Id
from tests.bench.load import Target, rounds
from tests.bench.measures import Measure, at_least, median_ratio
from tests.bench.server import serving

FEW, MANY = 10, 500


class Path(msgspec.Struct):
    first: Id
    second: Id


def routes_of(number: int) -> Routes[None]:
    """All below one prefix, which is what slows a router down that tries one route after another."""
    routes = Routes[None]("bench")
    for index in range(number):

        @routes.endpoint(
            "GET", f"/v1/noun/{{first}}/verb{index}/{{second}}", name=f"bench.{index}", callers=Caller.PUBLIC
        )
        async def handler(_: Call[None], __: Path) -> bytes:
            return b"{}"

    return routes


@contextlib.asynccontextmanager
async def servers() -> AsyncIterator[dict[str, int]]:
    """One application with few routes, one with many."""
    async with contextlib.AsyncExitStack() as stack:
        ports = {}
        for number in (FEW, MANY):
            # no endpoint here asks who calls, so no guard is ever asked
            app = WebApp([(routes_of(number), None)], guard=None)  # type: ignore[arg-type]
            ports[str(number)] = await app.start(("127.0.0.1", 0))
            stack.push_async_callback(app.stop)
        yield ports


async def measure() -> list[Measure]:
    """Requests per second for the last of 500 routes, against the last of 10."""
    async with serving("tests.bench.dispatch") as ports:
        targets = [Target.get(ports[str(number)], f"/v1/noun/one/verb{number - 1}/two") for number in (MANY, FEW)]
        found = await rounds(targets)
    rates = ", ".join(f"{row[0]:.0f}/{row[1]:.0f}" for row in found)
    detail = f"the last of {MANY} routes against the last of {FEW}, median of {len(found)} rounds ({rates} per s)"
    return [at_least(0.95, name="dispatch, 500 routes over 10", value=median_ratio(found), detail=detail)]
