"""Rights to the rows of a table: decided before anything else is looked at.

The table's own list grants for all rows; with row security, a row's list grants for that row too. Creating needs the
table's list. A key may do everything. No answer differs by what its caller may not read: a row that is hidden is one
that is not there, and so is a table that grants the caller nothing.
"""

from datetime import UTC, datetime

import msgspec

from services.data.domain.catalogue import Database, Table
from services.data.domain.naming import Naming
from shared.appwrite.permissions import TABLE_ACTIONS, grants, open_roles
from shared.contracts.ids import DatabaseId, ProjectId, TableId
from shared.contracts.principal import Kind, Principal

_EPOCH = datetime.fromtimestamp(0, UTC)


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """By which roles single rows are open to an action, and to be read. None: all rows are; empty: none can be."""

    action: str
    acting: list[str] | None
    reading: list[str] | None

    @property
    def is_closed(self) -> bool:
        """Whether no row can be acted on or read."""
        return self.acting == [] and self.reading == []


def roles_for(table: Table, action: str, principal: Principal) -> list[str] | None:
    """Return the roles by which single rows may be open; None: all rows are; empty: none can be."""
    return open_roles(principal, action, permissions=table.permissions, has_item_security=table.row_security)


def access(table: Table, action: str, principal: Principal) -> Access:
    """Return by what rows are open to an action."""
    acting = roles_for(table, action, principal)
    return Access(
        action=action, acting=acting, reading=acting if action == "read" else roles_for(table, "read", principal)
    )


def is_closed(table: Table, principal: Principal) -> bool:
    """Say whether a table grants a caller nothing, and none of its rows can."""
    if table.row_security or principal.kind is Kind.KEY:
        return False
    return not any(grants(table.permissions, action, principal.roles) for action in TABLE_ACTIONS)


def closed_table(naming: Naming) -> Table:
    """Return what a client is shown in place of a table that is not there: one that grants nothing."""
    database = Database(
        n=0,
        project=ProjectId(""),
        id=DatabaseId(""),
        name="",
        enabled=True,
        type=naming,
        created_at=_EPOCH,
        updated_at=_EPOCH,
    )
    return Table(
        n=0,
        database=database,
        id=TableId(""),
        name="",
        enabled=True,
        row_security=False,
        permissions=[],
        version=0,
        columns=[],
        indexes=[],
        created_at=_EPOCH,
        updated_at=_EPOCH,
        naming=naming,
    )
