"""What all revocations have in common: their entry in the feed, and the wait until it is in force everywhere."""

import contextlib
import uuid
from collections.abc import AsyncIterator

from shared.contracts.events import PrincipalsChanged
from shared.guard.barrier import Revocations
from shared.guard.guard import Guard
from shared.guard.receipt import Receipt
from shared.kernel.errors import ErrorType, Refusal, Unavailable
from shared.messaging.outbox import list_pending_about, publish
from shared.postgres.pool import Connection, Pool


async def tell(connection: Connection, reason: str, *subjects: str, by: str) -> uuid.UUID:
    """Say in the feed that what was known of `subjects` no longer holds; return the ticket to confirm.

    `by` says for the receipt who asked.
    """
    return await publish(connection, PrincipalsChanged(subjects=subjects, reason=reason), asked_by=by)


@contextlib.asynccontextmanager
async def settled(pool: Pool, revocations: Revocations, *subjects: str) -> AsyncIterator[None]:
    """Let a refusal out only once what was changed about these subjects before is in force everywhere.

    A delete whose first call was not confirmed is repeated, and its "not found" says that it is done.
    """
    try:
        yield
    except Refusal:
        await confirm_pending(pool, revocations, *subjects)
        raise


async def confirm_pending(pool: Pool, revocations: Revocations, *subjects: str) -> None:
    """Wait until all that is pending about these subjects is in force everywhere. Call it with no connection held."""
    for ticket in await list_pending_about(pool, subjects):
        await revocations.confirm(ticket)


async def confirmed(revocations: Revocations, ticket: uuid.UUID | None) -> Receipt | None:
    """Wait for a ticket, if there is one. Call it with no connection held."""
    return None if ticket is None else await revocations.confirm(ticket)


def require_lease(guard: Guard) -> None:
    """Refuse what would revoke as a side effect while nobody could confirm it; raises `Unavailable`, before any change.

    Pure revocations always commit; this is for the rest: roles, blocked users, a sign-in that ends the oldest session.
    """
    if not guard.cache.is_leased():
        raise Unavailable("The feed of revocations is out of reach. Try again.", type=ErrorType.REVOCATION_UNCONFIRMED)
