import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

import shared.messaging
from services.token.composition import MIGRATIONS
from services.token.settings import Settings
from shared.kernel.settings import Secret
from shared.messaging.bus import Bus
from shared.messaging.relay import Relay
from shared.messaging.wire import open_client
from shared.postgres.migrations import migrate
from shared.postgres.pool import Pool, open_pool

MASTER_KEY = Secret("master-key-of-the-tests-" + "m" * 16)


@pytest.fixture
async def settings() -> AsyncIterator[Settings]:
    """Settings of an instance of one's own: a new database with a feed and its relay, and an empty Redis."""
    host = os.environ["DEV_PG"]
    name = "t" + secrets.token_hex(6)
    superuser = f"postgresql://postgres@{host}"
    connection = await asyncpg.connect(f"{superuser}/postgres")
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    connection = await asyncpg.connect(f"{superuser}/{name}")
    await connection.execute(
        "CREATE SCHEMA auth AUTHORIZATION daypass_auth; CREATE SCHEMA token AUTHORIZATION daypass_token;"
        "CREATE SCHEMA feed AUTHORIZATION daypass_auth; GRANT USAGE ON SCHEMA feed TO daypass_token"
    )
    await connection.close()
    redis_url = os.environ["DEV_REDIS"]
    redis = Redis.from_url(redis_url)
    await redis.flushdb()
    await redis.aclose()
    auth_dsn = f"postgresql://daypass_auth@{host}/{name}"
    await migrate(auth_dsn, schema="feed", folder=Path(shared.messaging.__file__).parent / "migrations")
    relay = asyncio.create_task(Relay(dsn=auth_dsn, redis_url=redis_url).run())
    yield Settings(
        database_url=Secret(f"postgresql://daypass_token@{host}/{name}"),
        redis_url=Secret(redis_url),
        master_key=MASTER_KEY,
    )
    relay.cancel()
    await asyncio.gather(relay, return_exceptions=True)


@pytest.fixture
async def pool(settings: Settings) -> AsyncIterator[Pool]:
    """Token's own view of the database, migrated."""
    dsn = settings.database_url.reveal()
    await migrate(dsn, schema="token", folder=MIGRATIONS)
    opened = await open_pool(dsn, name="test")
    yield opened
    await opened.close()


@pytest.fixture
async def bus(settings: Settings) -> AsyncIterator[Bus]:
    """A requester on the bus, as the command line is one."""
    redis = open_client(settings.redis_url.reveal(), name="test")
    opened = Bus(redis=redis, service="cli")
    yield opened
    await opened.close()
    await redis.aclose()
