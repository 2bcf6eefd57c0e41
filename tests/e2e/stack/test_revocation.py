"""The promise in a deployment: replicas of data are paused, killed and cut off amid rounds through the gateway."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from tests.e2e.revocation.checker import checking
from tests.e2e.revocation.projects import Place
from tests.e2e.stack.stack import Stack

pytestmark = pytest.mark.topology("compose")


@dataclass(frozen=True)
class Gateway:
    """The one place that clients know."""

    url: str
    name: str = "gateway"


@dataclass
class Deployment:
    """A stack, as the checker sees it."""

    stack: Stack
    gateway: Gateway
    key: str
    http: aiohttp.ClientSession

    def running(self, service: str) -> Sequence[Place]:
        return [self.gateway]

    async def make_key(self, *scopes: str) -> tuple[str, str]:
        made = (await asyncio.to_thread(self.stack.make_key, *scopes))["key"]
        return made["id"], made["secret"]


@pytest.fixture
async def deployment(stack: Stack) -> AsyncIterator[Deployment]:
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()
    ) as http:
        yield Deployment(stack, Gateway(stack.instance.endpoint.removesuffix("/v1")), stack.instance.key, http)


def container(stack: Stack, name: str) -> Any:  # Any: Docker's client has no types
    return stack.containers[name].get_wrapped_container()


async def test_a_replica_that_is_paused_shows_nothing_dead(stack: Stack, deployment: Deployment) -> None:
    replica = container(stack, "data-1")
    async with checking(deployment) as check:
        await check.rounds(12)
        await asyncio.to_thread(replica.pause)
        await check.rounds(6)
        await asyncio.to_thread(replica.unpause)
        await check.rounds(12)

    check.report.assert_kept()


async def test_a_replica_that_is_killed_shows_nothing_dead(stack: Stack, deployment: Deployment) -> None:
    replica = container(stack, "data-1")
    async with checking(deployment) as check:
        await check.rounds(12)
        await asyncio.to_thread(replica.kill)
        await check.rounds(6)
        await asyncio.to_thread(replica.start)
        await check.rounds(12)

    check.report.assert_kept()


async def test_a_replica_that_is_disconnected_shows_nothing_dead(stack: Stack, deployment: Deployment) -> None:
    async with checking(deployment) as check:
        await check.rounds(12)
        await asyncio.to_thread(stack.disconnect, "data-1")
        await check.rounds(6)
        await asyncio.to_thread(stack.connect, "data-1")
        await check.rounds(12)

    check.report.assert_kept()
