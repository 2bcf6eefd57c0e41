"""Guards as replicas of all services, a relay, and a small truth in auth's place, over real parts."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from redis.asyncio import Redis

import shared.messaging
from services.embedded.valkey import ADMIN, Valkey
from shared.contracts import subjects
from shared.contracts.credentials import SessionSecret
from shared.contracts.events import PrincipalsChanged
from shared.contracts.principal import Kind, Principal, Project
from shared.contracts.requests import (
    ResolvedPrincipal,
    ResolvedProject,
    ResolveJwt,
    ResolveKey,
    ResolveProject,
    ResolveSession,
)
from shared.guard.announcements import Announcements
from shared.guard.barrier import Revocations
from shared.guard.cache import Cache
from shared.guard.guard import Guard
from shared.guard.receipt_keeper import ReceiptKeeper
from shared.guard.registrations import Registry
from shared.guard.resolver import BusResolver
from shared.guard.trust import Trust
from shared.messaging.bus import Bus
from shared.messaging.outbox import publish
from shared.messaging.relay import EndSessions, Relay
from shared.messaging.wire import open_client
from shared.postgres.migrations import migrate
from shared.postgres.pool import Pool, open_pool
from tests.clock import Clock
from tests.parts import Database

PROJECT = "library"
FEED_MIGRATIONS = Path(shared.messaging.__file__).parent / "migrations"


@dataclass
class Truth:
    """The sessions there are, and how often somebody asked. `pause` holds every answer back once it is read."""

    pool: Pool
    sessions: dict[bytes, str] = field(default_factory=dict)
    asked: int = 0
    pause: Callable[[], Coroutine[None, None, None]] | None = None

    def sign_in(self, user: str) -> SessionSecret:
        secret = SessionSecret.new(user)
        self.sessions[secret.digest()] = f"session-of-{user}-{len(self.sessions)}"
        return secret

    async def resolve_session(self, request: ResolveSession) -> ResolvedPrincipal:
        self.asked += 1
        position = await self.pool.fetchval("SELECT number FROM feed.heads WHERE stream = 'feed'")
        session = self.sessions.get(request.secret_digest)
        user = subjects.user(request.project_id, request.user_id)
        answer = ResolvedPrincipal(position=position, subjects=(user,))
        if session is not None:
            principal = Principal(
                project_id=request.project_id, kind=Kind.SESSION, user_id=request.user_id, session_id=session
            )
            named = (user, subjects.session(request.project_id, session))
            answer = ResolvedPrincipal(position=position, subjects=named, principal=principal)
        if self.pause is not None:
            await self.pause()
        return answer

    async def resolve_project(self, request: ResolveProject) -> ResolvedProject:
        position = await self.pool.fetchval("SELECT number FROM feed.heads WHERE stream = 'feed'")
        exists = request.project_id == PROJECT
        return ResolvedProject(position=position, project=Project(id=PROJECT, name="Library") if exists else None)


@dataclass
class World:
    """An instance: its truth, its replicas, and what a revoking request would use."""

    truth: Truth
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

    async def publish(self, *named: str) -> uuid.UUID:
        async with self.truth.pool.acquire() as connection, connection.transaction():
            return await publish(connection, PrincipalsChanged(subjects=named, reason="test"))

    async def delete(self, secret: SessionSecret) -> uuid.UUID:
        """Delete a session at the source, and put its entry into the outbox."""
        session = self.truth.sessions.pop(secret.digest())
        return await self.publish(subjects.session(PROJECT, session))

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
        truth, relay = Truth(pool), Relay(dsn=dsn, redis_url=url)
        relay_task = await stack.enter_async_context(running(relay.run()))
        handlers = {ResolveSession: truth.resolve_session, ResolveProject: truth.resolve_project}
        bus = Bus(redis=redis, service="auth")
        assert {kind.LANE for kind in (*handlers, ResolveJwt, ResolveKey)} == {"principal"}
        await stack.enter_async_context(running(bus.serve("principal", handlers)))
        world = World(truth, relay, relay_task, database, valkey, redis, stack)
        for name, service in (("auth", "auth"), ("token", "token"), ("data-1", "data"), ("data-2", "data")):
            await world.add_replica(name, service)

        async def wake_relay() -> None:
            relay.wake()

        guard, announcements = world.guards["auth"], Announcements(url)
        world.registry = Registry(
            redis=redis,
            redis_url=url,
            reader=guard.reader,
            trust=Trust(trusted=None),
            on_read=announcements.keep_only,
        )
        world.revocations = Revocations(
            guard=guard,
            registry=world.registry,
            announcements=announcements,
            receipts=ReceiptKeeper(pool),
            wake_relay=wake_relay,
        )
        await stack.enter_async_context(running(world.revocations.run()))
        yield world
