"""Memberships: given by keys at once and by owners' invitations, shown, changed, ended; roles in force everywhere."""

import secrets
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from services.auth.deps import AuthDeps
from services.auth.mail.domain.emails import normal_email
from services.auth.mail.operations.invitations import Invitations, Letter, link_to
from services.auth.people.domain.records import NewUser, User
from services.auth.people.operations.pace import Pace
from services.auth.people.operations.sessions import SignedIn, SignIn, Whose, add_session, signing_in
from services.auth.people.store import sessions, users
from services.auth.people.store.spent_ids import is_spent
from services.auth.projects.store.projects import hold_project
from services.auth.revocations.operations.endings import end_all
from services.auth.teams.domain.teams import (
    Invitation,
    Membership,
    NewMembership,
    Team,
    check_age,
    check_member,
    check_owner,
    reads_users,
)
from services.auth.teams.operations.teams import check_again, check_roles
from services.auth.teams.store import memberships as store
from services.auth.teams.store import teams
from shared.contracts import subjects
from shared.contracts.credentials import digest
from shared.contracts.ids import MembershipId, ProjectId, TeamId, UserId
from shared.contracts.principal import Kind, Principal, Project
from shared.contracts.reasons import Reason
from shared.guard.changing import Change, Changed, changing
from shared.guard.receipt import Receipt
from shared.kernel.clock import now
from shared.kernel.errors import ErrorType, Refusal, Unavailable
from shared.kernel.ids import UNIQUE, chosen_id, unique_id
from shared.postgres.pool import Connection
from shared.queries.lists import ListQuery
from shared.web.counts import Counts

SECRET_BYTES = 32


class Invitee(msgspec.Struct, frozen=True, kw_only=True):
    """Who is to be a member: by id, else by address, else by phone number; empty where not given."""

    user_id: UserId = UserId("")
    email: str = ""
    phone: str = ""
    name: str = ""


class MembershipRequest(NamedTuple):
    """What is asked for: a membership, or an invitation whose link leads to `url`."""

    team_id: TeamId
    id: MembershipId
    invitee: Invitee
    roles: list[str]
    url: str


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


async def create_membership(
    deps: AuthDeps, principal: Principal, *, project: Project, request: MembershipRequest
) -> Changed[Membership]:
    """Make a member, at once where a key asks; where an owner does, send an invitation.

    A key makes a user without a password of an address that nobody has. An owner invites the address, and is not told
    whether anybody has it: the user is found or made when the invitation is accepted. One that is pending is replaced.
    Raises `Refusal` (TEAM_NOT_FOUND, USER_UNAUTHORIZED, USER_NOT_FOUND, USER_ALREADY_EXISTS, USER_COUNT_EXCEEDED,
    MEMBERSHIP_ALREADY_CONFIRMED, RESOURCE_ALREADY_EXISTS, GENERAL_SMTP_DISABLED), `ArgumentInvalid`, `Unavailable`.
    """
    check_owner(principal, request.team_id)
    roles = list(dict.fromkeys(request.roles))
    if principal.kind is not Kind.KEY:
        return Changed(await _invite(deps, principal, project=project, request=request._replace(roles=roles)), None)
    team = subjects.team(project.id, request.team_id)
    async with changing(deps, principal, Reason.MEMBERSHIP_CREATED, side_effect=True, settles=[team]) as change:
        connection = change.connection
        await hold_project(connection, project.id, project.incarnation)
        await teams.get_team(connection, project.id, request.team_id)
        user = await _find_or_make(connection, project, request.invitee, compares=reads_users(principal))
        place = _Place(project.id, request.team_id, roles, user)
        membership = await _put(connection, place, request.id, is_joined=True)
        await check_roles(connection, project.id, user.id)
        _revoke(change, request.team_id, user.id)
    return Changed(membership, change.receipt)


async def get_membership(
    deps: AuthDeps, principal: Principal, *, team_id: TeamId, membership_id: MembershipId
) -> Membership:
    """Return a membership; raises `Refusal(TEAM_NOT_FOUND)`, `Refusal(MEMBERSHIP_NOT_FOUND)`."""
    check_member(principal, team_id)
    async with deps.pool.acquire() as connection:
        await teams.get_team(connection, principal.project_id, team_id)
        return _found(await store.find_membership(connection, principal.project_id, team_id, membership_id))


async def list_memberships(
    deps: AuthDeps, principal: Principal, *, team_id: TeamId, query: ListQuery, names_users: bool
) -> tuple[int, list[Membership]]:
    """Return a page of a team's memberships and how many match; raises `Refusal(TEAM_NOT_FOUND)`, or of a cursor.

    `names_users`: the caller is shown the ids of users, and may search them.
    """
    check_member(principal, team_id)
    async with deps.pool.acquire() as connection:
        await teams.get_team(connection, principal.project_id, team_id)
        return await store.list_memberships(connection, principal.project_id, team_id, query, names_users=names_users)


async def list_memberships_of(
    deps: AuthDeps, project_id: ProjectId, *, user_id: UserId, query: ListQuery
) -> tuple[int, list[Membership]]:
    """Return a page of a user's memberships and how many match; raises `Refusal(USER_NOT_FOUND)`, or of a cursor."""
    async with deps.pool.acquire() as connection:
        await users.get_user(connection, project_id, user_id)
        return await store.list_memberships_of(connection, project_id, user_id, query)


async def update_roles(
    deps: AuthDeps,
    principal: Principal,
    *,
    team_id: TeamId,
    membership_id: MembershipId,
    roles: list[str],
    counts: Counts | None,
) -> Changed[Membership]:
    """Replace a member's roles, in force everywhere on return.

    Raises `Refusal` (TEAM_NOT_FOUND, USER_UNAUTHORIZED, MEMBERSHIP_NOT_FOUND), `Unavailable`; and
    `Refusal(GENERAL_RATE_LIMIT_EXCEEDED)` for who gives roles all the time, but not for who takes them.
    """
    check_owner(principal, team_id)
    project_id = principal.project_id
    team = subjects.team(project_id, team_id)
    async with changing(deps, principal, Reason.MEMBERSHIP_ROLES, side_effect=True, settles=[team]) as change:
        connection = change.connection
        await teams.get_team(connection, project_id, team_id)
        known = _found(await store.find_membership(connection, project_id, team_id, membership_id))
        if not set(roles) < set(known.roles):
            await Pace(counts).step(project_id, principal.user_id, "roles")
        await sessions.lock_user(connection, project_id, known.user_id)
        # Before the change: who takes the own role of owner still had it.
        await check_again(connection, principal, owns=team_id)
        await store.set_roles(connection, project_id, team_id, membership_id, list(dict.fromkeys(roles)))
        membership = _found(await store.find_membership(connection, project_id, team_id, membership_id))
        if not known.is_to_address:
            await check_roles(connection, project_id, known.user_id)
        _revoke(change, team_id, known.user_id)
    return Changed(membership, change.receipt)


async def delete_membership(
    deps: AuthDeps, principal: Principal, *, team_id: TeamId, membership_id: MembershipId
) -> Receipt | None:
    """End a membership: one's own, or as an owner or key anybody's; no replica knows its roles on return.

    Raises `Refusal` (TEAM_NOT_FOUND, TEAM_INVITE_NOT_FOUND, USER_UNAUTHORIZED), all of them once what was ended before
    is in force everywhere; `Unavailable`.
    """
    project_id = principal.project_id
    team = subjects.team(project_id, team_id)
    async with changing(deps, principal, Reason.MEMBERSHIP_DELETED, settles=[team]) as change:
        connection = change.connection
        known = await store.find_membership(connection, project_id, team_id, membership_id)
        is_own = await store.belongs_to(connection, project_id, membership_id, principal.user_id)
        if not is_own:
            check_member(principal, team_id)
            await teams.get_team(connection, project_id, team_id)
        if known is None:
            raise Refusal(ErrorType.TEAM_INVITE_NOT_FOUND)
        if not is_own:
            check_owner(principal, team_id)
        await check_again(connection, principal, owns="" if is_own else team_id)
        if not await store.delete_membership(connection, project_id, team_id, membership_id):
            raise Refusal(ErrorType.TEAM_INVITE_NOT_FOUND)
        _revoke(change, team_id, known.user_id)
    return change.receipt


async def accept_membership(
    deps: AuthDeps, user: Principal | None, *, project: Project, link: Link, ip: str
) -> Accepted:
    """Accept an invitation by the secret of its link, as `user` or as a guest, who is signed in by it.

    An invitation to an address makes a user where nobody has the address yet. A link signs in only while the address
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
            sign_in = SignIn("email", invited.email or "", ["email"], ip)
            signed_in = await add_session(deps, change, project=project, whose=Whose.of(invited), sign_in=sign_in)
        else:
            await check_again(connection, user)
        _revoke(change, link.team_id, invited.id)
        membership = _found(await store.find_membership(connection, project.id, link.team_id, link.membership_id))
    return Accepted(membership, signed_in, change.receipt)


class _Place(NamedTuple):
    """A place in a team: of a user, or of whoever accepts an invitation to an address."""

    project_id: ProjectId
    team_id: TeamId
    roles: list[str]
    user: User | None = None
    invited_name: str | None = None


async def _invite(deps: AuthDeps, principal: Principal, *, project: Project, request: MembershipRequest) -> Membership:
    sink = _sink(deps)
    secret = secrets.token_hex(SECRET_BYTES)
    async with deps.pool.acquire() as connection, connection.transaction():
        team = await teams.get_team(connection, project.id, request.team_id)
        await check_again(connection, principal, owns=request.team_id)
        if request.invitee.user_id:
            user = await users.get_user(connection, project.id, request.invitee.user_id)
            sent_to, place = _address(user), _Place(project.id, request.team_id, request.roles, user)
        else:
            sent_to = normal_email("email", request.invitee.email) if request.invitee.email else request.invitee.phone
            place = _Place(project.id, request.team_id, request.roles, invited_name=request.invitee.name or sent_to)
        membership = await _put(connection, place, UNIQUE, is_joined=False, secret=secret, sent_to=sent_to)
    letter = _letter(team, membership, to=sent_to, url=request.url, secret=secret)
    try:
        await sink.send(letter)
    except OSError as error:
        raise Refusal(ErrorType.GENERAL_SMTP_DISABLED, "The invitation could not be sent. Invite again.") from error
    return membership


async def _put(
    connection: Connection, place: _Place, id_: str, *, is_joined: bool, secret: str = "", sent_to: str = ""
) -> Membership:
    """Make a membership, or put it in place of one that is pending.

    Raises `Refusal(MEMBERSHIP_ALREADY_CONFIRMED)`, `Refusal(USER_NOT_FOUND)`.
    """
    project_id, team_id, roles, user, invited_name = place
    if user is None:
        known = await store.find_membership_to(connection, project_id, team_id, sent_to)
        user_id = UserId(unique_id()) if known is None else known.user_id
    else:
        if await sessions.lock_user(connection, project_id, user.id, user.incarnation) is None:
            raise Refusal(ErrorType.USER_NOT_FOUND)
        known = await store.find_membership_of(connection, project_id, team_id, user.id)
        user_id = user.id
    if known is not None and known.confirmed:
        raise Refusal(ErrorType.MEMBERSHIP_ALREADY_CONFIRMED)
    membership = NewMembership(
        project_id=project_id,
        id=MembershipId(chosen_id(id_)) if known is None else known.id,
        team_id=team_id,
        user_id=user_id,
        roles=roles,
        joined_at=now() if is_joined else None,
        secret_digest=digest(secret) if secret else None,
        sent_to=sent_to,
        invited_name=invited_name,
    )
    if known is None:
        await store.insert_membership(connection, membership)
    else:
        await store.invite_again(connection, membership)
    return _found(await store.find_membership(connection, project_id, team_id, membership.id))


async def _find_or_make(connection: Connection, project: Project, invitee: Invitee, *, compares: bool) -> User:
    """Return the user who is meant, made where nobody has the address.

    `compares`: the caller may know whether an address that comes beside an id is the user's.
    """
    address = normal_email("email", invitee.email) if invitee.email else None
    if invitee.user_id:
        user = await users.get_user(connection, project.id, invitee.user_id)
        is_other = (address and address != user.email) or (invitee.phone and invitee.phone != user.phone)
        if compares and is_other:
            raise Refusal(ErrorType.USER_ALREADY_EXISTS, "The user has another email address or phone number.")
        return user
    found = None
    if address:
        found = await users.find_user_by_email(connection, project.id, address)
    elif invitee.phone:
        found = await store.find_user_by_phone(connection, project.id, invitee.phone)
    if found is not None:
        return found
    name = invitee.name or address or invitee.phone
    new = NewUser(id=UserId(unique_id()), name=name, email=address, phone=invitee.phone)
    return await users.insert_user(connection, project.id, new)


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
    """Return who is invited, locked until the transaction ends; None where an address is that nobody has."""
    if invitation.invited_name is None:
        return await users.lock_user(connection, project_id, invitation.user_id)
    return await store.lock_user_by_address(connection, project_id, invitation.sent_to)


def _check_acceptance(invitation: Invitation, invited: User | None, user: Principal | None, user_id: UserId) -> None:
    """Raise `Refusal` unless who is invited may accept, as `user` or as a guest, by a link that names `user_id`."""
    if invitation.confirmed:
        raise Refusal(ErrorType.MEMBERSHIP_ALREADY_CONFIRMED)
    invited_id = "" if invited is None else invited.id  # the id in the link is nobody's then, whoever has taken it
    if user_id not in {invited_id, invitation.user_id} or (user is not None and user.user_id != invited_id):
        raise Refusal(ErrorType.TEAM_INVITE_MISMATCH)
    check_age(invitation, now())
    if invited is None:
        return
    if not invited.enabled:
        raise Refusal(ErrorType.USER_BLOCKED)
    # Whoever reads the mail of an address that the user has given up must not become the user.
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
    """Make a user of an address that nobody has, under the id of the invitation unless somebody has or had that.

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


def _address(user: User) -> str:
    """Return where the link goes."""
    address = user.email or user.phone
    if not address:
        raise Refusal(ErrorType.GENERAL_ARGUMENT_INVALID, "The user has no address to send an invitation to.")
    return address


def _letter(team: Team, membership: Membership, *, to: str, url: str, secret: str) -> Letter:
    link = link_to(
        url,
        membershipId=membership.id,
        userId=membership.user_id,
        secret=secret,
        teamId=team.id,
        teamName=team.name,
    )
    return Letter(
        project_id=team.project_id,
        membership_id=membership.id,
        team_id=team.id,
        team_name=team.name,
        user_id=membership.user_id,
        to=to,
        link=link,
    )


def _sink(deps: AuthDeps) -> Invitations:
    if deps.invitations is None:
        raise Refusal(ErrorType.GENERAL_SMTP_DISABLED)
    return deps.invitations


def _revoke(change: Change, team_id: TeamId, user_id: UserId) -> None:
    """Name the team, and the user: what was remembered of who was no member rests on the user alone."""
    project_id = change.actor.project_id
    change.revoke(subjects.user(project_id, user_id), subjects.team(project_id, team_id))


def _found(membership: Membership | None) -> Membership:
    if membership is None:
        raise Refusal(ErrorType.MEMBERSHIP_NOT_FOUND)
    return membership
