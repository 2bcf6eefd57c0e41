"""Teams and memberships: the values, the queries of their lists, and the callers who may see and change them."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from shared.contracts.ids import MembershipId, ProjectId, TeamId, UserId
from shared.contracts.principal import Kind as CallerKind
from shared.contracts.principal import Principal, Project
from shared.kernel.errors import ErrorType, Refusal
from shared.queries.fields import Field, boolean, date, fields, integer, text

OWNER = "owner"
MAX_ROLES_IN_TEAM = 100
INVITATION_LIFE = timedelta(days=7)

TEAM_LIST_FIELDS = fields({"name": text, "total": integer})
MEMBERSHIP_LIST_FIELDS = fields(
    {"userId": text, "teamId": text, "invited": date, "joined": date, "confirm": boolean, "roles": text},
    arrays=frozenset({"roles"}),
)
OF_MEMBERS = frozenset({"userId", "userName", "userEmail", "userPhone", "userAccessedAt"})
"""The fields of a membership that tell of its user."""


class Team(msgspec.Struct, frozen=True, kw_only=True):
    """A team; `total` is the number of its confirmed members."""

    project_id: ProjectId
    id: TeamId
    name: str
    total: int
    prefs: msgspec.Raw
    created_at: datetime
    updated_at: datetime


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """A user's place in a team, and what is shown of both; it grants nothing until it is confirmed.

    `is_to_address`: an invitation to an address, whose user does not exist yet: `user_id` is reserved.
    """

    project_id: ProjectId
    id: MembershipId
    team_id: TeamId
    team_name: str
    user_id: UserId
    user_name: str
    user_email: str
    user_phone: str
    user_accessed_at: datetime | None
    roles: list[str]
    confirmed: bool
    is_to_address: bool
    invited_at: datetime
    joined_at: datetime | None
    created_at: datetime
    updated_at: datetime


class NewMembership(msgspec.Struct, frozen=True, kw_only=True):
    """A membership to be kept: confirmed where it has been joined, else an invitation with a secret and an address.

    With `invited_name` it is for the user who has that address when it is accepted, and `user_id` is reserved; else
    for the user.
    """

    project_id: ProjectId
    id: MembershipId
    team_id: TeamId
    user_id: UserId
    roles: list[str]
    joined_at: datetime | None
    secret_digest: bytes | None = None
    sent_to: str = ""
    invited_name: str | None = None


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """What proves an invitation: the digest of its secret, and the address that its link was sent to.

    With `invited_name` it is for the user who has that address when it is accepted; else for the user.
    """

    id: MembershipId
    team_id: TeamId
    user_id: UserId
    confirmed: bool
    secret_digest: bytes | None
    sent_to: str
    invited_name: str | None
    invited_at: datetime


def check_age(invitation: Invitation, now: datetime) -> None:
    """Raise `Refusal(TEAM_INVALID_SECRET)` where an invitation has ended by itself."""
    if now - invitation.invited_at >= INVITATION_LIFE:
        message = f"The invitation ended {INVITATION_LIFE.days} days after it was sent. Ask for a new one."
        raise Refusal(ErrorType.TEAM_INVALID_SECRET, message)


def reads_users(principal: Principal) -> bool:
    """Say whether a caller may read all users: a key with the scope for it."""
    return principal.kind is CallerKind.KEY and "users.read" in principal.scopes


def shown_of_members(project: Project, principal: Principal) -> frozenset[str]:
    """Return the fields of OF_MEMBERS that a caller is shown of others, and may ask for."""
    return OF_MEMBERS if reads_users(principal) else OF_MEMBERS & project.shown_membership_fields


def membership_fields(shown: frozenset[str]) -> Mapping[str, Field]:
    """Return the queries of memberships open to a caller who sees these fields of their users."""
    return {name: one for name, one in MEMBERSHIP_LIST_FIELDS.items() if name not in OF_MEMBERS - shown}


def check_member(principal: Principal, team_id: TeamId) -> None:
    """Raise `Refusal(TEAM_NOT_FOUND)` unless the caller may see the team: a confirmed member, or a key."""
    if principal.kind is not CallerKind.KEY and f"team:{team_id}" not in principal.roles:
        raise Refusal(ErrorType.TEAM_NOT_FOUND)


def check_owner(principal: Principal, team_id: TeamId) -> None:
    """Raise as `check_member`, or `Refusal(USER_UNAUTHORIZED)` unless the caller may change the team."""
    check_member(principal, team_id)
    if principal.kind is not CallerKind.KEY and f"team:{team_id}/{OWNER}" not in principal.roles:
        raise Refusal(ErrorType.USER_UNAUTHORIZED)
