"""Daypass as processes that a test can stop, kill and cut off: two of auth, one of token, three of data.

Each process reaches Redis by a way of its own (`member.redis`), which a test can cut. PostgreSQL and Redis are the
cluster's own, so that they may be killed, emptied and put back to an older state.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import aiohttp
import asyncpg
from redis.asyncio import Redis

from services.embedded.postgres import SUPERUSER
from services.embedded.programs import Programs
from services.embedded.valkey import ADMIN, Valkey
from shared.contracts.administration import CreateKey, CreateProject
from shared.contracts.requests import A, Request
from shared.kernel.errors import Refusal
from shared.messaging import names
from shared.messaging.bus import Bus
from shared.messaging.wire import open_client
from tests.e2e.processes import environment, free_port
from tests.e2e.revocation.copies import Copy, open_copy
from tests.e2e.revocation.projects import PROJECT
from tests.e2e.revocation.proxy import Proxy, open_proxy
from tests.eventually import eventually
from tests.parts import PASSWORDS, Database, Parts, open_parts

SERVICES = {
    "auth-1": "auth",
    "auth-2": "auth",
    "token-1": "token",
    "data-1": "data",
    "data-2": "data",
    "data-3": "data",
}
START_S = 60.0
READY_S = 200.0
"""For six processes to start at once: a busy machine takes more than a minute, and all tests share one cluster."""


@dataclass
class Member:
    """One process."""

    name: str
    service: str
    redis: Proxy
    environ: Mapping[str, str]
    port: int
    process: "subprocess.Popen[bytes] | None" = None
    is_stopped: bool = False

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None and not self.is_stopped

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, **extra: str) -> None:
        """Start, with further variables of the environment."""
        command = [sys.executable, "-m", f"services.{self.service}"]
        self.process = subprocess.Popen(command, env=os.environ | self.environ | extra, stderr=subprocess.DEVNULL)

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def stop(self) -> None:
        """Stand still, until `go_on`."""
        self.is_stopped = True
        self.signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.signal(signal.SIGCONT)
        self.is_stopped = False

    async def kill(self) -> None:
        """End at once, as by a crash."""
        self.signal(signal.SIGKILL)
        await self.ended()

    async def terminate(self) -> None:
        """End in order."""
        self.signal(signal.SIGTERM)
        await self.ended()

    async def ended(self) -> int:
        assert self.process is not None
        return await asyncio.to_thread(self.process.wait, START_S)


@dataclass
class Cluster:
    """All processes, by name, and what they stand on."""

    parts: Parts
    database: Database
    valkey: Valkey
    members: dict[str, Member]
    http: aiohttp.ClientSession
    key: str = ""
    copies: list[Copy] = field(default_factory=list)
    extra: dict[str, str] = field(default_factory=dict)

    def of(self, service: str) -> list[Member]:
        return [member for member in self.members.values() if member.service == service]

    def running(self, service: str) -> list[Member]:
        """Those that are neither stopped nor gone, as far as the test knows."""
        return [member for member in self.of(service) if member.is_running]

    async def ready(self) -> None:
        """Heal the ways to Redis, start what has ended, and wait until every process is ready."""
        for member in self.members.values():
            member.redis.restore()
            assert member.process is not None
            member.go_on()
            if member.process.poll() is not None:
                member.start(**self.extra)
        probes = [partial(self.readiness, member) for member in self.members.values()]
        await asyncio.gather(*(eventually(probe, 200, patience_s=READY_S) for probe in probes))

    async def readiness(self, member: Member) -> int:
        """The status of `/readyz`, 0 where nobody answers."""
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with self.http.get(f"{member.url}/readyz", timeout=aiohttp.ClientTimeout(3)) as answer:
                return answer.status
        return 0

    async def signing_keys(self) -> set[str]:
        """The kids of the keys that token publishes, as it knows them now."""
        async with self.http.get(f"{self.of('token')[0].url}/v1/.well-known/jwks.json") as answer:
            return {key["kid"] for key in (await answer.json())["keys"]}

    async def ask(self, request: Request[A]) -> A:
        """Ask over the bus, as the command line does."""
        redis = open_client(self.valkey.url("cli"), name="tests")
        bus = Bus(redis=redis, service="cli")
        try:
            return await bus.ask(request, timeout_s=15)
        finally:
            await bus.close()
            await redis.aclose()

    async def ask_until_confirmed(self, request: Request[A]) -> None:
        """Ask over the bus, as often as it takes."""
        while True:
            try:
                await self.ask(request)
            except Refusal as refusal:
                if refusal.type.status != 503:
                    raise
            else:
                return

    async def make_key(self, *scopes: str) -> tuple[str, str]:
        """Make an API key, as the command line does; return its id and secret."""
        request, secret = CreateKey.new(project_id=PROJECT, name="of a round", scopes=scopes)
        await self.ask_until_confirmed(request)
        return request.id, secret

    async def make_project(self, id_: str) -> str:
        """Make a project, as the command line does; return a key of all scopes."""
        await self.ask_until_confirmed(CreateProject(id=id_, name="Library"))
        request, secret = CreateKey.new(project_id=id_, name="all")
        await self.ask_until_confirmed(request)
        return secret

    @contextlib.asynccontextmanager
    async def redis(self) -> AsyncIterator[Redis]:
        """A client of Redis itself that may do everything."""
        client = open_client(self.valkey.url(ADMIN), name="tests")
        try:
            yield client
        finally:
            await client.aclose()

    @contextlib.asynccontextmanager
    async def sql(self) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
        """A connection to the database that may do everything."""
        connection = await asyncpg.connect(self.database.dsn(SUPERUSER))
        try:
            yield connection
        finally:
            await connection.close()

    async def stream(self) -> str:
        """The name of the feed's stream."""
        async with self.sql() as connection:
            suffix = await connection.fetchval(
                "SELECT system_identifier || '-' || epoch FROM pg_control_system(), feed.instance"
            )
        return names.stream("feed", suffix)

    async def nothing_lost(self) -> None:
        """See that every committed change has reached the feed: once, in order, under the number it has."""

        async def unnumbered() -> int:
            async with self.sql() as connection:
                count: int = await connection.fetchval("SELECT count(*) FROM feed.outbox WHERE number IS NULL")
                return count

        await eventually(unnumbered, 0)

        async def missing() -> list[tuple[int, bytes]]:
            stream = await self.stream()
            async with self.redis() as redis:
                told = [(int(id_.split(b"-")[0]), fields[b"id"]) for id_, fields in await redis.xrange(stream)]
            assert [number for number, _ in told] == list(range(told[0][0], told[-1][0] + 1))
            async with self.sql() as connection:
                kept = await connection.fetch(
                    "SELECT number, id FROM feed.outbox WHERE stream = 'feed' AND number >= $1 ORDER BY number",
                    told[0][0],
                )
            return sorted({(row["number"], row["id"].bytes) for row in kept} ^ set(told))

        await eventually(missing, [])

    # Redis

    async def kill_redis(self) -> None:
        os.kill(self.valkey.child.pid, signal.SIGKILL)
        await self.valkey.child.wait()

    async def start_redis(self) -> None:
        await self.valkey.start()

    async def restart_redis(self, programs: Programs) -> None:
        """Stop Redis in order, and start it by another program."""
        await self.valkey.stop()
        self.valkey.programs = programs
        await self.valkey.start()

    def forget_redis(self) -> None:
        """Take away all that Redis wrote down; it must not run."""
        shutil.rmtree(self.valkey.data_dir / "appendonlydir", ignore_errors=True)

    async def save_redis(self, name: str) -> None:
        """Keep a copy of what Redis has written down."""
        async with self.redis() as redis:
            await redis.config_set("appendfsync", "always")
            await redis.set("saved", name)
            await redis.config_set("appendfsync", "everysec")
        _copy(self.valkey.data_dir / "appendonlydir", self.valkey.data_dir.parent / name)

    def put_back_redis(self, name: str) -> None:
        """Put a copy in place; Redis must not run."""
        self.forget_redis()
        _copy(self.valkey.data_dir.parent / name, self.valkey.data_dir / "appendonlydir")

    # PostgreSQL

    async def save_postgres(self, name: str) -> None:
        """Keep a copy of the database; it is away for a moment."""
        data = self.parts.postgres.data_dir
        await self.parts.postgres.stop()
        _copy(data, data.parent / name)
        await self.parts.postgres.start()

    async def put_back_postgres(self, name: str) -> None:
        """Put an older copy in place."""
        data = self.parts.postgres.data_dir
        await self.parts.postgres.stop()
        shutil.rmtree(data)
        _copy(data.parent / name, data)
        await self.parts.postgres.start()

    async def restart_postgres(self) -> None:
        await self.parts.postgres.stop()
        await self.parts.postgres.start()


def _copy(source: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run(["cp", "-a", source, target], check=True)


@contextlib.asynccontextmanager
async def open_cluster(*, copies: int = 0, **extra: str) -> AsyncIterator[Cluster]:
    """Start everything, with further variables of the environment, and a project with a key of all scopes.

    `copies` of Redis follow it from the beginning.
    """
    async with contextlib.AsyncExitStack() as stack:
        parts = await stack.enter_async_context(open_parts())
        database = await parts.new_database()
        valkey = await stack.enter_async_context(parts.valkey())
        followers = [await stack.enter_async_context(open_copy(parts)) for _ in range(copies)]
        for copy in followers:
            await copy.follow(valkey)
        members = {}
        for name, service in SERVICES.items():
            proxy = await stack.enter_async_context(open_proxy(valkey.socket))
            port = free_port()
            url = f"redis://{service}:{PASSWORDS[service].reveal()}@127.0.0.1:{proxy.port}"
            environ = environment(service, port, database, valkey) | {"DAYPASS_REDIS_URL": url}
            members[name] = Member(name, service, proxy, environ | {"DAYPASS_CHEAP_PASSWORDS": "on"}, port)
        connector = aiohttp.TCPConnector(limit=0, force_close=False)
        http = await stack.enter_async_context(
            aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), timeout=aiohttp.ClientTimeout(60)
            )
        )
        cluster = Cluster(parts, database, valkey, members, http, copies=followers, extra=extra)
        stack.push_async_callback(_end, members)
        for member in members.values():
            member.start(**extra)
        await cluster.ready()
        cluster.key = await cluster.make_project(PROJECT)
        yield cluster


async def _end(members: dict[str, Member]) -> None:
    for member in members.values():
        if member.process is not None and member.process.poll() is None:
            member.go_on()
            member.process.kill()
            member.process.wait(START_S)
