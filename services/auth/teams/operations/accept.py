"""The acceptance of an invitation, which may make a user and sign in."""

import secrets
from dataclasses import dataclass, field
from typing import NamedTuple

from services.auth.deps import AuthDeps
from services.auth.people.domain.records import Client, NewUser, User
from services.auth.people.operations.sign_in import SignedIn, SignIn, Whose, add_session, signing_in
from services.auth.people.store import users
from services.auth.people.store.spent_ids import is_spent
from services.auth.projects.store.projects import hold_project
from services.auth.revocations.operations.endings import end_all
from services.auth.teams.domain.teams import (
    Invitation,
    Membership,
    check_age,
)
from services.auth.teams.operations.memberships import found_membership, revoke_roles
from services.auth.teams.operations.teams import check_again, check_roles
from services.auth.teams.store import memberships as store
from services.auth.teams.store import teams
from shared.contracts import subjects
from shared.contracts.credentials import digest
from shared.contracts.ids import MembershipId, ProjectId, TeamId, UserId
from shared.contracts.principal import Principal, Project
from shared.contracts.reasons import Reason
from shared.guard.changing import Change, changing
from shared.guard.receipt import Receipt
from shared.kernel.clock import now
from shared.kernel.errors import ErrorType, Refusal, Unavailable
from shared.kernel.ids import unique_id
from shared.postgres.pool import Connection


@dataclass(frozen=True, slots=True)
class Link:
    """What the link of an invitation says."""

    team_id: TeamId
    membership_id: MembershipId
    user_id: UserId
    secret: str = field(repr=False)


class Accepted(NamedTuple):
    """A membership that its user has accepted, and the session where that was a sign-in."""

    membership: Membership
    signed_in: SignedIn | None
    receipt: Receipt | None


async def accept_membership(
    deps: AuthDeps, user: Principal | None, *, project: Project, link: Link, client: Client
) -> Accepted:
    """Accept an invitation by the secret of its link, as `user` or as a guest, who is signed in by it.

    An invitation to an address creates a user where none has the address yet. A link signs in only while the address
    that it was sent to is the user's, and verifies that address alone.
    Raises `Refusal` (MEMBERSHIP_NOT_FOUND, TEAM_NOT_FOUND, TEAM_MEMBERSHIP_MISMATCH, TEAM_INVALID_SECRET,
    TEAM_INVITE_MISMATCH, MEMBERSHIP_ALREADY_CONFIRMED, USER_BLOCKED, USER_COUNT_EXCEEDED), `Unavailable`.
    """
    settles = [subjects.user(project.id, link.user_id), subjects.team(project.id, link.team_id)]
    signed_in: SignedIn | None = None
    async with changing(
        deps,
        user or signing_in(project.id, link.user_id),
        Reason.MEMBERSHIP_CONFIRMED,
        side_effect=True,
        settles=settles,
        may_stay_pending=user is None,  # the session is made, and its cookie must arrive
    ) as change:
        connection = change.connection
        invitation = await _proven(connection, project.id, link)
        invited = await _find_invited(connection, project.id, invitation)
        _check_acceptance(invitation, invited, user, link.user_id)
        was_there = invited is not None
        if invited is None:
            invited = await _make_invited(connection, project, invitation)
            _check_acceptance(invitation, invited, user, link.user_id)
        await _join(change, project.id, invitation, invited, link.secret)
        if user is None and was_there and not _has_proven(invited, invitation.sent_to):
            await _take_from_claimant(change, project.id, invited)
        if invited.email == invitation.sent_to and not invited.email_verified:
            await users.update_user(connection, project.id, invited.id, email_verified=True)
        await check_roles(connection, project.id, invited.id)
        if user is None:
            change.actor = signing_in(project.id, invited.id)  # an invitation to an address names its user only now
            sign_in = SignIn("email", invited.email or "", ["email"], client)
            signed_in = await add_session(deps, change, project=project, whose=Whose.of(invited), sign_in=sign_in)
        else:
            await check_again(connection, user)
        revoke_roles(change, link.team_id, invited.id)
        membership = found_membership(
            await store.find_membership(connection, project.id, link.team_id, link.membership_id)
        )
    return Accepted(membership, signed_in, change.receipt)


async def _proven(connection: Connection, project_id: ProjectId, link: Link) -> Invitation:
    invitation = await store.find_invitation(connection, project_id, link.membership_id)
    if invitation is None:
        raise Refusal(ErrorType.MEMBERSHIP_NOT_FOUND)
    await teams.get_team(connection, project_id, link.team_id)
    if invitation.team_id != link.team_id:
        raise Refusal(ErrorType.TEAM_MEMBERSHIP_MISMATCH)
    if invitation.secret_digest is None or not secrets.compare_digest(invitation.secret_digest, digest(link.secret)):
        raise Refusal(ErrorType.TEAM_INVALID_SECRET)
    return invitation


async def _find_invited(connection: Connection, project_id: ProjectId, invitation: Invitation) -> User | None:
    """Return who is invited, locked until the transaction ends; None where no user has the invited address."""
    if invitation.invited_name is None:
        return await users.lock_user(connection, project_id, invitation.user_id)
    return await store.lock_user_by_address(connection, project_id, invitation.sent_to)


def _check_acceptance(invitation: Invitation, invited: User | None, user: Principal | None, user_id: UserId) -> None:
    """Raise `Refusal` unless who is invited may accept, as `user` or as a guest, by a link that names `user_id`."""
    if invitation.confirmed:
        raise Refusal(ErrorType.MEMBERSHIP_ALREADY_CONFIRMED)
    invited_id = "" if invited is None else invited.id  # the id in the link then belongs to no invited user
    if user_id not in {invited_id, invitation.user_id} or (user is not None and user.user_id != invited_id):
        raise Refusal(ErrorType.TEAM_INVITE_MISMATCH)
    check_age(invitation, now())
    if invited is None:
        return
    if not invited.enabled:
        raise Refusal(ErrorType.USER_BLOCKED)
    # A reader of the mail of an address that the user no longer has must not become the user.
    if user is None and invitation.sent_to not in {invited.email, invited.phone}:
        raise Refusal(ErrorType.TEAM_INVALID_SECRET)
    # What ended all sessions has ended the links of before, too: also those to an address that is not proven.
    if invited.ended_at is not None and invitation.invited_at <= invited.ended_at:
        raise Refusal(ErrorType.TEAM_INVALID_SECRET)


def _has_proven(user: User, address: str) -> bool:
    """Return whether a user has proven to read what is sent to an address."""
    return user.email_verified if address == user.email else user.phone_verified


async def _take_from_claimant(change: Change, project_id: ProjectId, invited: User) -> None:
    """End all that was set up for an address by somebody who did not prove to read its mail; the mail is read now.

    Anybody can sign up with an address. What is signed in, and the password, must not outlive the proof.
    """
    await end_all(change, invited.id)
    await users.update_user(change.connection, project_id, invited.id, password_hash=None, password_updated_at=None)


async def _make_invited(connection: Connection, project: Project, invitation: Invitation) -> User:
    """Create the user of an address that no user has, with the id of the invitation unless another user has or had it.

    Where somebody takes the address at the same moment, return that user.
    """
    if not project.user_limit:
        await hold_project(connection, project.id, project.incarnation)
    elif await users.lock_users(connection, project) >= project.user_limit:
        raise Refusal(ErrorType.USER_COUNT_EXCEEDED)
    is_email = "@" in invitation.sent_to
    id_ = invitation.user_id
    is_taken = await users.find_user(connection, project.id, id_) is not None
    if is_taken or await is_spent(connection, project.id, "user", id_):
        id_ = UserId(unique_id())
    new = NewUser(
        id=id_,
        name=invitation.invited_name or "",
        email=invitation.sent_to if is_email else None,
        phone=None if is_email else invitation.sent_to,
    )
    try:
        async with connection.transaction():
            return await users.insert_user(connection, project.id, new)
    except Refusal as refusal:
        other = await _find_invited(connection, project.id, invitation)
        if other is None:
            raise Unavailable("The invited user has changed. Try again.") from refusal
        return other


async def _join(change: Change, project_id: ProjectId, invitation: Invitation, invited: User, secret: str) -> None:
    """Make the invited a member, once."""
    known = await store.find_membership_of(change.connection, project_id, invitation.team_id, invited.id)
    if known is not None and known.confirmed:
        raise Refusal(ErrorType.MEMBERSHIP_ALREADY_CONFIRMED)
    await store.delete_pending(change.connection, project_id, invitation.team_id, invited.id, kept=invitation.id)
    if await store.confirm_membership(
        change.connection, project_id, invitation.id, user_id=invited.id, secret_digest=digest(secret)
    ):
        return
    again = await store.find_invitation(change.connection, project_id, invitation.id)
    if again is None:
        raise Refusal(ErrorType.MEMBERSHIP_NOT_FOUND)
    raise Refusal(ErrorType.MEMBERSHIP_ALREADY_CONFIRMED if again.confirmed else ErrorType.TEAM_INVALID_SECRET)
