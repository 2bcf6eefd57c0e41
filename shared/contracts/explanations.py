"""Explanations: what a user may do with a row, and why; the command line requests them from data."""

from typing import ClassVar

import msgspec

from shared.contracts.ids import NO_ROW, DatabaseId, ProjectId, RowId, TableId, UserId
from shared.contracts.requests import ADMIN, Request


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """A permission that grants an action, and whose it is: `of` is `table` or `row`."""

    permission: str
    of: str


class ExplainedAction(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an action is allowed, and why.

    `grants` are the permissions that grant it. Where there is none, any one of the roles in `needs` would do; without
    roles there, only keys may. `ignored` are the row's permissions that would grant it, had the table row
    security.
    """

    action: str
    allowed: bool
    grants: tuple[Grant, ...]
    needs: tuple[str, ...]
    ignored: tuple[str, ...]


class Explanation(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a user, or a guest (empty), may do with a row, by the roles that are held.

    `refusal` is the type of the error that each of the user's requests meets, whatever permissions grant: the user is
    blocked, or the database or table disabled; empty: none.
    """

    user: str
    roles: tuple[str, ...]
    refusal: str
    row_security: bool
    actions: tuple[ExplainedAction, ...]


class ExplainRow(Request[Explanation], frozen=True, kw_only=True):
    """`row.explain`: what may a user (empty: a guest) do with a row (empty: with a row without permissions)?

    Refused with `database_not_found`, `table_not_found`, `row_not_found`, `user_not_found`.
    """

    TYPE: ClassVar[str] = "row.explain"
    SERVICE: ClassVar[str] = "data"
    LANE: ClassVar[str] = ADMIN
    ANSWER: ClassVar[type[msgspec.Struct]] = Explanation

    project_id: ProjectId = msgspec.field(name="project")
    database: DatabaseId
    table: TableId
    row: RowId = NO_ROW
    user_id: UserId = msgspec.field(default=UserId(""), name="user")
