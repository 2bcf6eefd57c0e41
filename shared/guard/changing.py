"""A revoking change: one transaction, its announcement in the feed, and the wait until it is in force everywhere.

Every operation that ends or narrows what callers may do is one. `tests/architecture/test_changing.py` holds them to it.
"""

import contextlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from shared.contracts.events import PrincipalsChanged
from shared.contracts.ids import ProjectId
from shared.contracts.principal import Principal
from shared.contracts.reasons import Reason
from shared.guard.barrier import Revocations
from shared.guard.guard import Guard
from shared.guard.receipt import PENDING, Receipt
from shared.kernel.errors import ErrorType, Refusal, Unavailable
from shared.messaging.outbox import Access, AlreadyPublished, is_published, list_pending_about
from shared.postgres.pool import Connection, Pool

T = TypeVar("T")


class ChangeDeps(Protocol):
    """What a revoking change needs of its service."""

    @property
    def pool(self) -> Pool:
        """The service's own database connections."""

    @property
    def guard(self) -> Guard:
        """The guard of the process."""

    @property
    def revocations(self) -> Revocations:
        """What waits until a change is in force everywhere, and knows how this service reaches the outbox."""


class SystemActor(NamedTuple):
    """The actor of a change without a credential: the command line, a policy, or a user who signs in.

    `who` is for receipts. `ticket` is the id that the change's entry in the outbox will have, where it was chosen
    before: by that a request which is delivered twice is known. `project_id` is empty for what is of the instance.
    """

    project_id: ProjectId
    who: str
    ticket: uuid.UUID | None = None


Actor = Principal | SystemActor
"""The actor of a change."""

INSTANCE_ACTOR = SystemActor(ProjectId(""), "cli")
"""The command line, where it changes what belongs to no project."""


class CommandLineChange(Protocol):
    """A request of the command line that changes something of a project, or the project itself."""

    @property
    def project_id(self) -> ProjectId:
        """The project's id."""

    @property
    def ticket(self) -> uuid.UUID:
        """The id that the change's entry in the outbox will have."""


class Changed(NamedTuple, Generic[T]):
    """The result of a change, and its receipt; None where the change revoked nothing."""

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
        named = self._revoked.setdefault(reason or self._reason, [])
        named += [subject for subject in dict.fromkeys(revoked) if subject not in named]

    async def announce(self, access: Access) -> list[uuid.UUID]:
        """Publish an entry for each reason, within the transaction; return their tickets, the change's own last."""
        chosen = self.actor.ticket if isinstance(self.actor, SystemActor) else None
        tickets = []
        for reason, revoked in reversed(self._revoked.items()):
            if revoked:
                event = PrincipalsChanged(subjects=tuple(revoked), reason=reason)
                ticket = chosen if reason is self._reason else None
                tickets.append(await access.publish(self.connection, event, asked_by=self.actor.who, ticket=ticket))
        return tickets


@contextlib.asynccontextmanager
async def changing(
    deps: ChangeDeps,
    actor: Actor,
    reason: Reason,
    *revoked: str,
    side_effect: bool = False,
    settles: Sequence[str] = (),
    may_stay_pending: bool = False,
) -> AsyncIterator[Change]:
    """Change something in a transaction that revokes these subjects; once the block has been left, that is in force.

    `side_effect`: refuse the change at once where it could not be confirmed, while a pure revocation always commits.
    A refusal leaves the block only after what was pending about `revoked` and `settles` is in force everywhere, where
    the service may read what is pending.
    `may_stay_pending`: what is committed but not confirmed in time has the receipt PENDING; else raises `Unavailable`.
    """
    if side_effect:
        require_lease(deps.guard)
    async with (
        after_pending(deps, *revoked, *settles),
        deps.pool.acquire() as connection,
        connection.transaction(),
    ):
        change = Change(connection, actor, reason, revoked)
        yield change
        tickets = await change.announce(deps.revocations.access)
    try:
        for ticket in tickets:
            change.receipt = await deps.revocations.confirm(ticket)
    except Unavailable:
        if not may_stay_pending:
            raise
        change.receipt = PENDING


async def once(
    deps: ChangeDeps,
    request: CommandLineChange,
    operation: Callable[[SystemActor], Awaitable[Changed[Any] | Receipt | None]],  # Any: only its receipt is returned
) -> str:
    """Do what the command line asks, by the command line as actor, once for each ticket; return the receipt.

    A request that is delivered twice has the same receipt both times, as on the wire: empty where nothing was revoked.
    Raises what the operation raises.
    """
    try:
        outcome = await operation(SystemActor(request.project_id, "cli", request.ticket))
    except Unavailable:
        raise
    except (Refusal, AlreadyPublished):
        if not await is_published(deps.pool, request.ticket):
            raise
        outcome = await deps.revocations.confirm(request.ticket)
    receipt = outcome.receipt if isinstance(outcome, Changed) else outcome
    return "" if receipt is None else receipt.header()


@contextlib.asynccontextmanager
async def after_pending(deps: ChangeDeps, *subjects: str) -> AsyncIterator[None]:
    """Let a refusal out only once what was changed about these subjects before is in force everywhere.

    A delete whose first call was not confirmed is repeated, and its "not found" says that it is done.
    """
    try:
        yield
    except Refusal:
        if subjects and deps.revocations.access.reads_pending:
            await confirm_pending(deps, *subjects)
        raise


async def confirm_pending(deps: ChangeDeps, *subjects: str) -> None:
    """Wait until all that is pending about these subjects is in force everywhere. Call it with no connection held."""
    for ticket in await list_pending_about(deps.pool, subjects):
        await deps.revocations.confirm(ticket)


def require_lease(guard: Guard) -> None:
    """Raise `Unavailable`, before any change, if a revocation that is a side effect could not be confirmed.

    Pure revocations always commit; this is for the rest: roles, blocked users, a sign-in that ends the oldest session.
    """
    if not guard.cache.is_leased():
        raise Unavailable("The revocation feed cannot be reached. Try again.", type=ErrorType.REVOCATION_UNCONFIRMED)
