"""What data hears in `events`: work that must happen at least once, however often it is told."""

import secrets

import structlog
from redis.asyncio import Redis

from services.data.operations.definitions import purge_project
from shared.contracts.events import ProjectDeleted
from shared.guard.guard import Guard
from shared.messaging import names
from shared.messaging.codec import convert, unpack_map
from shared.messaging.group import Group, Handle
from shared.postgres.pool import Pool

log = structlog.get_logger()


async def consume(redis: Redis, guard: Guard, pool: Pool) -> None:
    """Hear `events` until cancelled, from when the guard has found this instance's streams."""
    await guard.reader.until_leased(None)
    group = Group(
        redis=redis,
        stream=names.stream("events", guard.reader.suffix),
        service="data",
        consumer=f"data:{secrets.token_hex(6)}",
        concurrency=1,
    )
    await group.run(handler(pool))


def handler(pool: Pool) -> Handle:
    """Return what is called with each entry."""

    async def on_event(fields: dict[bytes, bytes], _: int) -> None:
        told = unpack_map(fields[b"entry"])
        if told.get("type") == ProjectDeleted.TYPE:
            event = convert(told.get("body"), ProjectDeleted)
            log.info("project purged", project=event.project, databases=await purge_project(pool, event.project))

    return on_event
