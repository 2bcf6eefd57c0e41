"""Housekeeping: what has ended is deleted after a time, in small steps."""

import asyncio
from datetime import timedelta

import structlog

from services.auth.instance.store.housekeeping import delete_spent
from shared.messaging.outbox import prune
from shared.messaging.wire import forever
from shared.postgres.errors import DATABASE_ERRORS
from shared.postgres.pool import Pool

log = structlog.get_logger()

EVERY_S = 60.0
BATCH = 5_000


async def prune_expired(pool: Pool, *, kept: timedelta) -> None:
    """Delete expired rows once a minute, `kept` after they ended; never returns."""

    async def turn() -> None:
        while await clean_up(pool, kept=kept) >= BATCH:
            log.info("housekeeping continues")
        await asyncio.sleep(EVERY_S)

    await forever(turn, name="housekeeping", retry_s=EVERY_S, foreseen=DATABASE_ERRORS)


async def clean_up(pool: Pool, *, kept: timedelta) -> int:
    """Delete a batch of each kind of what ended longer ago than `kept`; return the rows of all kinds together."""
    return await prune(pool, kept=kept, most=BATCH) + await delete_spent(pool, kept=kept, most=BATCH)
