"""The lanes of the bus: what waits at a barrier for the command line is in nobody's way."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from services.embedded.valkey import Valkey
from shared.contracts.administration import UpdateProject
from shared.contracts.requests import ADMIN
from shared.messaging import names
from shared.messaging.bus import CONCURRENCY
from tests.eventually import eventually
from tests.integration.auth.conftest import PROJECT, World, open_world
from tests.parts import Database


@pytest.fixture
async def fresh(database: Database, valkey: Valkey) -> AsyncIterator[World]:
    async with open_world(database, valkey, rate_limits=False) as world:
        yield world


async def test_requests_that_wait_at_a_barrier_keep_no_sign_in_waiting(fresh: World, redis: Redis) -> None:
    user = await fresh.sign_up()
    stream = names.requests("auth", ADMIN, "cli")

    async def at_work() -> int:
        return int((await redis.xpending(stream, "auth"))["pending"])

    async def made_jwt() -> int:
        return (await fresh.key.call("POST", f"/users/{user}/jwts")).status

    await redis.zadd(names.registry("data"), {"silent:0:0": 0})
    asked = [
        asyncio.create_task(fresh.bus.ask(UpdateProject(id=PROJECT, name=f"name {place}"), timeout_s=30))
        for place in range(CONCURRENCY + 1)
    ]
    await eventually(at_work, CONCURRENCY)

    await eventually(made_jwt, 201)  # 503 while the changes of the project follow each other
    assert not any(task.done() for task in asked)
    assert all(answer.receipt.startswith("n=") for answer in await asyncio.gather(*asked))
