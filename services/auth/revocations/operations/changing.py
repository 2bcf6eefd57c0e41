"""A revoking change: one transaction, its announcement in the feed, and the wait until it is in force everywhere.

Every operation that ends or narrows what callers may do is one. `tests/architecture/test_changing.py` holds them to it.
"""

import contextlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Sequence
from typing import Generic, NamedTuple, TypeVar

import asyncpg

from services.auth.deps import AuthDeps
from services.auth.revocations.operations.revoking import confirm_pending, require_lease, tell
from services.auth.revocations.store.endings import end_all_of_user
from shared.contracts import subjects
from shared.contracts.principal import Principal
from shared.contracts.reasons import Reason
from shared.guard.receipt import PENDING, Receipt
from shared.kernel.errors import ErrorType, Refusal, Unavailable
from shared.messaging.outbox import is_published
from shared.postgres.pool import Connection

T = TypeVar("T")


class SystemActor(NamedTuple):
    """Who changes something without a credential: the command line, a policy, or a user who signs in.

    `who` is for receipts. `ticket` is the id that the change's entry in the outbox will have, where it was chosen
    before: by that a request which is delivered twice is known.
    """

    project: str
    who: str
    ticket: uuid.UUID | None = None


Actor = Principal | SystemActor
"""Who asks for a change."""


def command_line(project: str, ticket: uuid.UUID) -> SystemActor:
    """Return the actor of a request that the command line sends."""
    return SystemActor(project, "cli", ticket)


class Changed(NamedTuple, Generic[T]):
    """What a change has made of something, and its receipt; None where the change revoked nothing."""

    value: T
    receipt: Receipt | None


class Change:
    """A change under way, in the transaction of `connection`. Its receipt is there once the block has been left."""

    def __init__(self, connection: Connection, actor: Actor, reason: Reason, revoked: Sequence[str]) -> None:
        self.connection = connection
        self.actor = actor
        self.receipt: Receipt | None = None
        self._reason = reason
        self._revoked: dict[Reason, list[str]] = {reason: list(revoked)}

    def revoke(self, *revoked: str, reason: Reason | None = None) -> None:
        """Announce, when the block is left, that what was known of these subjects no longer holds."""
        self._revoked.setdefault(reason or self._reason, []).extend(revoked)

    async def end_all(self, user_id: str, *, kept: str = "") -> None:
        """End a user's sessions but `kept`, login tokens, pending invitations, and JWTs without a session.

        This is the one rule of what ends with all sessions of a user: everything by which the user could still sign in
        or act. Raises `Refusal(USER_NOT_FOUND)`.
        """
        if not await end_all_of_user(self.connection, self.actor.project, user_id, kept=kept):
            raise Refusal(ErrorType.USER_NOT_FOUND, "User with the requested ID could not be found.")
        user = subjects.user(self.actor.project, user_id)
        if user not in self._revoked[self._reason]:
            self.revoke(user)

    async def announce(self) -> list[uuid.UUID]:
        """Publish an entry for each reason, within the transaction; return their tickets, the change's own last."""
        chosen = self.actor.ticket if isinstance(self.actor, SystemActor) else None
        tickets = []
        for reason, revoked in reversed(self._revoked.items()):
            if revoked:
                ticket = chosen if reason is self._reason else None
                tickets.append(await tell(self.connection, reason, *revoked, by=self.actor.who, ticket=ticket))
        return tickets


@contextlib.asynccontextmanager
async def changing(
    deps: AuthDeps,
    actor: Actor,
    reason: Reason,
    *revoked: str,
    side_effect: bool = False,
    settles: Sequence[str] = (),
    may_stay_pending: bool = False,
) -> AsyncIterator[Change]:
    """Change something in a transaction that revokes these subjects; once the block has been left, that is in force.

    `side_effect`: refuse the change at once where nobody could confirm it, while a pure revocation always commits.
    A refusal leaves the block only after what was pending about `revoked` and `settles` is in force everywhere.
    `may_stay_pending`: what is committed but not confirmed in time has the receipt PENDING; else raises `Unavailable`.
    """
    if side_effect:
        require_lease(deps.guard)
    async with (
        _settled(deps, *revoked, *settles),
        deps.pool.acquire() as connection,
        connection.transaction(),
    ):
        change = Change(connection, actor, reason, revoked)
        yield change
        tickets = await change.announce()
    try:
        for ticket in tickets:
            change.receipt = await deps.revocations.confirm(ticket)
    except Unavailable:
        if not may_stay_pending:
            raise
        change.receipt = PENDING


async def once(deps: AuthDeps, actor: SystemActor, operation: Awaitable[Changed[T] | Receipt | None]) -> Receipt | None:
    """Return the receipt of an operation that the command line asks for, also where it was done before by its ticket.

    Raises what the operation raises.
    """
    try:
        outcome = await operation
    except Unavailable:
        raise
    except (Refusal, asyncpg.UniqueViolationError):
        if actor.ticket is None or not await is_published(deps.pool, actor.ticket):
            raise
        return await deps.revocations.confirm(actor.ticket)
    return outcome.receipt if isinstance(outcome, Changed) else outcome


@contextlib.asynccontextmanager
async def _settled(deps: AuthDeps, *subjects: str) -> AsyncIterator[None]:
    """Let a refusal out only once what was changed about these subjects before is in force everywhere.

    A delete whose first call was not confirmed is repeated, and its "not found" says that it is done.
    """
    try:
        yield
    except Refusal:
        if subjects:
            await confirm_pending(deps.pool, deps.revocations, *subjects)
        raise
