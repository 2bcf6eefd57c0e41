"""Guards as replicas of all services, a relay, and accounts in auth's place, over real parts."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from redis.asyncio import Redis

import shared.messaging
from services.embedded.valkey import ADMIN, Valkey
from shared.contracts.credentials import SessionSecret
from shared.contracts.requests import PRINCIPAL
from shared.guard.announcements import Announcements
from shared.guard.barrier import Peers, Revocations
from shared.guard.cache import Cache
from shared.guard.guard import Guard
from shared.guard.receipt_keeper import ReceiptKeeper
from shared.guard.registrations import Primary, Registry
from shared.guard.resolver import BusResolver
from shared.guard.trust import Trust
from shared.messaging.bus import Bus
from shared.messaging.relay import EndSessions, Relay
from shared.messaging.wire import open_client
from shared.postgres.migrations import migrate
from shared.postgres.pool import open_pool
from tests.accounts import Accounts, headers_of, secret_of
from tests.clock import Clock
from tests.parts import Database

PROJECT = "library"
FEED_MIGRATIONS = Path(shared.messaging.__file__).parent / "migrations"


@dataclass
class World:
    """An instance: its accounts, its replicas, and what a revoking request would use."""

    accounts: Accounts
    relay: Relay
    relay_task: "asyncio.Task[None]"
    database: Database
    valkey: Valkey
    redis: Redis
    stack: AsyncExitStack
    guards: dict[str, Guard] = field(default_factory=dict)
    clocks: dict[str, Clock] = field(default_factory=dict)
    """By which the leases of guards are measured."""
    registry: Registry = field(init=False)
    revocations: Revocations = field(init=False)

    def sign_in(self, user: str) -> SessionSecret:
        """Make a session; return its secret, as guards take it."""
        return secret_of(self.accounts.sign_in(user))

    async def delete(self, secret: SessionSecret) -> uuid.UUID:
        """Delete a session at the source, and put its entry into the outbox."""
        return await self.accounts.sign_out(headers_of(secret))

    def new_relay(self, end_sessions: EndSessions | None = None) -> Relay:
        dsn, url = self.database.dsn("auth"), self.valkey.url(ADMIN)
        return Relay(dsn=dsn, redis_url=url, end_sessions=end_sessions)

    async def add_replica(self, name: str, service: str) -> Guard:
        redis = open_client(self.valkey.url(ADMIN), name="tests")
        self.stack.push_async_callback(redis.aclose)
        bus = Bus(redis=redis, service=service)
        self.stack.push_async_callback(bus.close)
        clock = self.clocks[name] = Clock()
        guard = Guard(
            service=service, redis_url=self.valkey.url(ADMIN), resolver=BusResolver(bus), cache=Cache(clock=clock)
        )
        await self.stack.enter_async_context(running(guard.run()))
        await guard.reader.until_leased(10)
        self.guards[name] = guard
        return guard


@contextlib.asynccontextmanager
async def running(loop: Coroutine[None, None, None]) -> "AsyncIterator[asyncio.Task[None]]":
    """Run a loop while inside."""
    task = asyncio.create_task(loop)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def world(database: Database, valkey: Valkey) -> AsyncIterator[World]:
    """One replica each of auth and token, two of data."""
    dsn, url = database.dsn("auth"), valkey.url(ADMIN)
    await migrate(dsn, schema="feed", folder=FEED_MIGRATIONS)
    async with AsyncExitStack() as stack:
        pool = await open_pool(dsn, name="tests")
        stack.push_async_callback(pool.close)
        redis = open_client(url, name="tests")
        stack.push_async_callback(redis.aclose)
        accounts, relay = Accounts(pool=pool), Relay(dsn=dsn, redis_url=url)
        relay_task = await stack.enter_async_context(running(relay.run()))
        bus = Bus(redis=redis, service="auth")
        await stack.enter_async_context(running(bus.serve(PRINCIPAL, accounts.lanes()[PRINCIPAL])))
        world = World(accounts, relay, relay_task, database, valkey, redis, stack)
        for name, service in (("auth", "auth"), ("token", "token"), ("data-1", "data"), ("data-2", "data")):
            await world.add_replica(name, service)

        async def wake_relay() -> None:
            relay.wake()

        guard, announcements = world.guards["auth"], Announcements(url)
        world.registry = Registry(
            primary=Primary(redis, url),
            reader=guard.reader,
            trust=Trust(trusted=None),
            on_read=announcements.keep_only,
        )
        world.revocations = Revocations(
            guard=guard,
            peers=Peers(world.registry, announcements),
            receipts=ReceiptKeeper(pool),
            wake_relay=wake_relay,
        )
        await stack.enter_async_context(running(world.revocations.run()))
        yield world
