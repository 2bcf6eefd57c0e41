"""What all revocations have in common: their entry in the feed, and the wait until it is in force everywhere."""

import uuid

from shared.contracts.events import PrincipalsChanged
from shared.guard.barrier import Revocations
from shared.guard.guard import Guard
from shared.kernel.errors import ErrorType, Unavailable
from shared.messaging.outbox import list_pending_about, publish
from shared.postgres.pool import Connection, Pool


async def tell(
    connection: Connection, reason: str, *subjects: str, by: str, ticket: uuid.UUID | None = None
) -> uuid.UUID:
    """Say in the feed that what was known of `subjects` no longer holds; return the ticket to confirm.

    `by` says for the receipt who asked; `ticket` is the one that was chosen for it, if any.
    """
    event = PrincipalsChanged(subjects=subjects, reason=reason)
    return await publish(connection, event, asked_by=by, ticket=ticket)


async def confirm_pending(pool: Pool, revocations: Revocations, *subjects: str) -> None:
    """Wait until all that is pending about these subjects is in force everywhere. Call it with no connection held."""
    for ticket in await list_pending_about(pool, subjects):
        await revocations.confirm(ticket)


def require_lease(guard: Guard) -> None:
    """Refuse what would revoke as a side effect while nobody could confirm it; raises `Unavailable`, before any change.

    Pure revocations always commit; this is for the rest: roles, blocked users, a sign-in that ends the oldest session.
    """
    if not guard.cache.is_leased():
        raise Unavailable("The revocation feed cannot be reached. Try again.", type=ErrorType.REVOCATION_UNCONFIRMED)
