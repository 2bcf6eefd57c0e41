"""Fixtures of all tests: the real parts, started once."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from services.embedded.valkey import ADMIN, Valkey
from shared.messaging.wire import open_client
from tests.parts import Database, Parts, open_parts


@pytest.fixture(scope="session")
async def parts() -> AsyncIterator[Parts]:
    """PostgreSQL, for the whole session."""
    async with open_parts() as parts:
        yield parts


@pytest.fixture
async def database(parts: Parts) -> Database:
    """A database of this test's own."""
    return await parts.new_database()


@pytest.fixture(scope="session")
async def shared_valkey(parts: Parts) -> AsyncIterator[Valkey]:
    """A Valkey for the whole session."""
    async with parts.valkey() as valkey:
        yield valkey


@pytest.fixture
async def valkey(shared_valkey: Valkey) -> Valkey:
    """A Valkey that is empty when the test begins."""
    client = open_client(shared_valkey.url(ADMIN), name="tests")
    await client.flushall()
    await client.aclose()
    return shared_valkey


@pytest.fixture
async def redis(valkey: Valkey) -> AsyncIterator[Redis]:
    """A client that may do everything."""
    client = open_client(valkey.url(ADMIN), name="tests")
    yield client
    await client.aclose()
