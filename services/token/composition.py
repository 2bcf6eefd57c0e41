"""Where the token service is put together."""

import contextlib
from collections.abc import AsyncIterator, Coroutine
from functools import partial
from pathlib import Path

from redis.asyncio import Redis

from services.token.domain.key_factory import KeyFactory
from services.token.domain.seal import Seal
from services.token.endpoints import MODULES
from services.token.messages import ANSWERS, FEED
from services.token.operations.deps import TokenDeps
from services.token.operations.key_sets import make_first_signing_keys
from services.token.operations.keyring import Keyrings
from services.token.settings import Settings
from shared.guard.guard import Guard
from shared.guard.resolver import BusResolver
from shared.kernel.loops import running
from shared.messaging import names
from shared.messaging.bus import Bus
from shared.messaging.outbox import CALLER
from shared.messaging.wire import open_client
from shared.postgres.migrations import await_function, migrate
from shared.postgres.pool import close_pool, open_pool
from shared.process.health import usual_checks
from shared.process.service import Outbox, Service, open_guard, open_revocations

NAME = "token"
MIGRATIONS = Path(__file__).parent / "migrations"


@contextlib.asynccontextmanager
async def open_token(settings: Settings, *, guard: Guard | None = None) -> AsyncIterator[Service]:
    """Open the service, with a guard of its own unless the caller passes one, which then runs elsewhere.

    Raises `MigrationError`, `WrongIssuer` or `WrongMasterKey`, each with words for the operator.
    """
    dsn, redis_url = settings.database_url.reveal(), settings.redis_url.reveal()
    key_factory = KeyFactory(Seal(settings.master_key), settings.signing_algorithm)
    await migrate(dsn, schema=NAME, folder=MIGRATIONS)
    await await_function(dsn, function="feed.epoch()", owner="auth")
    async with contextlib.AsyncExitStack() as stack:
        pool = await open_pool(dsn, name=f"daypass-{NAME}")
        stack.push_async_callback(close_pool, pool)
        await make_first_signing_keys(pool, key_factory, issuer=settings.issuer)
        redis = open_client(redis_url, name=f"daypass-{NAME}")
        stack.push_async_callback(redis.aclose)
        bus = Bus(redis=redis, service=NAME)
        stack.push_async_callback(bus.close)
        loops: list[Coroutine[None, None, None]] = []
        if guard is None:
            guard = open_guard(settings, NAME, BusResolver(bus))
            loops.append(guard.run())

        async def wake_relay() -> None:
            await redis.publish(names.RELAY_CHANNEL, b"")

        revocations = open_revocations(settings, guard, redis=redis, outbox=Outbox(pool, wake_relay, CALLER))
        loops.append(revocations.run())
        deps = TokenDeps(
            pool=pool,
            guard=guard,
            bus=bus,
            revocations=revocations,
            key_factory=key_factory,
            keyrings=Keyrings(pool=pool, key_factory=key_factory, guard=guard),
        )
        for subject, handler in FEED.items():
            guard.reader.watch(subject, partial(handler, deps))
        loops += [bus.serve(lane, handlers) for lane, handlers in ANSWERS.lanes(deps).items()]
        await stack.enter_async_context(running(loops))
        yield _service(redis, deps)


def _service(redis: Redis, deps: TokenDeps) -> Service:
    checks = usual_checks(deps.pool, redis, deps.guard)
    parts = [(module.routes, deps) for module in MODULES]
    return Service(parts=parts, guard=deps.guard, checks=checks, revocations=[deps.revocations])
