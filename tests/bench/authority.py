"""Auth and token in a process of their own, with all that benches of revocation ask of them.

Beside the usual endpoints there are one that makes sessions, one that deletes a session by the same SQL and nothing
else, and one that tells when each confirmed revocation passed its stages.
"""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import msgspec
from aiohttp import ClientSession

from services.auth.composition import open_auth
from services.auth.deps import AuthDeps
from services.auth.people.domain.records import Client
from services.auth.people.http.sessions import SessionPath
from services.auth.people.operations.sign_in import create_user_session
from services.auth.people.store.sessions import delete_sessions
from services.auth.settings import Settings as AuthSettings
from services.embedded.postgres import SUPERUSER
from services.embedded.valkey import ADMIN
from services.token.composition import open_token
from services.token.settings import Settings as TokenSettings
from shared.contracts.administration import CreateKey, CreateProject
from shared.guard.guard import Guard
from shared.guard.resolver import BusResolver
from shared.kernel.loops import running
from shared.kernel.settings import Secret
from shared.messaging.bus import Bus
from shared.messaging.wire import open_client
from shared.process.app import WebApp
from shared.web.endpoint import Call, Caller, Routes
from tests.bench.stages import Stages, watched
from tests.parts import Database, open_parts

PROJECT = "bench"
SESSIONS = "/v1/bench/sessions"
STAGES = "/v1/bench/stages"
BARE = "/v1/bench/bare"


class MakeSessions(msgspec.Struct, frozen=True, kw_only=True):
    """As many sessions as are wanted, of one user."""

    user: str
    count: int


class Made(msgspec.Struct):
    """Sessions: the id and the secret of each."""

    sessions: list[tuple[str, str]]


class Passed(msgspec.Struct):
    """For each confirmed revocation since the last call, in order: milliseconds in the relay and at the barrier."""

    relay: list[float]
    barrier: list[float]


def routes_for(seen: dict[uuid.UUID, Stages]) -> Routes[AuthDeps]:
    """Return the endpoints of the bench."""
    routes = Routes[AuthDeps]("bench")

    @routes.endpoint("POST", SESSIONS, name="bench.sessions", callers=Caller.KEY, scopes=("users.write",), status=201)
    async def make(call: Call[AuthDeps], params: MakeSessions) -> Made:
        async def one() -> tuple[str, str]:
            made = await create_user_session(
                call.deps, call.project, user_id=params.user, client=Client(ip="127.0.0.1")
            )
            return made.session.id, made.secret.wire()

        return Made(list(await asyncio.gather(*(one() for _ in range(params.count)))))

    @routes.endpoint(
        "DELETE", BARE + "/{sessionId}", name="bench.delete", callers=Caller.USER, scopes=("account",), status=204
    )
    async def delete(call: Call[AuthDeps], params: SessionPath) -> None:
        async with call.deps.pool.acquire() as connection, connection.transaction():
            await delete_sessions(connection, call.project.id, call.principal.user_id, [params.session_id])

    @routes.endpoint("GET", STAGES, name="bench.stages", callers=Caller.PUBLIC)
    async def stages(_: Call[AuthDeps]) -> Passed:
        found = [one for one in seen.values() if one.confirmed]
        seen.clear()
        return Passed([one.relay_ms for one in found], [one.barrier_ms for one in found])

    return routes


@contextlib.asynccontextmanager
async def servers(slower_ms: str = "0") -> AsyncIterator[dict[str, Any]]:
    """One WebApp of all that; a project, a key, a user, one session of it that stays, and a JWT of that session.

    PostgreSQL takes `slower_ms` longer for each flush of its log than the disk does.
    """
    async with contextlib.AsyncExitStack() as stack:
        seen = stack.enter_context(watched())
        parts = await stack.enter_async_context(open_parts())
        database = await parts.new_database()
        await _slow_down(database, int(slower_ms))
        valkey = await stack.enter_async_context(parts.valkey())
        redis = open_client(valkey.url("auth"), name="bench")
        stack.push_async_callback(redis.aclose)
        bus = Bus(redis=redis, service="auth")
        stack.push_async_callback(bus.close)
        guard = Guard(service="auth", redis_url=valkey.url("auth"), resolver=BusResolver(bus))

        def urls(service: str) -> dict[str, Secret]:
            return {"database_url": Secret(database.dsn(service)), "redis_url": Secret(valkey.url(service))}

        key = Secret("a-master-key-for-benchmarks-only-0123456789")
        auth = await stack.enter_async_context(open_auth(AuthSettings(**urls("auth")), guard=guard))
        token = await stack.enter_async_context(open_token(TokenSettings(**urls("token"), master_key=key), guard=guard))
        await stack.enter_async_context(running([guard.run()]))
        await guard.reader.until_leased(20)
        app = WebApp([*auth.parts, *token.parts, (routes_for(seen), auth.parts[0][1])], guard=guard)
        port = await app.start(("127.0.0.1", 0))
        stack.push_async_callback(app.stop)
        yield {"port": port, "redis": valkey.url("data"), "admin": valkey.url(ADMIN), **await _fill(port, bus)}


async def _slow_down(database: Database, slower_ms: int) -> None:
    connection = await asyncpg.connect(database.dsn(SUPERUSER))
    for setting, value in (("commit_delay", slower_ms * 1000), ("commit_siblings", 0)):
        await connection.execute(f"ALTER DATABASE {database.name} SET {setting} = {value}")
    await connection.close()


async def _fill(port: int, bus: Bus) -> dict[str, str]:
    await bus.ask(CreateProject(id=PROJECT, name=PROJECT), timeout_s=15)
    request, key = CreateKey.new(project_id=PROJECT, name=PROJECT)
    await bus.ask(request, timeout_s=15)
    headers = {"X-Appwrite-Project": PROJECT, "X-Appwrite-Key": key}
    async with ClientSession(f"http://127.0.0.1:{port}", headers=headers) as http:
        user = (await post(http, "/v1/users", userId="unique()"))["$id"]
        session = (await post(http, f"/v1/users/{user}/sessions"))["secret"]
        jwt = (await post(http, f"/v1/users/{user}/jwts"))["jwt"]
    return {"key": key, "user": user, "session": session, "jwt": jwt}


async def post(http: ClientSession, path: str, **body: object) -> Any:
    """Make something; return the answer."""
    async with http.post(path, json=body) as answer:
        assert answer.status in {200, 201, 202}, await answer.text()
        return await answer.json()


async def make_sessions(world: dict[str, Any], count: int) -> list[tuple[str, str]]:
    """Make sessions of the world's user; return the id and the secret of each."""
    headers = {"X-Appwrite-Project": PROJECT, "X-Appwrite-Key": world["key"]}
    async with ClientSession(f"http://127.0.0.1:{world['port']}", headers=headers) as http:
        made = await post(http, SESSIONS, user=world["user"], count=count)
    return [(one[0], one[1]) for one in made["sessions"]]


async def stages_since(world: dict[str, Any]) -> Passed:
    """Return the stages of all revocations that were confirmed since this was last called."""
    async with ClientSession() as http, http.get(f"http://127.0.0.1:{world['port']}{STAGES}") as answer:
        return msgspec.json.decode(await answer.read(), type=Passed)
