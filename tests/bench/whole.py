"""All of Daypass in one process, with a project, a key, and users with a JWT each."""

import contextlib
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession

from services.auth.composition import open_auth
from services.auth.settings import Settings as AuthSettings
from services.data.composition import open_data
from services.data.domain.catalogue import Table
from services.data.settings import Settings as DataSettings
from services.data.store import catalogue as store
from services.token.composition import open_token
from services.token.settings import Settings as TokenSettings
from shared.contracts.administration import CreateKey, CreateProject
from shared.contracts.principal import Kind, Principal
from shared.guard.guard import Guard
from shared.guard.resolver import BusResolver
from shared.kernel.loops import running
from shared.kernel.settings import Secret
from shared.messaging.bus import Bus
from shared.messaging.wire import open_client
from shared.postgres.pool import Pool, open_pool
from shared.process.app import WebApp
from shared.process.service import Service
from tests.bench.authority import post
from tests.parts import open_parts

PROJECT = "bench"
COLUMN_KEY = Secret("a-column-key-for-benchmarks-only-0123456789")
DATABASE = "/v1/tablesdb/bench"
COLUMNS = [{"key": "name", "type": "varchar", "size": 64}, {"key": "age", "type": "integer"}]


@dataclass(frozen=True, kw_only=True)
class Whole:
    """Where it listens, and who may call it; `pool` is one that data has too, `users` and `jwts` go by names."""

    port: int
    key: str
    users: dict[str, str]
    jwts: dict[str, str]
    data: Service
    pool: Pool

    @property
    def world(self) -> dict[str, Any]:
        """What a bench in another process needs to know."""
        return {"port": self.port, "key": self.key, "users": self.users, "jwts": self.jwts}

    def principal(self, name: str) -> Principal:
        """Return what a user's JWT stands for."""
        user = self.users[name]
        roles = ("any", f"user:{user}", f"user:{user}/unverified", "users", "users/unverified")
        # The project is the first that is made here.
        return Principal(project_id=PROJECT, project_incarnation=1, kind=Kind.JWT, roles=roles, user_id=user)

    async def table(self, id_: str) -> Table:
        """Return a table of the database `bench`."""
        async with self.pool.acquire() as connection:
            incarnation = await connection.fetchval("SELECT incarnation FROM data.databases WHERE id = $1", PROJECT)
            return await store.get_table(connection, await store.get_database(connection, incarnation, PROJECT), id_)

    async def make_table(self, id_: str, *, indexes: Iterable[dict[str, Any]] = (), **parameters: Any) -> Table:
        """Make a table of two columns, with row security."""
        async with ClientSession(f"http://127.0.0.1:{self.port}", headers=key_headers(self.world)) as http:
            named = {"tableId": id_, "name": id_, "rowSecurity": True, "columns": COLUMNS, "indexes": list(indexes)}
            await post(http, f"{DATABASE}/tables", **named, **parameters)
        return await self.table(id_)


def key_headers(world: dict[str, Any]) -> dict[str, str]:
    """Return what a backend sends with each request."""
    return {"X-Appwrite-Project": PROJECT, "X-Appwrite-Key": world["key"]}


def user_headers(world: dict[str, Any], name: str) -> dict[str, str]:
    """Return what a user, or a backend for one, sends with each request."""
    return {"X-Appwrite-Project": PROJECT, "X-Appwrite-JWT": world["jwts"][name]}


@contextlib.asynccontextmanager
async def open_whole(names: Iterable[str]) -> AsyncIterator[Whole]:
    """Start PostgreSQL, Valkey and Daypass; make a project, its database `bench`, and users of these names."""
    async with contextlib.AsyncExitStack() as stack:
        parts = await stack.enter_async_context(open_parts())
        database = await parts.new_database()
        valkey = await stack.enter_async_context(parts.valkey())
        redis = open_client(valkey.url("auth"), name="bench")
        stack.push_async_callback(redis.aclose)
        bus = Bus(redis=redis, service="auth")
        stack.push_async_callback(bus.close)
        guard = Guard(service="auth", redis_url=valkey.url("auth"), resolver=BusResolver(bus))

        def urls(service: str) -> dict[str, Secret]:
            return {"database_url": Secret(database.dsn(service)), "redis_url": Secret(valkey.url(service))}

        key = Secret("a-master-key-for-benchmarks-only-0123456789")
        auth = await stack.enter_async_context(open_auth(AuthSettings(**urls("auth")), guard=guard, owns_redis=True))
        token = await stack.enter_async_context(open_token(TokenSettings(**urls("token"), master_key=key), guard=guard))
        data = await stack.enter_async_context(
            open_data(DataSettings(**urls("data"), column_key=COLUMN_KEY), guard=guard)
        )
        await stack.enter_async_context(running([guard.run()]))
        await guard.reader.until_leased(20)
        app = WebApp([*auth.parts, *token.parts, *data.parts], guard=guard)
        port = await app.start(("127.0.0.1", 0))
        stack.push_async_callback(app.stop)
        pool = await open_pool(database.dsn("data"), name="bench", most=24)
        stack.push_async_callback(pool.close)
        yield Whole(port=port, data=data, pool=pool, **await _fill(port, bus, names))


async def _fill(port: int, bus: Bus, names: Iterable[str]) -> dict[str, Any]:
    await bus.ask(CreateProject(id=PROJECT, name=PROJECT), timeout_s=15)
    request, key = CreateKey.new(project_id=PROJECT, name=PROJECT)
    await bus.ask(request, timeout_s=15)
    users, jwts = {}, {}
    async with ClientSession(f"http://127.0.0.1:{port}", headers=key_headers({"key": key})) as http:
        for name in names:
            user = users[name] = (await post(http, "/v1/users", userId="unique()"))["$id"]
            await post(http, f"/v1/users/{user}/sessions")
            jwts[name] = (await post(http, f"/v1/users/{user}/jwts"))["jwt"]
        await post(http, "/v1/tablesdb", databaseId=PROJECT, name=PROJECT)
    return {"key": key, "users": users, "jwts": jwts}
