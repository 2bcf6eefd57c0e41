"""Where the storage service is put together."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path

import msgspec

from services.storage.domain.buckets import Limits
from services.storage.domain.keys import FileKeys
from services.storage.endpoints import MODULES
from services.storage.messages import ANSWERS, EVENTS
from services.storage.operations.deps import StorageDeps
from services.storage.operations.housekeeping import keep_house
from services.storage.settings import Settings
from services.storage.store.objects import Objects
from shared.guard.guard import Guard
from shared.guard.resolver import BusResolver
from shared.kernel.loops import running
from shared.kernel.settings import SettingsError
from shared.messaging.bus import Bus
from shared.messaging.consumer import consume
from shared.messaging.wire import open_client
from shared.postgres.migrations import migrate
from shared.postgres.pool import close_pool, open_pool
from shared.process.health import usual_checks
from shared.process.service import Service, open_guard

NAME = "storage"
MIGRATIONS = Path(__file__).parent / "migrations"


@contextlib.asynccontextmanager
async def open_storage(settings: Settings, *, guard: Guard | None = None) -> AsyncIterator[Service]:
    """Open the service, with a guard of its own unless the caller passes one, which then runs elsewhere.

    Raises `MigrationError` or `SettingsError`, with words for the operator.
    """
    dsn, redis_url = settings.database_url.reveal(), settings.redis_url.reveal()
    objects = open_objects(settings)
    await migrate(dsn, schema=NAME, folder=MIGRATIONS)
    async with contextlib.AsyncExitStack() as stack:
        pool = await open_pool(dsn, name=f"daypass-{NAME}")
        stack.push_async_callback(close_pool, pool)
        redis = open_client(redis_url, name=f"daypass-{NAME}")
        stack.push_async_callback(redis.aclose)
        bus = Bus(redis=redis, service=NAME)
        stack.push_async_callback(bus.close)
        loops: list[Coroutine[None, None, None]] = []
        if guard is None:
            guard = open_guard(settings, NAME, BusResolver(bus))
            loops.append(guard.run())
        deps = StorageDeps(
            pool=pool,
            guard=guard,
            limits=Limits(file_bytes=settings.max_file_bytes),
            keys=FileKeys(settings.file_key),
            objects=objects,
            garbage=asyncio.Event(),
        )
        loops += [consume(redis, guard.reader, NAME, EVENTS, deps), keep_house(deps)]
        loops += [bus.serve(lane, handlers) for lane, handlers in ANSWERS.lanes(deps).items()]
        await stack.enter_async_context(running(loops))
        yield Service(
            parts=[(module.routes, deps) for module in MODULES],
            guard=guard,
            checks=usual_checks(pool, redis, guard),
        )


def open_objects(settings: Settings) -> Objects:
    """Return the objects in the folder, or at the URL, of the settings; raises `SettingsError`."""
    try:
        if "://" not in settings.files:
            return Objects.in_folder(Path(settings.files))
        text = settings.files_options.reveal()
        return Objects.at(settings.files, msgspec.json.decode(text, type=dict) if text else {})
    except (OSError, ValueError) as error:
        raise SettingsError(f"DAYPASS_FILES: {type(error).__name__}") from error
