"""Rows: written one at a time, under a lock of the table's definition."""

from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from services.data.domain.catalogue import Table
from services.data.domain.rights import Access
from services.data.domain.rows import NewRow, RowChange, Values
from services.data.store import statements
from services.data.store.conditions import unfit_column
from services.data.store.errors import translate_errors
from shared.appwrite.permissions import Permission
from shared.contracts.ids import RowId
from shared.kernel.errors import ErrorType, Refusal
from shared.postgres.pool import Connection


class HeldRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row, held for a change: what the caller may do with it, and what the change makes of it.

    `json` is the row, rights unchecked. `is_unchanged`: the row has these values already, but for those of encrypted
    columns, which are not compared; they are still sealed in `json`. `invalid_column`: the key
    of a column that the change does not name, and whose value is none that it takes now; None where there is none.
    """

    seq: int
    updated_at: datetime
    json: str
    may_act: bool
    may_read: bool
    is_unchanged: bool
    invalid_column: str | None


async def insert_row(connection: Connection, table: Table, row: NewRow, *, now: datetime) -> str:
    """Create a row; return it as JSON. Raises `Refusal(ROW_ALREADY_EXISTS)` or of another constraint."""
    created_at = row.created_at or now
    names = ["id", "created_at", "updated_at", "permissions", *(column.name for column, _ in row.values)]
    places = ["$1", "$2", "$3", "$4", *placeholders(row.values, first=5)]
    text = f"""
        INSERT INTO {table.rows} AS t ({", ".join(names)}) VALUES ({", ".join(places)})
        RETURNING t.seq, {statements.row_json(table, None)} AS json
    """
    texts = [str(permission) for permission in row.permissions]
    with translate_errors():
        record = await connection.fetchrow(
            text, row.id, created_at, row.updated_at or created_at, texts, *arguments_of(row.values)
        )
    assert record is not None  # noqa: S101 an INSERT returns its row
    await _grant(connection, table, record["seq"], row.permissions, created_at)
    return str(record["json"])


async def has_row(connection: Connection, table: Table, id_: RowId) -> bool:
    """Say whether there is a row of this id, without a check of rights."""
    exists: bool = await connection.fetchval(f"SELECT EXISTS (SELECT FROM {table.rows} WHERE id = $1)", id_)
    return exists


async def hold_row(
    connection: Connection, table: Table, id_: RowId, access: Access, change: RowChange | None = None
) -> HeldRow:
    """Hold a row for a change (None: one that is not known yet).

    Raises `Refusal(ROW_NOT_FOUND)`, also for a row that may neither be acted on nor read: it is not touched.
    """
    named = {column.n for column, _ in change.values} if change else set()
    values = [one for one in change.values if not one[0].is_encrypted] if change else []
    same = [
        f"t.{column.name} IS NOT DISTINCT FROM {place}"
        for (column, _), place in zip(values, placeholders(values, first=2), strict=True)
    ]
    arguments: list[object] = [id_, *arguments_of(values)]
    if change and change.permissions is not None:
        same.append(f"t.permissions = ${len(arguments) + 1}::text[]")
        arguments.append([str(permission) for permission in change.permissions])
    may_act = _granted(access.acting, access.action, arguments)
    may_read = _granted(access.reading, "read", arguments)
    invalid = unfit_column([column for column in table.columns if column.n not in named], arguments)
    text = f"""
        SELECT t.seq, t.updated_at, {statements.row_json(table, None)} AS json, {may_act} AS may_act,
            {may_read} AS may_read, {" AND ".join(same) or "true"} AS is_unchanged, {invalid} AS invalid_column
        FROM {table.rows} AS t WHERE t.id = $1 AND ({may_act} OR {may_read}) FOR UPDATE
    """
    with translate_errors():
        record = await connection.fetchrow(text, *arguments)
    if record is None:
        raise Refusal(ErrorType.ROW_NOT_FOUND)
    return HeldRow(**dict(record))


async def update_row(connection: Connection, table: Table, held: HeldRow, change: RowChange, *, now: datetime) -> str:
    """Change a row that is held; return it as JSON, or as much of it as a caller may see who may not read it.

    Raises `Refusal` of a constraint. Its time of change is later than before, even within one millisecond.
    """
    sets, arguments = assignments(change, held.seq, now=now)
    if change.created_at is not None:
        arguments.append(change.created_at)
        sets.append(f"created_at = ${len(arguments)}")
    shown = statements.row_json(table, None) if held.may_read else statements.unread_row_json(table)
    text = f"""
        UPDATE {table.rows} AS t SET {", ".join(sets)} WHERE t.seq = $1
        RETURNING t.created_at, {shown} AS json
    """
    with translate_errors():
        record = await connection.fetchrow(text, *arguments)
    assert record is not None  # noqa: S101 the row is held
    if change.permissions is not None:
        await connection.execute(f"DELETE FROM {table.grants} WHERE seq = $1", held.seq)
        await _grant(connection, table, held.seq, change.permissions, record["created_at"])
    elif change.created_at is not None:
        await connection.execute(
            f"UPDATE {table.grants} SET created_at = $2 WHERE seq = $1", held.seq, change.created_at
        )
    return str(record["json"])


async def delete_row(connection: Connection, table: Table, held: HeldRow) -> None:
    """Delete a row that is held, with its permissions."""
    await connection.execute(f"DELETE FROM {table.rows} WHERE seq = $1", held.seq)


def _granted(roles: list[str] | None, action: str, arguments: list[object]) -> str:
    """Return the SQL of whether a row `t` grants an action to one of these roles (None: it need not)."""
    if not roles:
        return "true" if roles is None else "false"
    arguments.append([f'{action}("{role}")' for role in roles])
    return f"t.permissions && ${len(arguments)}::text[]"


async def _grant(
    connection: Connection, table: Table, seq: int, permissions: list[Permission], created_at: datetime
) -> None:
    if permissions:
        actions = [permission.action for permission in permissions]
        roles = [permission.role for permission in permissions]
        await connection.execute(
            f"INSERT INTO {table.grants} (action, role, seq, created_at)"
            " SELECT action, role, $3, $4 FROM unnest($1::text[], $2::text[]) AS granted (action, role)",
            actions,
            roles,
            seq,
            created_at,
        )


class Assignments(NamedTuple):
    """The SQL of what a change sets, and its arguments."""

    sets: list[str]
    arguments: list[object]


def assignments(change: RowChange, rows: object, *, now: datetime) -> Assignments:
    """Return what a change sets of rows but for their time of creation; $1 is `rows`, which says what rows."""
    updated_at = "$2" if change.updated_at else "greatest($2, updated_at + interval '1 millisecond')"
    places = placeholders(change.values, first=3)
    sets = [
        f"updated_at = {updated_at}",
        *(f"{column.name} = {place}" for (column, _), place in zip(change.values, places, strict=True)),
    ]
    arguments: list[object] = [rows, change.updated_at or now, *arguments_of(change.values)]
    if change.permissions is not None:
        arguments.append([str(permission) for permission in change.permissions])
        sets.append(f"permissions = ${len(arguments)}")
    return Assignments(sets, arguments)


def placeholders(values: Values, *, first: int) -> list[str]:
    """Return the placeholders of values in a statement, the parameters from number `first` on."""
    return [f"${place}::{column.postgres}" for place, (column, _) in enumerate(values, first)]


def arguments_of(values: Values) -> list[Any]:  # Any: what columns hold
    """Return the arguments of these placeholders."""
    return [value for _, value in values]
