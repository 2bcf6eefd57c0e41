"""The roles of callers, as a plain model in a few lines of Python, and strategies for it."""

from dataclasses import dataclass

from hypothesis import strategies as st

from tests.accounts import GUEST, Accounts, Headers

ROLES = [
    "any",
    "guests",
    "users",
    "users/verified",
    "users/unverified",
    *(f"user:{user}{status}" for user in ("ada", "bob") for status in ("", "/verified", "/unverified")),
    *(f"team:{team}{role}" for team in ("crew", "cast") for role in ("", "/owner", "/pilot")),
    "member:crew-ada",
    "member:cast-bob",
    "label:vip",
    "label:new",
]


@dataclass(frozen=True)
class User:
    """A user: its teams with its roles there."""

    id: str
    is_verified: bool
    labels: frozenset[str]
    teams: dict[str, frozenset[str]]


def holds(caller: User | None, role: str) -> bool:
    """Say whether a caller has a role."""
    head, _, dimension = role.partition("/")
    name, _, id_ = head.partition(":")
    if caller is None:
        return name in {"any", "guests"}
    is_status = dimension in {"", "verified" if caller.is_verified else "unverified"}
    teams = caller.teams
    return {
        "any": True,
        "guests": False,
        "users": is_status,
        "user": id_ == caller.id and is_status,
        "team": id_ in teams and (not dimension or dimension in teams[id_]),
        "member": any(id_ == f"{team}-{caller.id}" for team in teams),
        "label": id_ in caller.labels,
    }[name]


USERS = st.builds(
    User,
    id=st.sampled_from(["ada", "bob"]),
    is_verified=st.booleans(),
    labels=st.frozensets(st.sampled_from(["vip", "new"])),
    teams=st.dictionaries(st.sampled_from(["crew", "cast"]), st.frozensets(st.sampled_from(["owner", "pilot"]))),
)


def sign_in(accounts: Accounts, caller: User | None) -> Headers:
    if caller is None:
        return GUEST
    memberships = [(f"{team}-{caller.id}", team, sorted(roles)) for team, roles in caller.teams.items()]
    return accounts.sign_in(
        caller.id, is_verified=caller.is_verified, labels=sorted(caller.labels), memberships=memberships
    )
