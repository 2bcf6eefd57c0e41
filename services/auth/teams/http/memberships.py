"""The teams service: memberships.

The project decides which fields of a member other members see. The member and keys that read users see all.
"""

from typing import Annotated

import msgspec

from services.auth.deps import AuthDeps
from services.auth.mail.http.links import check_link
from services.auth.people.http.sessions import client_of, send_cookies
from services.auth.people.operations.pace import Pace
from services.auth.teams.domain.teams import MEMBERSHIP_LIST_FIELDS, membership_fields, shown_of_members
from services.auth.teams.domain.teams import Membership as MembershipOf
from services.auth.teams.http.teams import CALLERS, READ, WRITE, Roles, TeamPath
from services.auth.teams.operations import accept, invite
from services.auth.teams.operations import memberships as operations
from services.auth.teams.operations.accept import Link
from services.auth.teams.operations.invite import Invitee, MembershipRequest
from shared.contracts.ids import NO_USER, MembershipId, UserId
from shared.contracts.principal import Kind
from shared.kernel.clock import wire_date
from shared.kernel.errors import ErrorType, Refusal
from shared.kernel.ids import UNIQUE
from shared.queries.lists import parse_list_query
from shared.web.endpoint import Call, Caller, RateLimit, Routes
from shared.web.parameters import CustomIdOf, IdOf
from shared.web.receipts import add_receipt, with_receipt

routes = Routes[AuthDeps]("teams", {"teamId": ErrorType.TEAM_NOT_FOUND, "membershipId": ErrorType.MEMBERSHIP_NOT_FOUND})

LONGEST_URL = 2_048

OptionalId = Annotated[
    UserId, msgspec.Meta(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,35})?\Z", description="must be an id, or empty")
]
Phone = Annotated[
    str,
    msgspec.Meta(pattern=r"^(\+[1-9][0-9]{1,14})?\Z", description="must be a phone number of E.164, or empty"),
]


class CreateMembership(TeamPath, frozen=True, kw_only=True, rename="camel"):
    """The new member, by one of `userId`, `email` and `phone`; `url` is where an invitation's link leads."""

    roles: Roles
    membership_id: CustomIdOf[MembershipId] = MembershipId(UNIQUE)
    user_id: OptionalId = NO_USER
    email: Annotated[str, msgspec.Meta(max_length=320)] = ""
    phone: Phone = ""
    name: Annotated[str, msgspec.Meta(max_length=128)] = ""
    url: Annotated[str, msgspec.Meta(max_length=LONGEST_URL)] = ""


class ListMemberships(TeamPath, frozen=True, kw_only=True, rename="camel"):
    """`queries` in the SDKs' syntax; `total` false spares the count.

    `search` in ids of memberships, and in those of users where the caller is shown them.
    """

    queries: list[str] = []
    search: Annotated[str, msgspec.Meta(max_length=256)] = ""
    total: bool = True


class ListOwnMemberships(msgspec.Struct, frozen=True, kw_only=True):
    """As of a team; each membership is of the user who calls."""

    queries: list[str] = []
    search: Annotated[str, msgspec.Meta(max_length=256)] = ""
    total: bool = True


class ListUserMemberships(ListOwnMemberships, frozen=True, kw_only=True, rename="camel"):
    """As of a team; each membership is of this user."""

    user_id: IdOf[UserId]


class MembershipPath(TeamPath, frozen=True, kw_only=True, rename="camel"):
    """One membership of a team."""

    membership_id: IdOf[MembershipId]


class UpdateMembership(MembershipPath, frozen=True, kw_only=True, rename="camel"):
    """All roles that the member is to have in the team."""

    roles: Roles


class AcceptMembership(MembershipPath, frozen=True, kw_only=True, rename="camel"):
    """What the link of an invitation says."""

    user_id: IdOf[UserId]
    secret: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class Membership(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A user's place in a team; what the project does not show of the user is empty."""

    id: str = msgspec.field(name="$id")
    created_at: str = msgspec.field(name="$createdAt")
    updated_at: str = msgspec.field(name="$updatedAt")
    user_id: str
    user_name: str
    user_email: str
    user_phone: str
    team_id: str
    team_name: str
    invited: str
    joined: str
    confirm: bool
    mfa: bool = False
    user_accessed_at: str
    roles: list[str]


class MembershipList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of memberships."""

    total: int
    memberships: list[Membership]


@routes.endpoint(
    "POST",
    "/v1/teams/{teamId}/memberships",
    name="teams.create_membership",
    callers=CALLERS,
    scopes=WRITE,
    status=201,
    limit=RateLimit(10, fail_closed=True),
    auth_method="invites",
    errors=(
        ErrorType.TEAM_NOT_FOUND,
        ErrorType.USER_UNAUTHORIZED,
        ErrorType.USER_NOT_FOUND,
        ErrorType.USER_ALREADY_EXISTS,
        ErrorType.MEMBERSHIP_ALREADY_CONFIRMED,
        ErrorType.RESOURCE_ALREADY_EXISTS,
        ErrorType.GENERAL_SMTP_DISABLED,
        ErrorType.REVOCATION_UNCONFIRMED,
    ),
)
async def create_membership(call: Call[AuthDeps], params: CreateMembership) -> Membership:
    """Make a member at once, by a key; or invite one, as an owner: the link goes to who is invited."""
    _check_target(call, params)
    await Pace(call.counts).step(call.project.id, call.principal.user_id, "invitation")
    invitee = Invitee(user_id=params.user_id, email=params.email, phone=params.phone, name=params.name)
    request = MembershipRequest(params.team_id, params.membership_id, invitee, params.roles, params.url)
    changed = await invite.create_membership(call.deps, call.principal, project=call.project, request=request)
    membership = with_receipt(call, changed)
    # An invitation to an address shows what the caller sent, and nothing of the user who has the address.
    return membership_model(membership) if membership.is_to_address else _shown(call, membership)


@routes.endpoint(
    "GET",
    "/v1/teams/{teamId}/memberships",
    name="teams.list_memberships",
    callers=CALLERS,
    scopes=READ,
    errors=(ErrorType.TEAM_NOT_FOUND,),
)
async def list_memberships(call: Call[AuthDeps], params: ListMemberships) -> MembershipList:
    """List a team's memberships, those of the invited too."""
    shown = shown_of_members(call.project, call.principal)
    fields = membership_fields(shown)
    query = parse_list_query(params.queries, fields, search=params.search, total=params.total)
    page = await operations.list_memberships(
        call.deps, call.principal, team_id=params.team_id, query=query, names_users="userId" in shown
    )
    return MembershipList(total=page.total, memberships=[_shown(call, one) for one in page.items])


@routes.endpoint(
    "GET",
    "/v1/teams/{teamId}/memberships/{membershipId}",
    name="teams.get_membership",
    callers=CALLERS,
    scopes=READ,
    errors=(ErrorType.TEAM_NOT_FOUND, ErrorType.MEMBERSHIP_NOT_FOUND),
)
async def get_membership(call: Call[AuthDeps], params: MembershipPath) -> Membership:
    """Return a membership."""
    membership = await operations.get_membership(
        call.deps, call.principal, team_id=params.team_id, membership_id=params.membership_id
    )
    return _shown(call, membership)


@routes.endpoint(
    "PATCH",
    "/v1/teams/{teamId}/memberships/{membershipId}",
    name="teams.update_membership",
    callers=CALLERS,
    scopes=WRITE,
    errors=(
        ErrorType.TEAM_NOT_FOUND,
        ErrorType.MEMBERSHIP_NOT_FOUND,
        ErrorType.USER_UNAUTHORIZED,
        ErrorType.REVOCATION_UNCONFIRMED,
    ),
)
async def update_membership(call: Call[AuthDeps], params: UpdateMembership) -> Membership:
    """Replace a member's roles, as an owner or by a key, in force everywhere."""
    changed = await operations.update_roles(
        call.deps,
        call.principal,
        team_id=params.team_id,
        membership_id=params.membership_id,
        roles=params.roles,
        counts=call.counts,
    )
    return _shown(call, with_receipt(call, changed))


@routes.endpoint(
    "PATCH",
    "/v1/teams/{teamId}/memberships/{membershipId}/status",
    name="teams.update_membership_status",
    callers=Caller.CLIENT,
    scopes=("public",),
    errors=(
        ErrorType.MEMBERSHIP_NOT_FOUND,
        ErrorType.TEAM_NOT_FOUND,
        ErrorType.TEAM_MEMBERSHIP_MISMATCH,
        ErrorType.TEAM_INVALID_SECRET,
        ErrorType.TEAM_INVITE_MISMATCH,
        ErrorType.MEMBERSHIP_ALREADY_CONFIRMED,
        ErrorType.USER_BLOCKED,
        ErrorType.USER_COUNT_EXCEEDED,
        ErrorType.REVOCATION_UNCONFIRMED,
    ),
)
async def accept_membership(call: Call[AuthDeps], params: AcceptMembership) -> Membership:
    """Accept an invitation; a guest is signed in by that."""
    link = Link(params.team_id, params.membership_id, params.user_id, params.secret)
    accepted = await accept.accept_membership(
        call.deps, call.user, project=call.project, link=link, client=client_of(call)
    )
    if accepted.signed_in is not None:
        send_cookies(call, accepted.signed_in)
    add_receipt(call, accepted.receipt)
    return membership_model(accepted.membership)


@routes.endpoint(
    "DELETE",
    "/v1/teams/{teamId}/memberships/{membershipId}",
    name="teams.delete_membership",
    callers=CALLERS,
    scopes=WRITE,
    status=204,
    errors=(
        ErrorType.TEAM_NOT_FOUND,
        ErrorType.TEAM_INVITE_NOT_FOUND,
        ErrorType.USER_UNAUTHORIZED,
        ErrorType.REVOCATION_UNCONFIRMED,
    ),
)
async def delete_membership(call: Call[AuthDeps], params: MembershipPath) -> None:
    """Delete a membership: the caller's own, or any for an owner. Its roles are gone everywhere on return."""
    receipt = await operations.delete_membership(
        call.deps, call.principal, team_id=params.team_id, membership_id=params.membership_id
    )
    add_receipt(call, receipt)


@routes.endpoint(
    "GET",
    "/v1/users/{userId}/memberships",
    name="users.list_memberships",
    callers=Caller.KEY,
    scopes=("users.read",),
    errors=(ErrorType.USER_NOT_FOUND,),
)
async def list_user_memberships(call: Call[AuthDeps], params: ListUserMemberships) -> MembershipList:
    """List a user's memberships of all teams."""
    return await _list_of(call, params.user_id, params)


@routes.endpoint(
    "GET", "/v1/account/memberships", name="account.list_memberships", callers=Caller.USER, scopes=("account",)
)
async def list_own_memberships(call: Call[AuthDeps], params: ListOwnMemberships) -> MembershipList:
    """List the memberships of the user who calls, invitations too."""
    return await _list_of(call, call.principal.user_id, params)


def membership_model(membership: MembershipOf) -> Membership:
    """Write a membership with all that is known of its user."""
    return Membership(
        id=membership.id,
        created_at=wire_date(membership.created_at),
        updated_at=wire_date(membership.updated_at),
        user_id=membership.user_id,
        user_name=membership.user_name,
        user_email=membership.user_email,
        user_phone=membership.user_phone,
        team_id=membership.team_id,
        team_name=membership.team_name,
        invited=wire_date(membership.invited_at),
        joined=wire_date(membership.joined_at),
        confirm=membership.confirmed,
        user_accessed_at=wire_date(membership.user_accessed_at),
        roles=membership.roles,
    )


async def _list_of(call: Call[AuthDeps], user_id: UserId, params: ListOwnMemberships) -> MembershipList:
    query = parse_list_query(params.queries, MEMBERSHIP_LIST_FIELDS, search=params.search, total=params.total)
    page = await operations.list_memberships_of(call.deps, call.project.id, user_id=user_id, query=query)
    return MembershipList(total=page.total, memberships=[membership_model(one) for one in page.items])


def _shown(call: Call[AuthDeps], membership: MembershipOf) -> Membership:
    """Write a membership for who calls: of another user, what the project shows."""
    whole = membership_model(membership)
    if membership.user_id == call.principal.user_id and not membership.is_to_address:
        return whole
    shown = shown_of_members(call.project, call.principal)
    return msgspec.structs.replace(
        whole,
        user_id=whole.user_id if "userId" in shown else "",
        user_name=whole.user_name if "userName" in shown else "",
        user_email=whole.user_email if "userEmail" in shown else "",
        user_phone=whole.user_phone if "userPhone" in shown else "",
        user_accessed_at=whole.user_accessed_at if "userAccessedAt" in shown else "",
    )


def _check_target(call: Call[AuthDeps], params: CreateMembership) -> None:
    if not (params.user_id or params.email or params.phone):
        raise Refusal(ErrorType.GENERAL_ARGUMENT_INVALID, "At least one of userId, email, or phone is required")
    if params.url:
        check_link(call.project, params.url)
    elif call.principal.kind is not Kind.KEY:
        raise Refusal(ErrorType.GENERAL_ARGUMENT_INVALID, 'Param "url" is not optional.')
