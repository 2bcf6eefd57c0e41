import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

import shared.messaging
from services.embedded.valkey import Valkey
from services.token.composition import MIGRATIONS, open_token
from services.token.settings import Settings
from shared.kernel.loops import running
from shared.kernel.settings import Secret
from shared.messaging.bus import Bus
from shared.messaging.relay import Relay
from shared.messaging.wire import open_client
from shared.postgres.migrations import migrate
from shared.postgres.pool import Pool, open_pool
from shared.process.app import WebApp
from tests.accounts import Accounts
from tests.integration.token.replica import Replica
from tests.parts import Database

FEED_MIGRATIONS = Path(shared.messaging.__file__).parent / "migrations"


@pytest.fixture
async def settings(database: Database, valkey: Valkey) -> AsyncIterator[Settings]:
    """Settings of token in an instance of its own, where the feed is relayed."""
    await migrate(database.dsn("auth"), schema="feed", folder=FEED_MIGRATIONS)
    relay = asyncio.create_task(Relay(dsn=database.dsn("auth"), redis_url=valkey.url("auth")).run())
    yield Settings(
        database_url=Secret(database.dsn("token")),
        redis_url=Secret(valkey.url("token")),
        master_key=Secret(secrets.token_hex(16)),
    )
    relay.cancel()
    await asyncio.gather(relay, return_exceptions=True)


@pytest.fixture
def unused_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
async def pool(settings: Settings) -> AsyncIterator[Pool]:
    """Token's own view of the database, migrated."""
    dsn = settings.database_url.reveal()
    await migrate(dsn, schema="token", folder=MIGRATIONS)
    opened = await open_pool(dsn, name="test")
    yield opened
    await opened.close()


@pytest.fixture
async def bus(settings: Settings, valkey: Valkey) -> AsyncIterator[Bus]:
    """A requester on the bus: auth, which may ask what guards ask, and what the command line does."""
    redis = open_client(valkey.url("auth"), name="test")
    opened = Bus(redis=redis, service="auth")
    yield opened
    await opened.close()
    await redis.aclose()


@pytest.fixture
async def accounts(settings: Settings, database: Database, valkey: Valkey) -> AsyncIterator[Accounts]:
    """Someone who answers as auth does."""
    feed = await open_pool(database.dsn("auth"), name="test")
    opened = Accounts(pool=feed)
    redis = open_client(valkey.url("auth"), name="test")
    served = Bus(redis=redis, service="auth")
    async with running(served.serve(*lane) for lane in opened.lanes().items()):
        yield opened
    await served.close()
    await redis.aclose()
    await feed.close()


@pytest.fixture
async def start(settings: Settings, accounts: Accounts) -> AsyncIterator[Callable[[], Awaitable[Replica]]]:
    """Start replicas of token, each on a port of its own."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())

        async def started() -> Replica:
            service = await stack.enter_async_context(open_token(settings))
            app = WebApp(service.parts, guard=service.guard, checks=service.checks)
            port = await app.start(("127.0.0.1", 0))
            stack.push_async_callback(app.stop, 1)
            await service.guard.reader.until_leased(20)
            return Replica(http=http, url=f"http://127.0.0.1:{port}", service=service)

        yield started
