"""Rows: read by one statement each, written by whoever holds the table's definition still."""

from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from services.data.domain.catalogue import Table
from services.data.domain.rights import Access
from services.data.domain.rows import Values
from services.data.store import statements
from services.data.store.catalogue import find_version
from services.data.store.conditions import unfit_column
from services.data.store.errors import StaleTable, translate_errors
from shared.appwrite.permissions import Permission
from shared.kernel.errors import ErrorType, Refusal
from shared.postgres.pool import Connection
from shared.queries.tree import Query


class Page(msgspec.Struct, frozen=True):
    """A list as JSON: the rows without their brackets, and how many match."""

    rows: str
    total: int


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A row, held for a change: what the caller may do with it, and what the change makes of it.

    `json` is the row, whoever may read it. `is_same`: nothing changes. `unfit`: the key of a column that the change
    does not name, and whose value is none that it takes now; None where there is none.
    """

    seq: int
    updated_at: datetime
    json: str
    may: bool
    may_read: bool
    is_same: bool
    unfit: str | None


async def get_row(
    connection: Connection, table: Table, id_: str, *, selected: tuple[str, ...] | None, roles: list[str] | None
) -> bytes:
    """Return a row as JSON, if one of these roles may read it (None: every row may be read).

    Raises `Refusal(ROW_NOT_FOUND)`, `StaleTable`.
    """
    text = statements.get_row(table, selected, is_open=roles is None)
    more = [] if roles is None else [[f'read("{role}")' for role in roles]]
    with translate_errors():
        found = await connection.fetchrow(text, table.version, id_, *more)
    if found is None or not found["is_current"]:
        raise StaleTable
    if found["json"] is None:
        raise Refusal(ErrorType.ROW_NOT_FOUND)
    row: str = found["json"]
    return row.encode()


async def list_rows(
    connection: Connection, table: Table, query: Query, *, roles: list[str] | None, with_total: bool
) -> Page:
    """Return a page of rows. Raises `Refusal` for a cursor that leads nowhere, `StaleTable`."""
    text, values = statements.list_rows(table, query, roles=roles, with_total=with_total)
    with translate_errors(_page_too_large):
        found = _listed(await connection.fetchrow(text, *values))
    return Page(found["rows"] or "", found["total"])


async def open_rows(
    connection: Connection, table: Table, query: Query, *, roles: list[str] | None, with_total: bool
) -> int:
    """Begin a list that is read in parts, and return how many rows match; raises as `list_rows` does.

    PostgreSQL keeps its rows as they are now, in a file where they are many: no lock is held on the table meanwhile.
    """
    text, values = statements.list_rows(table, query, roles=roles, with_total=with_total, in_parts=True)
    with translate_errors():
        async with connection.transaction():
            await connection.execute(f"DECLARE parts NO SCROLL CURSOR WITH HOLD FOR {text}", *values)
            found = await connection.fetchrow("FETCH parts")
            total: int = _listed(found)["total"]
    return total


async def next_rows(connection: Connection, count: int) -> list[str]:
    """Return the next rows of such a list as JSON, at most so many; nothing after the last."""
    return [row["json"] for row in await connection.fetch(f"FETCH {count} FROM parts")]


async def close_rows(connection: Connection) -> None:
    """End such a list."""
    await connection.execute("CLOSE parts")


def _listed(found: asyncpg.Record | None) -> asyncpg.Record:
    """Return what a list has said; raises `Refusal` for a cursor that leads nowhere, `StaleTable`."""
    if found is None or not found["is_current"]:
        raise StaleTable
    if not found["has_cursor"]:
        raise cursor_not_found()
    if found["cursor_is_null"]:
        raise Refusal(ErrorType.DATABASE_QUERY_ORDER_NULL, "The cursor's row has no value in a column of the order.")
    return found


async def require_current(connection: Connection, table: Table) -> None:
    """Raise `StaleTable` where the table is not of this version any more; one that is not there has version 0."""
    if (await find_version(connection, table.n) or 0) != table.version:
        raise StaleTable


async def is_granted(connection: Connection, table: Table, actions: list[str], roles: list[str]) -> bool:
    """Say whether some row is open to one of these roles for one of these actions."""
    text = f"SELECT EXISTS (SELECT FROM {table.grants} WHERE action = ANY($1) AND role = ANY($2))"
    with translate_errors():
        found: bool = await connection.fetchval(text, actions, roles)
    return found


async def insert_row(
    connection: Connection,
    table: Table,
    *,
    id_: str,
    values: Values,
    permissions: list[Permission],
    created_at: datetime,
    updated_at: datetime,
) -> bytes:
    """Make a row; return it as JSON. Raises `Refusal(ROW_ALREADY_EXISTS)` or of another constraint."""
    names = ["id", "created_at", "updated_at", "permissions", *(column.name for column, _ in values)]
    places = ["$1", "$2", "$3", "$4", *places_of(values, first=5)]
    text = f"""
        INSERT INTO {table.rows} AS t ({", ".join(names)}) VALUES ({", ".join(places)})
        RETURNING t.seq, {statements.row_json(table, None)} AS json
    """
    texts = [str(permission) for permission in permissions]
    with translate_errors():
        made = await connection.fetchrow(text, id_, created_at, updated_at, texts, *arguments_of(values))
    assert made is not None  # noqa: S101 an INSERT returns its row
    await _grant(connection, table, made["seq"], permissions, created_at)
    return str(made["json"]).encode()


async def reads_any(connection: Connection, table: Table, roles: list[str]) -> bool:
    """Say whether there is a row that one of these roles may read; raises `StaleTable`."""
    with translate_errors():
        found = await connection.fetchrow(statements.reads_any(table), table.version, roles)
    if found is None or not found["is_current"]:
        raise StaleTable
    return bool(found["reads_any"])


async def has_row(connection: Connection, table: Table, id_: str) -> bool:
    """Say whether there is a row of this id, whoever may read it."""
    found: bool = await connection.fetchval(f"SELECT EXISTS (SELECT FROM {table.rows} WHERE id = $1)", id_)
    return found


async def find_row(
    connection: Connection,
    table: Table,
    id_: str,
    access: Access,
    *,
    values: Values | None = None,
    permissions: list[Permission] | None = None,
) -> Known:
    """Hold a row for a change to these values and permissions (None: kept).

    Raises `Refusal(ROW_NOT_FOUND)`, also for a row that may neither be acted on nor read: it is not touched.
    """
    values = values or []
    same = [
        f"t.{column.name} IS NOT DISTINCT FROM {place}"
        for (column, _), place in zip(values, places_of(values, first=2), strict=True)
    ]
    named = {column.n for column, _ in values}
    arguments: list[object] = [id_, *arguments_of(values)]
    if permissions is not None:
        same.append(f"t.permissions = ${len(arguments) + 1}::text[]")
        arguments.append([str(permission) for permission in permissions])
    may = _granted(access.acting, access.action, arguments)
    may_read = _granted(access.reading, "read", arguments)
    unfit = unfit_column([column for column in table.columns if column.n not in named], arguments)
    text = f"""
        SELECT t.seq, t.updated_at, {statements.row_json(table, None)} AS json, {may} AS may, {may_read} AS may_read,
            {" AND ".join(same) or "true"} AS is_same, {unfit} AS unfit
        FROM {table.rows} AS t WHERE t.id = $1 AND ({may} OR {may_read}) FOR UPDATE
    """
    with translate_errors():
        found = await connection.fetchrow(text, *arguments)
    if found is None:
        raise Refusal(ErrorType.ROW_NOT_FOUND)
    return Known(**dict(found))


def _granted(roles: list[str] | None, action: str, arguments: list[object]) -> str:
    """Return the SQL of whether a row `t` grants an action to one of these roles (None: it need not)."""
    if not roles:
        return "true" if roles is None else "false"
    arguments.append([f'{action}("{role}")' for role in roles])
    return f"t.permissions && ${len(arguments)}::text[]"


async def update_row(
    connection: Connection,
    table: Table,
    known: Known,
    *,
    values: Values,
    permissions: list[Permission] | None,
    now: datetime,
    updated_at: datetime | None,
    created_at: datetime | None = None,
) -> bytes:
    """Change a row that is held; return it as JSON, or as much of it as a caller may see who may not read it.

    Raises `Refusal` of a constraint.
    `updated_at` None: it is `now`, or later where the row was changed in this millisecond already. `created_at` None:
    it is kept.
    """
    arguments: list[object] = [known.seq, updated_at or now, *arguments_of(values)]
    sets = [
        "updated_at = $2" if updated_at else "updated_at = greatest($2, updated_at + interval '1 millisecond')",
        *(f"{column.name} = {place}" for (column, _), place in zip(values, places_of(values, first=3), strict=True)),
    ]
    if permissions is not None:
        arguments.append([str(permission) for permission in permissions])
        sets.append(f"permissions = ${len(arguments)}")
    if created_at is not None:
        arguments.append(created_at)
        sets.append(f"created_at = ${len(arguments)}")
    shown = statements.row_json(table, None) if known.may_read else statements.unread_row_json(table)
    text = f"""
        UPDATE {table.rows} AS t SET {", ".join(sets)} WHERE t.seq = $1
        RETURNING t.created_at, {shown} AS json
    """
    with translate_errors():
        changed = await connection.fetchrow(text, *arguments)
    assert changed is not None  # noqa: S101 the row is held
    if permissions is not None:
        await connection.execute(f"DELETE FROM {table.grants} WHERE seq = $1", known.seq)
        await _grant(connection, table, known.seq, permissions, changed["created_at"])
    elif created_at is not None:
        await connection.execute(f"UPDATE {table.grants} SET created_at = $2 WHERE seq = $1", known.seq, created_at)
    return str(changed["json"]).encode()


async def delete_row(connection: Connection, table: Table, known: Known) -> None:
    """Delete a row that is held, with its permissions."""
    await connection.execute(f"DELETE FROM {table.rows} WHERE seq = $1", known.seq)


def cursor_not_found() -> Refusal:
    """Return the refusal of a cursor whose row is not there, or not for this caller."""
    return Refusal(ErrorType.GENERAL_CURSOR_NOT_FOUND, "The row that the cursor names could not be found.")


async def _grant(
    connection: Connection, table: Table, seq: int, permissions: list[Permission], created_at: datetime
) -> None:
    if permissions:
        actions, roles = [one.action for one in permissions], [one.role for one in permissions]
        await connection.execute(
            f"INSERT INTO {table.grants} (action, role, seq, created_at)"
            " SELECT action, role, $3, $4 FROM unnest($1::text[], $2::text[]) AS granted (action, role)",
            actions,
            roles,
            seq,
            created_at,
        )


def places_of(values: Values, *, first: int) -> list[str]:
    """Return the places of values in a statement, the parameters from number `first` on."""
    return [f"${place}::{column.postgres}" for place, (column, _) in enumerate(values, first)]


def arguments_of(values: Values) -> list[Any]:  # Any: what columns hold
    """Return what stands in those places."""
    return [value for _, value in values]


def _page_too_large() -> Refusal:
    return Refusal(ErrorType.GENERAL_QUERY_INVALID, "Invalid query: the page is too large; set a lower limit")
