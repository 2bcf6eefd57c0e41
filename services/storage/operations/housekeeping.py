"""Housekeeping: removes objects that no file has, abandoned uploads, and what is left of deleted buckets."""

import asyncio
import contextlib
from datetime import timedelta

import structlog

from services.storage.operations.deps import StorageDeps
from services.storage.store import files as store
from shared.kernel.errors import Refusal
from shared.postgres.errors import DATABASE_ERRORS

EVERY_S = 10.0
BATCH = 100
ABANDONED_AFTER = timedelta(days=1)

_log = structlog.get_logger()


async def keep_house(deps: StorageDeps) -> None:
    """Look again and again, sooner where something was left, until cancelled."""
    while True:
        deps.garbage.clear()
        try:
            while await clean_up(deps):
                pass
        except (Refusal, *DATABASE_ERRORS) as error:
            _log.warning("housekeeping of files interrupted", error=repr(error))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(EVERY_S):
                await deps.garbage.wait()


async def clean_up(deps: StorageDeps, *, abandoned_after: timedelta = ABANDONED_AFTER) -> int:
    """Remove some of what is due; return how much that was. Raises `Unavailable`."""
    async with deps.pool.acquire() as connection:
        async with connection.transaction():
            count = await store.delete_abandoned(connection, abandoned_after, BATCH)
            count += await store.delete_of_deleted_buckets(connection, BATCH)
        names = await store.doom_objects(connection, BATCH)
    for name in names:
        await deps.objects.remove(name)
        async with deps.pool.acquire() as connection:
            await store.forget_object(connection, name)
    return count + len(names)
