"""Endpoints that every service has: is it alive, is it ready, what does it offer."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import msgspec
from redis.asyncio import Redis

from shared.guard.guard import Guard
from shared.postgres.pool import Pool
from shared.web.call import TEXT, Call, Reply
from shared.web.endpoint import Routes
from shared.web.scopes import Caller

CHECK_TIMEOUT_S = 2.0

Check = Callable[[], Awaitable[object]]
"""Something that a service needs: raises, or takes longer than `CHECK_TIMEOUT_S`, where it is not there."""


def usual_checks(pool: Pool, redis: Redis, guard: Guard) -> dict[str, Check]:
    """Return what every service needs: its database, Redis, and word from the feed."""

    async def lease() -> None:
        if not guard.cache.is_leased():
            raise LookupError("no word from the feed")

    async def database() -> None:
        await pool.fetchval("SELECT 1")

    async def bus() -> None:
        await redis.ping()

    return {"database": database, "redis": bus, "feed": lease}


class SystemDeps(msgspec.Struct, frozen=True, kw_only=True):
    """What must hold for a service to be ready, whether it is about to stop, and its OpenAPI document."""

    checks: Mapping[str, Check]
    is_draining: Callable[[], bool]
    document: bytes


class HealthStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The model of the SDK's `health.get`; `ping` in milliseconds."""

    name: str
    ping: int
    status: str


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """Whether to send requests here, and the outcome of each check."""

    status: str
    checks: dict[str, str]


routes = Routes[SystemDeps]("system")


@routes.endpoint("GET", "/livez", name="system.livez", callers=Caller.PUBLIC)
async def livez(_: Call[SystemDeps]) -> Reply:
    """Say that the process answers; nothing else is looked at."""
    return Reply(body=b"ok", content_type=TEXT)


@routes.endpoint("GET", "/readyz", name="system.readyz", callers=Caller.PUBLIC, model=Readiness)
async def readyz(call: Call[SystemDeps]) -> Reply:
    """Say whether the service can do its work: 200, or 503 where something is missing or it is about to stop."""
    outcomes = await asyncio.gather(*(_outcome(check) for check in call.deps.checks.values()))
    checks = dict(zip(call.deps.checks, outcomes, strict=True))
    if call.deps.is_draining():
        checks["draining"] = "about to stop"
    ready = all(outcome == "ok" for outcome in checks.values())
    readiness = Readiness(status="ready" if ready else "not ready", checks=checks)
    return Reply(body=msgspec.json.encode(readiness), status=200 if ready else 503)


@routes.endpoint("GET", "/v1/ping", name="ping.get", callers=Caller.ANYONE, scopes=("global",))
async def ping(_: Call[SystemDeps]) -> Reply:
    """Answer `Pong!` to a request that names an existing project."""
    return Reply(body=b"Pong!", content_type=TEXT)


@routes.endpoint("GET", "/v1/health", name="health.get", callers=Caller.KEY, scopes=("health.read",))
async def get_health(_: Call[SystemDeps]) -> HealthStatus:
    """Say that the HTTP server answers."""
    return HealthStatus(name="http", ping=0, status="pass")


@routes.endpoint("GET", "/v1/openapi.json", name="system.openapi", callers=Caller.PUBLIC)
async def get_openapi(call: Call[SystemDeps]) -> bytes:
    """Return the OpenAPI document."""
    return call.deps.document


async def _outcome(check: Check) -> str:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            await check()
    except Exception as error:  # noqa: BLE001 whatever a check raises is its outcome, and tells no more than its type
        return type(error).__name__
    return "ok"
