"""What data hears in `events`: work that must happen at least once, however often it is told."""

import secrets

import structlog
from redis.asyncio import Redis

from services.data.operations.definitions import purge_project
from shared.contracts.events import ProjectDeleted
from shared.guard.guard import Guard
from shared.kernel.loops import running
from shared.messaging import names
from shared.messaging.codec import convert, unpack_map
from shared.messaging.group import Group, Handle
from shared.postgres.pool import Pool

log = structlog.get_logger()


async def consume(redis: Redis, guard: Guard, pool: Pool) -> None:
    """Hear `events` until cancelled: of this instance's streams, which the guard finds, also when an epoch ends."""
    consumer = f"data:{secrets.token_hex(6)}"
    while True:
        await guard.reader.until_leased(None)
        suffix = guard.reader.suffix
        stream = names.stream("events", suffix)
        group = Group(redis=redis, stream=stream, service="data", consumer=consumer, concurrency=1)
        async with running([group.run(handler(pool))]):
            await guard.reader.until_moved(suffix)


def handler(pool: Pool) -> Handle:
    """Return what is called with each entry."""

    async def on_event(fields: dict[bytes, bytes], _: int) -> None:
        told = unpack_map(fields[b"entry"])
        if told.get("type") == ProjectDeleted.TYPE:
            event = convert(told.get("body"), ProjectDeleted)
            log.info("project purged", project=event.project, databases=await purge_project(pool, event.project))

    return on_event
