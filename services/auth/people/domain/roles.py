"""The roles of a user, as rows and files grant to them."""

from collections.abc import Iterable

from shared.appwrite.permissions import MOST_ROLES
from shared.kernel.errors import ErrorType, Refusal


def roles_of(
    user_id: str, *, is_verified: bool, labels: Iterable[str], memberships: Iterable[tuple[str, str, Iterable[str]]]
) -> tuple[str, ...]:
    """Return all role strings of a user, sorted; a membership is its id, its team's id and its roles there."""
    status = "verified" if is_verified else "unverified"
    roles = {"any", "users", f"users/{status}", f"user:{user_id}", f"user:{user_id}/{status}"}
    roles.update(f"label:{label}" for label in labels)
    for membership, team, team_roles in memberships:
        roles |= {f"team:{team}", f"member:{membership}"}
        roles.update(f"team:{team}/{role}" for role in team_roles)
    return tuple(sorted(roles))


def check_number(roles: tuple[str, ...]) -> None:
    """Raise `Refusal(GENERAL_ARGUMENT_INVALID)` where a user would have more than MOST_ROLES."""
    if len(roles) > MOST_ROLES:
        raise Refusal(ErrorType.GENERAL_ARGUMENT_INVALID, f"A user may have at most {MOST_ROLES} roles.")
