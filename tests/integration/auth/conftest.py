"""auth and token in this process, on a database and a Valkey of their own, and callers of every kind."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import aiohttp
import pytest
from redis.asyncio import Redis

from services.auth.composition import open_auth
from services.auth.settings import Settings as AuthSettings
from services.embedded.valkey import Valkey
from services.token.composition import open_token
from services.token.settings import Settings as TokenSettings
from shared.appwrite.clientinfo import Edge
from shared.contracts.administration import CreateKey, CreateProject, DeleteKey
from shared.contracts.grants import (
    FindTeamGrants,
    FindTeamGrantsInFiles,
    Grantee,
    Grantees,
    ListGrantees,
    ListGranteesInFiles,
    TeamGrants,
)
from shared.guard.cache import Cache
from shared.guard.guard import Guard
from shared.guard.resolver import BusResolver
from shared.guard.timing import BarrierTiming
from shared.kernel.loops import running
from shared.kernel.settings import Secret
from shared.messaging import names
from shared.messaging.bus import Bus, Handlers
from shared.messaging.wire import open_client
from shared.process.app import WebApp
from shared.process.service import Service
from shared.web.counts import MemoryCounts
from shared.web.ingress import Ingress
from shared.web.limits import Limiter
from tests.answer import Answer
from tests.clock import Clock
from tests.parts import Database, Parts

PROJECT = "library"
PASSWORD = "correct horse"
MOMENT_S = 0.4
A_MOMENT = 1_900_000_000.0
"""When calls are counted: in the middle of each window that there is, which never ends."""


@dataclass
class Caller:
    """Somebody who calls, with headers of their own, once the process has a lease: a test may have stopped the loop.

    Where a test has set the `clock` forward, the process is to have none.
    """

    http: aiohttp.ClientSession
    port: int
    guard: Guard
    headers: dict[str, str] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)

    def with_(self, **headers: str) -> "Caller":
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return dataclasses.replace(self, headers=self.headers | named)

    async def call(self, method: str, path: str, **body: object) -> Answer:
        if not self.clock.ahead_s:
            await self.guard.reader.until_leased(20)
        url = f"http://127.0.0.1:{self.port}/v1{path}"
        async with self.http.request(method, url, json=body, headers=self.headers) as answer:
            return await Answer.of(answer)


Hurried = Callable[[Caller], Caller]
"""Returns a caller who calls a process whose barriers give up after a moment."""


@dataclass
class World:
    """A running auth and token; `guest` without credentials, `key` with all scopes, `bus` as the command line."""

    guest: Caller
    key: Caller
    bus: Bus
    guard: Guard
    key_id: str
    services: list[Service]
    database: Database
    redis_url: str
    """As auth."""
    settings: AuthSettings
    clock: Clock
    """By which the lease is measured."""
    named: set[str]
    """The teams that permissions of the project name, as a stand-in for data says."""
    named_in_files: set[str]
    """The same, as a stand-in for storage says."""

    def sent_by(self, hurried: Hurried) -> "World":
        """The same, of callers who call another process."""
        return dataclasses.replace(self, guest=hurried(self.guest), key=hurried(self.key))

    async def sign_up(self, email: str = "ada@example.org") -> str:
        made = await self.key.call("POST", "/users", userId="unique()", email=email, password=PASSWORD, name="Ada")
        assert made.status == 201, made.json
        return str(made.json["$id"])

    async def session(self, user: str) -> Caller:
        made = await self.key.call("POST", f"/users/{user}/sessions")
        assert made.status == 201, made.json
        return self.guest.with_(X_Appwrite_Session=made.json["secret"])

    async def jwt(self, caller: Caller) -> Caller:
        made = await caller.call("POST", "/account/jwts")
        assert made.status == 201, made.json
        return self.guest.with_(X_Appwrite_JWT=made.json["jwt"])

    async def key_with(self, *scopes: str) -> tuple[Caller, str]:
        request, secret = CreateKey.new(project_id=PROJECT, name="some", scopes=scopes)
        await self.bus.ask(request, timeout_s=15)
        return self.guest.with_(X_Appwrite_Key=secret), request.id

    async def delete_key(self, id_: str) -> None:
        await self.bus.ask(DeleteKey(project_id=PROJECT, id=id_), timeout_s=15)


@contextlib.asynccontextmanager
async def open_world(
    database: Database,
    valkey: Valkey,
    *,
    rate_limits: bool,
    invitations_dir: str = "none",
    geoip_database: str = "none",
    has_data: bool = True,
) -> AsyncIterator[World]:
    """Open everything."""
    async with contextlib.AsyncExitStack() as stack:
        redis = open_client(valkey.url("auth"), name="tests")
        stack.push_async_callback(redis.aclose)
        bus = Bus(redis=redis, service="auth")
        stack.push_async_callback(bus.close)
        clock = Clock()
        guard = Guard(service="auth", redis_url=valkey.url("auth"), resolver=BusResolver(bus), cache=Cache(clock=clock))
        auth = AuthSettings(
            database_url=Secret(database.dsn("auth")),
            redis_url=Secret(valkey.url("auth")),
            cheap_passwords=True,
            invitations_dir=invitations_dir,
            geoip_database=geoip_database,
        )
        token = TokenSettings(
            database_url=Secret(database.dsn("token")),
            redis_url=Secret(valkey.url("token")),
            master_key=Secret("a-master-key-for-tests-only-0123456789"),
        )
        opened = [
            await stack.enter_async_context(open_auth(auth, guard=guard, owns_redis=True)),
            await stack.enter_async_context(open_token(token, guard=guard)),
        ]
        await stack.enter_async_context(running([guard.run()]))
        await guard.reader.until_leased(20)
        limiter = None
        if rate_limits:
            limiter = Limiter(MemoryCounts(wall=lambda: A_MOMENT, steady=lambda: 0.0))
        parts = [part for service in opened for part in service.parts]
        ingress = Ingress(limiter=limiter, edge=Edge(trusted_proxies=["127.0.0.1"]))
        app = WebApp(parts, guard=guard, ingress=ingress, checks=opened[0].checks)
        port = await app.start(("127.0.0.1", 0))
        stack.push_async_callback(app.stop)
        cli_redis = open_client(valkey.url("cli"), name="tests")
        stack.push_async_callback(cli_redis.aclose)
        cli = Bus(redis=cli_redis, service="cli")
        stack.push_async_callback(cli.close)
        named: set[str] = set()
        named_in_files: set[str] = set()
        if has_data:
            await stack.enter_async_context(_data(valkey, guard, named))
            await stack.enter_async_context(_storage(valkey, named_in_files))
        http = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
        guest = Caller(http, port, guard, {"X-Appwrite-Project": PROJECT}, clock)
        await cli.ask(CreateProject(id=PROJECT, name="Library"), timeout_s=15)
        request, secret = CreateKey.new(project_id=PROJECT, name="all")
        await cli.ask(request, timeout_s=15)
        yield World(
            guest,
            guest.with_(X_Appwrite_Key=secret),
            cli,
            guard,
            request.id,
            opened,
            database,
            valkey.url("auth"),
            auth,
            clock,
            named,
            named_in_files,
        )


@contextlib.asynccontextmanager
async def _data(valkey: Valkey, guard: Guard, named: set[str]) -> AsyncIterator[None]:
    """Stand in for data, which is asked for the teams that permissions name."""

    async def on_find(asked: FindTeamGrants) -> TeamGrants:
        return TeamGrants(is_named=asked.team in named)

    async def on_list(asked: ListGrantees) -> Grantees:
        incarnation = (await guard.project(PROJECT)).incarnation
        found = tuple(Grantee(incarnation=incarnation, kind="team", id=team) for team in sorted(named))
        return Grantees(grantees=found[: asked.limit], is_complete=len(found) <= asked.limit)

    async with _answering(valkey, "data", {FindTeamGrants: on_find, ListGrantees: on_list}):
        yield


@contextlib.asynccontextmanager
async def _storage(valkey: Valkey, named: set[str]) -> AsyncIterator[None]:
    """Stand in for storage, likewise."""

    async def on_find(asked: FindTeamGrantsInFiles) -> TeamGrants:
        return TeamGrants(is_named=asked.team in named)

    async def on_list(asked: ListGranteesInFiles) -> Grantees:
        return Grantees(grantees=(), is_complete=True)

    async with _answering(valkey, "storage", {FindTeamGrantsInFiles: on_find, ListGranteesInFiles: on_list}):
        yield


@contextlib.asynccontextmanager
async def _answering(valkey: Valkey, service: str, answers: Handlers) -> AsyncIterator[None]:
    async with contextlib.AsyncExitStack() as stack:
        redis = open_client(valkey.url(service), name="tests")
        stack.push_async_callback(redis.aclose)
        bus = Bus(redis=redis, service=service)
        stack.push_async_callback(bus.close)
        await stack.enter_async_context(running([bus.serve(FindTeamGrants.LANE, answers)]))
        yield


@contextlib.asynccontextmanager
async def open_hurried(world: World) -> AsyncIterator[Hurried]:
    """Open a second auth, whose barriers give up after a moment, and send callers to it."""
    timing = BarrierTiming(confirm_s=MOMENT_S)
    async with open_auth(world.settings, guard=world.guard, timing=timing) as service:
        app = WebApp(service.parts, guard=world.guard)
        port = await app.start(("127.0.0.1", 0))
        yield lambda caller: dataclasses.replace(caller, port=port)
        await app.stop()


@pytest.fixture(scope="module")
async def world(parts: Parts) -> AsyncIterator[World]:
    """One for all tests of a module, without rate limits."""
    database = await parts.new_database()
    async with parts.valkey() as valkey, open_world(database, valkey, rate_limits=False) as world:
        yield world


@pytest.fixture(scope="module")
async def hurried(world: World) -> AsyncIterator[Hurried]:
    """Send callers to a process whose barriers give up after a moment."""
    async with open_hurried(world) as hurried:
        yield hurried


@pytest.fixture
async def limited(database: Database, valkey: Valkey) -> AsyncIterator[World]:
    """One of a test's own, with rate limits."""
    async with open_world(database, valkey, rate_limits=True) as world:
        yield world


@pytest.fixture
async def registry(world: World) -> AsyncIterator[Redis]:
    redis = open_client(world.redis_url, name="tests")
    yield redis
    await redis.aclose()


@pytest.fixture
async def late(registry: Redis) -> AsyncIterator[asyncio.Event]:
    """A replica that registers again and again and never comes to apply anything, until the event is set."""
    over = asyncio.Event()

    async def register() -> None:
        turn = 0
        while not over.is_set():
            await registry.zadd(names.registry("data"), {f"late:0:{turn + 1}": 0})
            await registry.zrem(names.registry("data"), f"late:0:{turn}")
            turn += 1
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.1):
                    await over.wait()
        await registry.zrem(names.registry("data"), f"late:0:{turn}")

    await registry.zadd(names.registry("data"), {"late:0:0": 0})
    task = asyncio.create_task(register())
    yield over
    over.set()
    await task
