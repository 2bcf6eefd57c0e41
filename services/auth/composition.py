"""Where the auth service is put together."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from datetime import timedelta
from functools import partial
from pathlib import Path

import shared.messaging
from services.auth.deps import AuthDeps, Deployment
from services.auth.endpoints import MODULES
from services.auth.instance.operations.housekeeping import prune_expired
from services.auth.instance.store.instance import find_trusted, keep_first_trusted, keep_trusted
from services.auth.mail.operations.invitations import InvitationFolder
from services.auth.messages import ANSWERS
from services.auth.passwords.operations.passwords import Passwords
from services.auth.people.operations.idle import end_idle_sessions
from services.auth.principals.operations.resolver import DatabaseResolver
from services.auth.revocations.store.endings import end_all_of_instance
from services.auth.settings import Settings
from shared.appwrite.agents import Agents
from shared.appwrite.countries import Countries
from shared.contracts.passwords import new_hasher
from shared.contracts.requests import PRINCIPAL
from shared.guard.guard import Guard
from shared.guard.timing import BARRIER_TIMING, BarrierTiming
from shared.guard.trust import Trust
from shared.kernel.loops import running
from shared.kernel.settings import SettingsError
from shared.messaging.bus import Bus, Handlers
from shared.messaging.relay import Relay
from shared.messaging.wire import open_client
from shared.postgres.migrations import migrate
from shared.postgres.pool import close_pool, open_pool
from shared.process.health import usual_checks
from shared.process.service import Outbox, Service, open_guard, open_revocations

NAME = "auth"
MIGRATIONS = Path(__file__).parent / "migrations"
CONNECTIONS = 4
"""Opened at the start and kept: revocations go on where others have taken all that PostgreSQL has left."""
FEED_MIGRATIONS = Path(shared.messaging.__file__).parent / "migrations"


@contextlib.asynccontextmanager
async def open_auth(
    settings: Settings,
    *,
    guard: Guard | None = None,
    owns_redis: bool = False,
    timing: BarrierTiming = BARRIER_TIMING,
) -> AsyncIterator[Service]:
    """Open the service, with a guard of its own unless the caller passes one, which then runs elsewhere.

    `owns_redis`: this process has started Redis itself, and all replicas live in it, so none can have been forgotten.
    Raises `MigrationError` and `SettingsError`, with words for the operator.
    """
    countries = _countries(settings)
    dsn, redis_url = settings.database_url.reveal(), settings.redis_url.reveal()
    await migrate(dsn, schema="feed", folder=FEED_MIGRATIONS)
    await migrate(dsn, schema=NAME, folder=MIGRATIONS)
    async with contextlib.AsyncExitStack() as stack:
        pool = await open_pool(dsn, name=f"daypass-{NAME}", least=CONNECTIONS)
        stack.push_async_callback(close_pool, pool)
        redis = open_client(redis_url, name=f"daypass-{NAME}")
        stack.push_async_callback(redis.aclose)
        bus = Bus(redis=redis, service=NAME)
        stack.push_async_callback(bus.close)
        stack.callback(countries.close)
        passwords = Passwords(new_hasher(cheap=settings.cheap_passwords))
        stack.callback(passwords.close)
        relay = Relay(dsn=dsn, redis_url=redis_url, end_sessions=end_all_of_instance, crash=settings.test_crash)
        loops: list[Coroutine[None, None, None]] = [relay.run()]
        trust = Trust(
            trusted=None if owns_redis else await find_trusted(pool),
            keep=partial(keep_trusted, pool),
            keep_first=partial(keep_trusted if owns_redis else keep_first_trusted, pool),
        )

        async def wake_relay() -> None:
            relay.wake()

        async def until_trusted() -> None:
            """Wait until the database is known to be current and Redis is trusted: no credential is resolved before."""
            await relay.until_checked()
            await trust.until_known()

        if guard is None:
            guard = open_guard(settings, NAME, DatabaseResolver(pool, bus, until_trusted))
            loops.append(guard.run())
        outbox = Outbox(pool, wake_relay)
        revocations = open_revocations(settings, guard, redis=redis, outbox=outbox, trust=trust, timing=timing)
        loops.append(revocations.run())
        loops.append(prune_expired(pool, kept=timedelta(days=settings.receipts_kept_days)))
        deps = AuthDeps(
            pool=pool,
            redis=redis,
            bus=bus,
            guard=guard,
            revocations=revocations,
            passwords=passwords,
            deployment=_deployment(settings),
            agents=Agents(),
            countries=countries,
            invitations=_invitations(settings),
        )
        loops.append(end_idle_sessions(deps))
        for lane, handlers in ANSWERS.lanes(deps).items():
            loops.append(_serve(bus, lane, handlers, when=until_trusted if lane == PRINCIPAL else None))
        await stack.enter_async_context(running(loops))
        yield _service(deps)


def _deployment(settings: Settings) -> Deployment:
    return Deployment(
        redis_url=settings.redis_url,
        limits_redis_url=settings.limits_redis_url,
        copies=settings.redis_copies,
        has_barrier=settings.test_barrier,
        has_limits=settings.rate_limits,
        public_url=settings.public_url,
    )


def _invitations(settings: Settings) -> InvitationFolder | None:
    return None if settings.invitations_dir == "none" else InvitationFolder(Path(settings.invitations_dir))


def _countries(settings: Settings) -> Countries:
    try:
        return Countries(None if settings.geoip_database == "none" else settings.geoip_database)
    except ValueError as error:
        raise SettingsError(f"DAYPASS_GEOIP_DATABASE: {error}") from error


async def _serve(bus: Bus, lane: str, handlers: Handlers, *, when: Callable[[], Awaitable[None]] | None) -> None:
    if when is not None:
        await when()
    await bus.serve(lane, handlers)


def _service(deps: AuthDeps) -> Service:
    checks = usual_checks(deps.pool, deps.redis, deps.guard)
    parts = [(module.routes, deps) for module in MODULES]
    return Service(parts=parts, guard=deps.guard, checks=checks, revocations=[deps.revocations])
