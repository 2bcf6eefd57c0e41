"""The policy `session-idle`: an unused session ends, with the JWTs made from it, on every replica."""

import asyncio
from collections.abc import Sequence

import structlog

from services.auth.deps import AuthDeps
from services.auth.people.store import sessions as store
from shared.contracts import subjects
from shared.contracts.ids import ProjectId
from shared.contracts.reasons import Reason
from shared.contracts.requests import SessionUse
from shared.guard.changing import SystemActor, changing
from shared.guard.uses import REPORT_S
from shared.kernel.errors import Refusal
from shared.messaging.wire import forever
from shared.postgres.errors import DATABASE_ERRORS
from shared.postgres.pool import Pool

EVERY_S = 30.0
BATCH = 500
LATE_S = 2 * REPORT_S
"""For so long a use may be known to a replica alone: a session ends at most this, and `EVERY_S`, after its time."""

POLICY = SystemActor(ProjectId(""), "policy:session-idle")
"""Of all projects."""

log = structlog.get_logger()


async def mark_used(pool: Pool, uses: Sequence[SessionUse]) -> None:
    """Record that sessions are used."""
    async with pool.acquire() as connection:
        await store.mark_used(connection, uses)


async def end_idle_sessions(deps: AuthDeps) -> None:
    """End unused sessions, twice a minute; never returns."""

    async def turn() -> None:
        while await end_idle(deps) >= BATCH:
            log.info("ending idle sessions continues")
        await asyncio.sleep(EVERY_S)

    foreseen = (*DATABASE_ERRORS, Refusal)
    await forever(turn, name="end of idle sessions", retry_s=EVERY_S, foreseen=foreseen)


async def end_idle(deps: AuthDeps, *, late_s: float = LATE_S) -> int:
    """End a batch of sessions that were unused for longer than their project allows; return how many.

    Raises `Unavailable` where that could not be confirmed: it is pending then, and confirmed when it can be.
    """
    async with changing(deps, POLICY, Reason.SESSION_IDLE) as change:
        ended = await store.end_idle(change.connection, late_s=late_s, limit=BATCH)
        change.revoke(*(subjects.session(*use) for use in ended))
    return len(ended)
