"""What the replicas of a service stand on in tests: PostgreSQL, Valkey, the feed, and a stand-in for auth."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import shared.messaging
from services.embedded.valkey import Valkey
from shared.guard.guard import Guard
from shared.guard.resolver import BusResolver
from shared.kernel.loops import running
from shared.messaging.bus import Bus
from shared.messaging.relay import Relay
from shared.messaging.wire import open_client
from shared.postgres.migrations import migrate
from shared.postgres.pool import Pool, open_pool
from shared.process.app import WebApp
from shared.process.service import Service
from tests.accounts import Accounts
from tests.parts import Database, Parts

FEED_MIGRATIONS = Path(shared.messaging.__file__).parent / "migrations"


class Replica(NamedTuple):
    """A running replica: its address, and its guard."""

    url: str
    guard: Guard


@dataclass(frozen=True, kw_only=True)
class Ground:
    """A database and a Valkey of their own. `feed` is auth's view of the database, `as_auth` its end of the bus."""

    stack: AsyncExitStack
    database: Database
    valkey: Valkey
    feed: Pool
    accounts: Accounts
    as_auth: Bus

    async def pool(self, role: str) -> Pool:
        """Open a pool in the role of a service."""
        return await _open(self.stack, self.database.dsn(role))

    async def bus(self, service: str) -> Bus:
        """Open a service's end of the bus."""
        return await _bus(self.stack, self.valkey, service)

    async def replica(self, service: str, opening: Callable[[Guard], AbstractAsyncContextManager[Service]]) -> Replica:
        """Start a replica of a service, which `opening` opens with a guard of its own."""
        resolver = BusResolver(await self.bus(service))
        guard = Guard(service=service, redis_url=self.valkey.url(service), resolver=resolver)
        await self.stack.enter_async_context(running([guard.run()]))
        opened = await self.stack.enter_async_context(opening(guard))
        await guard.reader.until_leased(20)
        app = WebApp(opened.parts, guard=guard, checks=opened.checks)
        port = await app.start(("127.0.0.1", 0))
        self.stack.push_async_callback(app.stop, 1)
        return Replica(f"http://127.0.0.1:{port}", guard)


@contextlib.asynccontextmanager
async def open_ground(parts: Parts) -> AsyncIterator[Ground]:
    """Prepare the ground, with auth's requests answered by `tests.accounts`."""
    database = await parts.new_database()
    async with AsyncExitStack() as stack:
        valkey = await stack.enter_async_context(parts.valkey())
        await migrate(database.dsn("auth"), schema="feed", folder=FEED_MIGRATIONS)
        feed = await _open(stack, database.dsn("auth"))
        await stack.enter_async_context(_running(Relay(dsn=database.dsn("auth"), redis_url=valkey.url("auth"))))
        accounts = Accounts(pool=feed)
        auth = await _bus(stack, valkey, "auth")
        await stack.enter_async_context(running(auth.serve(*lane) for lane in accounts.lanes().items()))
        yield Ground(stack=stack, database=database, valkey=valkey, feed=feed, accounts=accounts, as_auth=auth)


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
