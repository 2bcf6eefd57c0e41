"""Where the data service is put together."""

import contextlib
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path

from redis.asyncio import Redis

from services.data.domain.naming import Naming
from services.data.domain.seal import Seal
from services.data.http import legacy
from services.data.messages import ANSWERS, EVENTS
from services.data.operations.catalogue import Catalogue
from services.data.operations.deps import DataDeps
from services.data.operations.incarnations import adopt_databases
from services.data.operations.resealing import check_column_keys
from services.data.settings import Settings
from shared.guard.guard import Guard
from shared.guard.resolver import BusResolver
from shared.kernel.loops import running
from shared.messaging.bus import Bus
from shared.messaging.consumer import consume
from shared.messaging.wire import open_client
from shared.postgres.migrations import migrate
from shared.postgres.pool import close_pool, open_pool
from shared.process.health import usual_checks
from shared.process.service import Service, open_guard

NAME = "data"
MIGRATIONS = Path(__file__).parent / "migrations"


@contextlib.asynccontextmanager
async def open_data(settings: Settings, *, guard: Guard | None = None) -> AsyncIterator[Service]:
    """Open the service, with a guard of its own unless the caller passes one, which then runs elsewhere.

    Raises `MigrationError` or `WrongColumnKey`, with words for the operator.
    """
    seal = Seal(settings.column_key)
    dsn, redis_url = settings.database_url.reveal(), settings.redis_url.reveal()
    await migrate(dsn, schema=NAME, folder=MIGRATIONS)
    async with contextlib.AsyncExitStack() as stack:
        pool = await open_pool(dsn, name=f"daypass-{NAME}", most=24)
        stack.push_async_callback(close_pool, pool)
        await check_column_keys(pool, seal)
        redis = open_client(redis_url, name=f"daypass-{NAME}")
        stack.push_async_callback(redis.aclose)
        bus = Bus(redis=redis, service=NAME)
        stack.push_async_callback(bus.close)
        loops: list[Coroutine[None, None, None]] = []
        if guard is None:
            guard = open_guard(settings, NAME, BusResolver(bus))
            loops.append(guard.run())
        deps, older = (
            DataDeps(pool=pool, guard=guard, catalogue=Catalogue(pool, guard, seal, naming), bus=bus, seal=seal)
            for naming in (Naming.TABLES_DB, Naming.DATABASES)
        )
        loops += [consume(redis, guard.reader, NAME, EVENTS, deps), adopt_databases(pool, bus)]
        loops += [bus.serve(lane, handlers) for lane, handlers in ANSWERS.lanes(deps).items()]
        await stack.enter_async_context(running(loops))
        yield _service(redis, deps, older)


def _service(redis: Redis, deps: DataDeps, older: DataDeps) -> Service:
    parts = [*((module.routes, deps) for module in legacy.MODULES), (legacy.routes, older)]
    return Service(parts=parts, guard=deps.guard, checks=usual_checks(deps.pool, redis, deps.guard))
