"""The roles of a user, as rows and files grant to them."""

from collections.abc import Iterable
from typing import NamedTuple

from shared.appwrite.permissions import MOST_ROLES
from shared.contracts.ids import MembershipId, TeamId, UserId
from shared.kernel.errors import ErrorType, Refusal


class Held(NamedTuple):
    """A confirmed membership: its id, its team, and its roles there."""

    id: MembershipId
    team_id: TeamId
    roles: list[str]


def roles_of(
    user_id: UserId, *, is_verified: bool, labels: Iterable[str], memberships: Iterable[Held]
) -> tuple[str, ...]:
    """Return all role strings of a user, sorted."""
    status = "verified" if is_verified else "unverified"
    roles = {"any", "users", f"users/{status}", f"user:{user_id}", f"user:{user_id}/{status}"}
    roles.update(f"label:{label}" for label in labels)
    for held in memberships:
        roles |= {f"team:{held.team_id}", f"member:{held.id}"}
        roles.update(f"team:{held.team_id}/{role}" for role in held.roles)
    return tuple(sorted(roles))


def check_number(roles: tuple[str, ...]) -> None:
    """Raise `Refusal(GENERAL_ARGUMENT_INVALID)` where a user would have more than MOST_ROLES."""
    if len(roles) > MOST_ROLES:
        raise Refusal(ErrorType.GENERAL_ARGUMENT_INVALID, f"A user may have at most {MOST_ROLES} roles.")
