"""What data hears in `events`, which must happen at least once, however often it is told; and what it answers."""

import secrets

import structlog
from redis.asyncio import Redis

from services.data.operations.deps import DataDeps
from services.data.operations.explanations import explain_row
from services.data.operations.grants import find_team_grants, list_grantees
from services.data.operations.incarnations import purge_project
from shared.contracts.events import ProjectDeleted
from shared.contracts.explanations import ExplainRow, Explanation
from shared.contracts.grants import FindTeamGrants, Grantees, ListGrantees, TeamGrants
from shared.guard.guard import Guard
from shared.kernel.loops import running
from shared.messaging import names
from shared.messaging.bus import Handlers
from shared.messaging.codec import Entry, unpack
from shared.messaging.group import Group, Handle
from shared.postgres.pool import Pool

log = structlog.get_logger()


async def consume(redis: Redis, guard: Guard, pool: Pool) -> None:
    """Hear `events` until cancelled: of this instance's streams, which the guard finds, also when an epoch ends.

    And what is given back of what was given up.
    """
    consumer = f"data:{secrets.token_hex(6)}"

    def group(stream: str, *, deletes: bool = False) -> Group:
        return Group(
            redis=redis,
            stream=stream,
            service="data",
            consumer=consumer,
            concurrency=1,
            retries_for_ever=True,
            deletes=deletes,
        )

    async with running([group(names.retries("data"), deletes=True).run(handler(pool))]):
        while True:
            await guard.reader.until_leased(None)
            suffix = guard.reader.suffix
            async with running([group(names.stream("events", suffix)).run(handler(pool))]):
                await guard.reader.until_moved(suffix)


def handler(pool: Pool) -> Handle:
    """Return what is called with each entry."""

    async def on_event(fields: dict[bytes, bytes], _: int) -> None:
        told = unpack(fields.get(b"entry", b""), Entry)
        if told.type == ProjectDeleted.TYPE:
            event = unpack(told.body, ProjectDeleted)
            await purge_project(pool, event.project, event.incarnation)

    return on_event


def general_lane(deps: DataDeps) -> Handlers:
    """Return the handlers of what auth asks."""

    async def on_find_team_grants(asked: FindTeamGrants) -> TeamGrants:
        return await find_team_grants(deps.pool, asked)

    async def on_list_grantees(asked: ListGrantees) -> Grantees:
        return await list_grantees(deps.pool, asked)

    return {FindTeamGrants: on_find_team_grants, ListGrantees: on_list_grantees}


def admin_lane(deps: DataDeps) -> Handlers:
    """Return the handlers of what the command line asks."""

    async def on_explain_row(asked: ExplainRow) -> Explanation:
        return await explain_row(deps.catalogue, deps.bus, asked)

    return {ExplainRow: on_explain_row}
