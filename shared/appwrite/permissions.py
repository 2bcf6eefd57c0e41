"""The grammar of permissions: `action("role")`, as Appwrite writes them.

A role is `name`, `name:id`, `name/dimension` or `name:id/dimension`. A permission grants where its role is one of the
caller's, letter by letter.
"""

import re
from collections.abc import Collection, Iterable

import msgspec

from shared.contracts.ids import UserId
from shared.contracts.principal import Kind, Principal
from shared.kernel.errors import ArgumentInvalid, ErrorType, Refusal
from shared.kernel.ids import is_id

MOST_PERMISSIONS = 100
MOST_ROLES = 2_000
"""Of a caller: refused when a label or membership is added, never cut when roles are read."""

LONGEST_TEAM_ROLE = 81

ROW_ACTIONS = ("read", "update", "delete")
TABLE_ACTIONS = ("read", "create", "update", "delete")
"""What is stored; `write` stands for all of these but read."""

_PERMISSION = re.compile(r'(read|create|update|delete|write)\("([^"]*)"\)\Z')
_LABEL = re.compile(r"[A-Za-z0-9]{1,36}\Z")
_TEAM_ROLE = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{LONGEST_TEAM_ROLE - 1}}}\Z")
_STATUSES = frozenset({"verified", "unverified"})

_WITHOUT_ID = frozenset({"any", "guests", "users"})
_WITH_ID = frozenset({"user", "team", "member", "label"})
_WITH_STATUS = frozenset({"users", "user"})


class Permission(msgspec.Struct, frozen=True):
    """One action granted to one role."""

    action: str
    role: str

    def __str__(self) -> str:
        return f'{self.action}("{self.role}")'


def parse_permissions(texts: Iterable[str], actions: tuple[str, ...]) -> list[Permission]:
    """Read permissions on a resource that knows `actions`: `write` expanded, repeated ones once, in order.

    Raises `ArgumentInvalid("permissions")`.
    """
    texts = list(texts)
    if len(texts) > MOST_PERMISSIONS:
        raise _invalid(f"at most {MOST_PERMISSIONS} permissions are allowed")
    parsed: dict[Permission, None] = {}
    for text in texts:
        match = _PERMISSION.match(text)
        if match is None:
            raise _invalid('each must read action("role")')
        action, role = match[1], match[2]
        check_role(role)
        wanted = [known for known in actions if known != "read"] if action == "write" else [action]
        if not set(wanted) <= set(actions):
            raise _invalid(f"{action} cannot be granted here; only {', '.join((*actions, 'write'))} can")
        parsed.update((Permission(one, role), None) for one in wanted)
    return list(parsed)


def check_role(role: str) -> None:
    """Raise `ArgumentInvalid("permissions")` unless the text is a role."""
    head, slash, dimension = role.partition("/")
    name, colon, id_ = head.partition(":")
    if name not in _WITHOUT_ID | _WITH_ID:
        raise _invalid("a role is one of any, guests, users, user, team, member, label")
    if (name in _WITH_ID) != bool(colon):
        raise _invalid(f"the role {name} {'needs' if name in _WITH_ID else 'has no'} id")
    if colon and not (_LABEL.match(id_) if name == "label" else is_id(id_)):
        raise _invalid(f"the id of the role {name} is not valid")
    if slash and not _is_dimension(name, dimension):
        raise _invalid(f"the dimension of the role {name} is not valid")


def check_assignable(permissions: Iterable[Permission], roles: tuple[str, ...]) -> None:
    """Raise `Refusal(USER_UNAUTHORIZED)` where a client grants to a role that it does not hold."""
    held = frozenset(roles)
    if any(permission.role not in held for permission in permissions):
        raise Refusal(ErrorType.USER_UNAUTHORIZED, f"Permissions must be one of: ({', '.join(roles)})")


def owner_permissions(user_id: UserId) -> list[Permission]:
    """Return what a user gets on a row or file that it makes without naming permissions."""
    return [Permission(action, f"user:{user_id}") for action in ROW_ACTIONS]


def new_permissions(texts: list[str] | None, principal: Principal) -> list[Permission]:
    """Return the permissions of a new row or file (None: the default); raises as `item_permissions`."""
    if texts is None:
        return owner_permissions(principal.user_id) if principal.user_id else []
    return item_permissions(texts, principal)


def changed_permissions(texts: list[str] | None, principal: Principal) -> list[Permission] | None:
    """Return the permissions that a change gives a row or file (None: those that it has); raises as the next."""
    return None if texts is None else item_permissions(texts, principal)


def item_permissions(texts: list[str], principal: Principal) -> list[Permission]:
    """Return permissions of a row or file; raises `Refusal` where this caller may not grant them."""
    permissions = parse_permissions(texts, ROW_ACTIONS)
    if principal.kind is not Kind.KEY:
        check_assignable(permissions, principal.roles)
    return permissions


def granted_roles(permissions: Iterable[str], action: str) -> list[str]:
    """Return the roles that stored permissions grant an action to, in order."""
    start, end = f'{action}("', '")'
    return [text[len(start) : -len(end)] for text in permissions if text.startswith(start)]


def grants(permissions: Collection[str], action: str, roles: Iterable[str]) -> bool:
    """Say whether stored permissions grant an action to a holder of these roles."""
    return bool(permissions) and not {f'{action}("{role}")' for role in roles}.isdisjoint(permissions)


def open_roles(
    principal: Principal, action: str, *, permissions: Collection[str], has_item_security: bool
) -> list[str] | None:
    """Return the roles by which single items of a container may be open to an action.

    The container's own `permissions` grant for all of its items; with `has_item_security` an item's own permissions
    grant for that item too. None: all items are open, as they are to every key; empty: none can be.
    """
    if principal.kind is Kind.KEY or grants(permissions, action, principal.roles):
        return None
    return list(principal.roles) if has_item_security else []


def _is_dimension(name: str, dimension: str) -> bool:
    if name in _WITH_STATUS:
        return dimension in _STATUSES
    return name == "team" and _TEAM_ROLE.match(dimension) is not None


def _invalid(reason: str) -> ArgumentInvalid:
    return ArgumentInvalid("permissions", reason)
