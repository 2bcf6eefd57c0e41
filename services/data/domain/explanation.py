"""Why somebody may do something with a row: the rules that the statements of lists and rows follow, as a function."""

from collections.abc import Sequence

from services.data.domain.catalogue import Table
from shared.appwrite.permissions import TABLE_ACTIONS, Permission, granted_roles
from shared.contracts.explanations import ExplainedAction, Explanation, Grant
from shared.contracts.principal import Principal
from shared.kernel.errors import ErrorType


def explain(table: Table, permissions: Sequence[str], principal: Principal) -> Explanation:
    """Return what a user or guest may do with a row that has these permissions; they count under row security.

    Creating is the table's alone to grant: no row has a permission to create.
    """
    refusal, held = _refusal(table, principal), frozenset(principal.roles)
    return Explanation(
        user=principal.user_id,
        roles=principal.roles,
        refusal=table.naming.word(refusal),
        row_security=table.row_security,
        actions=tuple(
            _explained(table, permissions, action, held, is_refused=bool(refusal)) for action in TABLE_ACTIONS
        ),
    )


def _explained(
    table: Table, permissions: Sequence[str], action: str, held: frozenset[str], *, is_refused: bool
) -> ExplainedAction:
    by_table, by_row = granted_roles(table.permissions, action), granted_roles(permissions, action)
    counted = [("table", by_table), ("row", by_row if table.row_security else [])]
    grants = tuple(
        Grant(permission=str(Permission(action, role)), of=table.naming.word(of))
        for of, roles in counted
        for role in roles
        if role in held
    )
    ignored = [] if table.row_security else [role for role in by_row if role in held]
    return ExplainedAction(
        action=action,
        allowed=bool(grants) and not is_refused,
        grants=grants,
        needs=() if grants else tuple(dict.fromkeys(role for _, roles in counted for role in roles)),
        ignored=tuple(str(Permission(action, role)) for role in ignored),
    )


def _refusal(table: Table, principal: Principal) -> str:
    if principal.blocked:
        return ErrorType.USER_BLOCKED
    if not table.database.enabled:
        return ErrorType.DATABASE_NOT_FOUND
    return "" if table.enabled else ErrorType.TABLE_NOT_FOUND
