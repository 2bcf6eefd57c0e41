"""A replica that is far behind its feed catches up, and one that is busy with requests keeps its lease."""

import asyncio
import contextlib
import secrets
import time
import uuid

import msgspec
from aiohttp import ClientSession
from redis.asyncio import Redis

from services.embedded.valkey import ADMIN
from shared.contracts import subjects
from shared.contracts.events import PrincipalsChanged
from shared.guard.cache import Cache
from shared.guard.feed_reader import COUNT, FeedReader
from shared.kernel.ids import unique_id
from shared.kernel.loops import running
from shared.messaging import names
from shared.messaging.outbox import entry_bytes
from shared.messaging.wire import Wire, open_client
from tests.bench.authority import PROJECT
from tests.bench.load import Target, requests_per_second
from tests.bench.measures import Measure, at_least, figure, median_ratio
from tests.bench.replicas import CONSTANT, LEASE, Lease
from tests.bench.server import serving
from tests.parts import open_parts

ENTRIES = 100_000
ROUNDS = 5
LOAD_S = 8.0
CONNECTIONS = 64
IDLE_S = 0.01
"""Between two requests to the idle replica, each of which sees what is left of its lease."""

FULL = "bench:full"
"""A stream of `ENTRIES` entries."""


async def measure() -> list[Measure]:
    """Both."""
    return [await _catching_up(), await _lease_under_load()]


async def _catching_up() -> Measure:
    async with contextlib.AsyncExitStack() as stack:
        parts = await stack.enter_async_context(open_parts())
        url = (await stack.enter_async_context(parts.valkey())).url(ADMIN)
        redis = open_client(url, name="bench")
        stack.push_async_callback(redis.aclose)
        await _fill(redis)
        found = [[await _apply(redis, url), await _read(url)] for _ in range(ROUNDS)]
    each = ", ".join(f"{row[0]:.2f}/{row[1]:.2f}" for row in found)
    detail = f"{ENTRIES} entries, XREAD by {COUNT}, median of {ROUNDS} rounds ({each} s)"
    return figure(name="feed entries applied, over a bare XREAD loop", value=median_ratio(found), detail=detail)


async def _fill(redis: Redis) -> None:
    for start in range(1, ENTRIES + 1, COUNT):
        async with redis.pipeline(transaction=False) as pipeline:
            for number in range(start, start + COUNT):
                event = PrincipalsChanged(subjects=(subjects.session(PROJECT, unique_id()),), reason="session.deleted")
                pipeline.xadd(FULL, {"id": uuid.uuid4().bytes, "entry": entry_bytes(event)}, id=f"{number}-0")
            await pipeline.execute()


async def _apply(redis: Redis, url: str) -> float:
    """Let a reader find an empty stream, stop it, fill the stream; return the seconds until it has all of it."""
    suffix = secrets.token_hex(4)
    await redis.hset(names.IDENTITY, mapping={"id": secrets.token_hex(16), "stream": suffix})
    cache = Cache()
    reader = FeedReader(cache=cache, service="data", redis_url=url)
    async with running([reader.run()]):
        await reader.until_leased(10)
    await redis.copy(FULL, reader.stream)
    started = time.perf_counter()
    async with running([reader.run()]):
        await reader.until_leased(60)
        elapsed = time.perf_counter() - started
        assert (cache.position, cache.floor) == (ENTRIES, 0), "each entry was applied, none skipped"
    await redis.delete(reader.stream)
    return elapsed


async def _read(url: str) -> float:
    wire = await Wire.open(url, name="bench")
    started = time.perf_counter()
    at: bytes | str = "0"
    while (reply := (await wire.send([("XREAD", "COUNT", COUNT, "STREAMS", FULL, at)], timeout_s=10))[0]) is not None:
        [[_, entries]] = reply
        at = entries[-1][0]
    elapsed = time.perf_counter() - started
    await wire.close()
    assert at == f"{ENTRIES}-0".encode(), at
    return elapsed


async def _lease_under_load() -> Measure:
    async with (
        serving("tests.bench.authority") as world,
        serving("tests.bench.replicas", world["redis"]) as busy,
        serving("tests.bench.replicas", world["redis"]) as idle,
        ClientSession(headers={"X-Appwrite-Project": PROJECT, "X-Appwrite-JWT": world["jwt"]}) as http,
    ):
        target = Target.get(busy["ports"][0], CONSTANT, dict(http.headers))
        async with running([_ask_now_and_then(http, idle["ports"][0])]):
            rate = await requests_per_second(target, connections=CONNECTIONS, seconds=LOAD_S)
        under_load, without = [await _least_lease(http, replica["ports"][0]) for replica in (busy, idle)]
    load = f"{rate:.0f} requests per s over {CONNECTIONS} connections for {LOAD_S:.0f} s"
    detail = f"the least that any request found, {under_load:.3f} of a whole lease over {without:.3f}, {load}"
    return at_least(
        0.5, name="lease left under full load, over an idle replica", value=under_load / without, detail=detail
    )


async def _ask_now_and_then(http: ClientSession, port: int) -> None:
    while True:
        async with http.get(f"http://127.0.0.1:{port}{CONSTANT}") as answer:
            assert answer.status == 200, await answer.text()
        await asyncio.sleep(IDLE_S)


async def _least_lease(http: ClientSession, port: int) -> float:
    async with http.get(f"http://127.0.0.1:{port}{LEASE}") as answer:
        return msgspec.json.decode(await answer.read(), type=Lease).least
