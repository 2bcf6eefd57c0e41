"""Metrics over HTTP: they say what the protocol does."""

import contextlib
import itertools
from collections.abc import AsyncIterator, Callable, Coroutine

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families
from redis.asyncio import Redis

from shared.guard.feed_reader import LEASE_S
from shared.guard.metrics import open_registry
from shared.process.metrics import serving_metrics
from tests.eventually import eventually
from tests.integration.auth.conftest import PROJECT, World

Scrape = Callable[[], Coroutine[None, None, dict[str, float]]]


def samples(text: str) -> dict[str, float]:
    """The values by name; what has a label, by `name:label`."""
    found = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {":".join([one.name, *one.labels.values()]): one.value for one in found if one.name.startswith("daypass_")}


@contextlib.asynccontextmanager
async def scraping(world: World) -> AsyncIterator[Scrape]:
    registry = open_registry(world.guard, [one for service in world.services for one in service.revocations])
    async with serving_metrics(registry, "127.0.0.1", 0) as port, aiohttp.ClientSession() as http:

        async def scrape() -> dict[str, float]:
            async with http.get(f"http://127.0.0.1:{port}/metrics") as answer:
                assert answer.status == 200
                assert answer.headers["Content-Type"].startswith("text/plain")
                return samples(await answer.text())

        yield scrape


@pytest.fixture
async def scrape(world: World) -> AsyncIterator[Scrape]:
    await world.guard.reader.until_leased(20)
    async with scraping(world) as scrape:
        yield scrape


async def test_a_revocation_moves_position_and_histogram(world: World, scrape: Scrape) -> None:
    caller = await world.session(await world.sign_up("metrics@example.org"))
    before = await scrape()
    assert (await caller.call("DELETE", "/account/sessions/current")).status == 204
    after = await scrape()

    assert 0 < after["daypass_lease_seconds"] <= LEASE_S
    assert after["daypass_feed_position"] > before["daypass_feed_position"]
    assert after["daypass_barrier_seconds_count"] == before["daypass_barrier_seconds_count"] + 1
    assert after["daypass_barrier_seconds_sum"] > before["daypass_barrier_seconds_sum"]
    assert after["daypass_cache_marks"] > before["daypass_cache_marks"]
    assert after["daypass_barriers_pending"] == after["daypass_feed_lag_entries"] == after["daypass_lookups"] == 0
    await eventually(lambda: world.guard.reader.tail, world.guard.cache.position)


async def test_a_warm_caller_is_a_hit_a_new_one_a_miss_and_a_changed_one_stale(world: World, scrape: Scrape) -> None:
    user = await world.sign_up("warm@example.org")
    caller = await world.session(user)
    await world.guard.project(PROJECT)
    counts = []

    async def count() -> None:
        found = await scrape()
        counts.append([found[f"daypass_cache_{what}_total"] for what in ("hits", "misses", "stale")])

    await count()
    assert (await caller.call("GET", "/account")).status == 200
    await count()
    assert (await caller.call("GET", "/account")).status == 200
    await count()
    assert (await world.key.call("PUT", f"/users/{user}/labels", labels=["reader"])).status == 200
    assert (await caller.call("GET", "/account")).status == 200
    await count()

    new, warm, changed = ([b - a for a, b in zip(*pair, strict=True)] for pair in itertools.pairwise(counts))
    assert new == [1, 1, 0]  # the project is known, the caller is not
    assert warm == [2, 0, 0]
    assert changed[2] == 1


async def test_a_replica_without_a_lease_says_so(world: World, scrape: Scrape) -> None:
    before = await scrape()
    world.clock.ahead_s = LEASE_S
    fenced = await scrape()
    later = await scrape()
    world.clock.ahead_s = 0.0

    assert fenced["daypass_lease_seconds"] == 0
    assert before["daypass_fenced_seconds_total"] < fenced["daypass_fenced_seconds_total"]
    assert fenced["daypass_fenced_seconds_total"] < later["daypass_fenced_seconds_total"]


async def test_a_drop_of_the_whole_cache_is_counted_by_its_reason(limited: World, redis: Redis) -> None:
    async with scraping(limited) as scrape:
        assert "daypass_feed_drops_total:another Redis" not in await scrape()
        await redis.flushall()

        async def drops() -> float:
            return (await scrape()).get("daypass_feed_drops_total:another Redis", 0.0)

        await eventually(drops, 1.0)


async def test_nothing_else_is_served_there(world: World) -> None:
    registry = open_registry(world.guard, [])
    async with serving_metrics(registry, "127.0.0.1", 0) as port, aiohttp.ClientSession() as http:
        for method, path, status in (("GET", "/", 404), ("GET", "/v1/account", 404), ("POST", "/metrics", 405)):
            async with http.request(method, f"http://127.0.0.1:{port}{path}") as answer:
                assert answer.status == status
        async with http.get(f"http://127.0.0.1:{port}/metrics") as answer:
            assert "daypass_barrier_seconds" not in await answer.text()  # data revokes nothing
