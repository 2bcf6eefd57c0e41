"""Two replicas of data on one database, over HTTP; auth is stood in for, everything else is real."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

import shared.messaging
from services.data.composition import open_data
from services.data.settings import Settings
from services.embedded.valkey import Valkey
from shared.guard.guard import Guard
from shared.guard.resolver import BusResolver
from shared.kernel.loops import running
from shared.kernel.settings import Secret
from shared.messaging.bus import Bus
from shared.messaging.relay import Relay
from shared.messaging.wire import open_client
from shared.postgres.migrations import migrate
from shared.postgres.pool import Pool, open_pool
from shared.process.app import WebApp
from tests.accounts import Accounts
from tests.integration.data.api import Api
from tests.parts import Database, Parts

COLUMN_KEYS = Secret("a-column-key-for-tests-only-0123456789, another-key-for-tests-only-0123456789")
FEED_MIGRATIONS = Path(shared.messaging.__file__).parent / "migrations"


@pytest.fixture(scope="session")
async def api(parts: Parts) -> AsyncIterator[Api]:
    """Data in project `library`, for the whole session: tests make databases of their own."""
    database = await parts.new_database()
    async with AsyncExitStack() as stack:
        valkey = await stack.enter_async_context(parts.valkey())
        await migrate(database.dsn("auth"), schema="feed", folder=FEED_MIGRATIONS)
        feed = await _open(stack, database.dsn("auth"))
        await stack.enter_async_context(_running(Relay(dsn=database.dsn("auth"), redis_url=valkey.url("auth"))))
        accounts = Accounts(pool=feed)
        auth = await _bus(stack, valkey, "auth")
        await stack.enter_async_context(running(auth.serve(*lane) for lane in accounts.lanes().items()))
        replicas = [await _replica(stack, database, valkey) for _ in range(2)]
        yield Api(
            http=await stack.enter_async_context(aiohttp.ClientSession()),
            urls=[url for url, _ in replicas],
            guards=[guard for _, guard in replicas],
            accounts=accounts,
            pool=await _open(stack, database.dsn("data")),
            key=accounts.make_key(),
            bus=await _bus(stack, valkey, "cli"),
            cli_url=valkey.url("cli"),
            as_auth=auth,
            as_data=await _bus(stack, valkey, "data"),
        )


async def _replica(stack: AsyncExitStack, database: Database, valkey: Valkey) -> tuple[str, Guard]:
    settings = Settings(
        database_url=Secret(database.dsn("data")), redis_url=Secret(valkey.url("data")), column_key=COLUMN_KEYS
    )
    resolver = BusResolver(await _bus(stack, valkey, "data"))
    guard = Guard(service="data", redis_url=valkey.url("data"), resolver=resolver)
    await stack.enter_async_context(running([guard.run()]))
    service = await stack.enter_async_context(open_data(settings, guard=guard))
    await guard.reader.until_leased(20)
    app = WebApp(service.parts, guard=guard, checks=service.checks)
    port = await app.start(("127.0.0.1", 0))
    stack.push_async_callback(app.stop, 1)
    return f"http://127.0.0.1:{port}", guard


async def _bus(stack: AsyncExitStack, valkey: Valkey, service: str) -> Bus:
    redis = open_client(valkey.url(service), name="tests")
    stack.push_async_callback(redis.aclose)
    bus = Bus(redis=redis, service=service)
    stack.push_async_callback(bus.close)
    return bus


async def _open(stack: AsyncExitStack, dsn: str) -> Pool:
    pool = await open_pool(dsn, name="tests")
    stack.push_async_callback(pool.close)
    return pool


@contextlib.asynccontextmanager
async def _running(relay: Relay) -> AsyncIterator[None]:
    task = asyncio.create_task(relay.run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
