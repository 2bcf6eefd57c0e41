"""New memberships: confirmed at once for a key, else by an invitation of an owner."""

import secrets
from typing import NamedTuple

import msgspec

from services.auth.deps import AuthDeps
from services.auth.mail.domain.emails import normal_email
from services.auth.mail.domain.phones import check_phone
from services.auth.mail.operations.invitations import Invitations, Letter, link_to
from services.auth.people.domain.records import NewUser, User
from services.auth.people.store import users
from services.auth.projects.store.projects import hold_project
from services.auth.teams.domain.teams import (
    Membership,
    NewMembership,
    Team,
    check_owner,
    reads_users,
)
from services.auth.teams.operations.memberships import found_membership, revoke_roles
from services.auth.teams.operations.teams import check_again, check_roles
from services.auth.teams.store import memberships as store
from services.auth.teams.store import teams
from shared.contracts import subjects
from shared.contracts.credentials import digest
from shared.contracts.ids import MembershipId, ProjectId, TeamId, UserId
from shared.contracts.principal import Kind, Principal, Project
from shared.contracts.reasons import Reason
from shared.guard.changing import Changed, changing
from shared.kernel.clock import now
from shared.kernel.errors import ErrorType, Refusal
from shared.kernel.ids import UNIQUE, chosen_id, unique_id
from shared.postgres.pool import Connection

SECRET_BYTES = 32


class Invitee(msgspec.Struct, frozen=True, kw_only=True):
    """The user who is to be a member, by id, else by address, else by phone number; the others are empty."""

    user_id: UserId = UserId("")
    email: str = ""
    phone: str = ""
    name: str = ""


class MembershipRequest(NamedTuple):
    """The request: a membership, or an invitation whose link leads to `url`."""

    team_id: TeamId
    id: MembershipId
    invitee: Invitee
    roles: list[str]
    url: str


async def create_membership(
    deps: AuthDeps, principal: Principal, *, project: Project, request: MembershipRequest
) -> Changed[Membership]:
    """Make a member, at once where a key asks; where an owner does, send an invitation.

    A key creates a user without a password for an address that no user has. An owner invites the address, and does not
    learn whether a user has it: the user is looked up or created on acceptance. One that is pending is replaced.
    Raises `Refusal` (TEAM_NOT_FOUND, USER_UNAUTHORIZED, USER_NOT_FOUND, USER_ALREADY_EXISTS, USER_COUNT_EXCEEDED,
    MEMBERSHIP_ALREADY_CONFIRMED, RESOURCE_ALREADY_EXISTS, GENERAL_SMTP_DISABLED), `ArgumentInvalid`, `Unavailable`.
    """
    check_owner(principal, request.team_id)
    if request.invitee.phone:
        check_phone("phone", request.invitee.phone)
    roles = list(dict.fromkeys(request.roles))
    if principal.kind is not Kind.KEY:
        return Changed(await _invite(deps, principal, project=project, request=request._replace(roles=roles)), None)
    team = subjects.team(project.id, request.team_id)
    async with changing(deps, principal, Reason.MEMBERSHIP_CREATED, side_effect=True, settles=[team]) as change:
        connection = change.connection
        await hold_project(connection, project.id, project.incarnation)
        await teams.get_team(connection, project.id, request.team_id)
        user = await _find_or_make(connection, project, request.invitee, compares=reads_users(principal))
        member = _NewMember(project.id, request.team_id, roles, user)
        membership = await _put(connection, member, request.id, is_joined=True)
        await check_roles(connection, project.id, user.id)
        revoke_roles(change, request.team_id, user.id)
    return Changed(membership, change.receipt)


class _NewMember(NamedTuple):
    """A place in a team: of a user, or of the user who will accept an invitation to an address."""

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
            sent_to, member = _address(user), _NewMember(project.id, request.team_id, request.roles, user)
        else:
            sent_to = normal_email("email", request.invitee.email) if request.invitee.email else request.invitee.phone
            member = _NewMember(
                project.id, request.team_id, request.roles, invited_name=request.invitee.name or sent_to
            )
        membership = await _put(connection, member, UNIQUE, is_joined=False, secret=secret, sent_to=sent_to)
    letter = _letter(team, membership, to=sent_to, url=request.url, secret=secret)
    try:
        await sink.send(letter)
    except OSError as error:
        raise Refusal(ErrorType.GENERAL_SMTP_DISABLED, "The invitation could not be sent. Invite again.") from error
    return membership


async def _put(
    connection: Connection, member: _NewMember, id_: str, *, is_joined: bool, secret: str = "", sent_to: str = ""
) -> Membership:
    """Make a membership, or put it in place of one that is pending.

    Raises `Refusal(MEMBERSHIP_ALREADY_CONFIRMED)`, `Refusal(USER_NOT_FOUND)`.
    """
    project_id, team_id, roles, user, invited_name = member
    if user is None:
        known = await store.find_membership_to(connection, project_id, team_id, sent_to)
        user_id = UserId(unique_id()) if known is None else known.user_id
    else:
        if await users.lock_sign_in(connection, project_id, user.id, user.incarnation) is None:
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
    return found_membership(await store.find_membership(connection, project_id, team_id, membership.id))


async def _find_or_make(connection: Connection, project: Project, invitee: Invitee, *, compares: bool) -> User:
    """Return the invited user, created where no user has the address.

    `compares`: the caller may know whether an address that comes beside an id is the user's.
    """
    address = normal_email("email", invitee.email) if invitee.email else None
    if invitee.user_id:
        user = await users.get_user(connection, project.id, invitee.user_id)
        is_other = (address and address != user.email) or (invitee.phone and invitee.phone != user.phone)
        if compares and is_other:
            raise Refusal(ErrorType.USER_ALREADY_EXISTS, "The user has another email address or phone number.")
        return user
    owner = None
    if address:
        owner = await users.find_user_by_email(connection, project.id, address)
    elif invitee.phone:
        owner = await store.find_user_by_phone(connection, project.id, invitee.phone)
    if owner is not None:
        return owner
    name = invitee.name or address or invitee.phone
    new = NewUser(id=UserId(unique_id()), name=name, email=address, phone=invitee.phone)
    return await users.insert_user(connection, project.id, new)


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
