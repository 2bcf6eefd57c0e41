"""Rows: read by one statement each."""

import asyncpg
import msgspec

from services.data.domain.catalogue import Table
from services.data.store import statements
from services.data.store.catalogue import find_version
from services.data.store.errors import StaleTable, translate_errors
from shared.contracts.ids import RowId
from shared.kernel.errors import ErrorType, Refusal
from shared.postgres.pool import Connection
from shared.queries.tree import Query


class JsonPage(msgspec.Struct, frozen=True):
    """A list as JSON: the rows without their brackets, and how many match."""

    rows: str
    total: int


async def get_row(
    connection: Connection, table: Table, id_: RowId, *, selected: tuple[str, ...] | None, roles: list[str] | None
) -> str:
    """Return a row as JSON, if one of these roles may read it (None: every row may be read).

    Raises `Refusal(ROW_NOT_FOUND)`, `StaleTable`.
    """
    text = statements.get_row(table, selected, is_open=roles is None)
    readers = [] if roles is None else [[f'read("{role}")' for role in roles]]
    with translate_errors():
        record = await connection.fetchrow(text, table.version, id_, *readers)
    if record is None or not record["is_current"]:
        raise StaleTable
    if record["json"] is None:
        raise Refusal(ErrorType.ROW_NOT_FOUND)
    row: str = record["json"]
    return row


async def list_rows(
    connection: Connection, table: Table, query: Query, *, roles: list[str] | None, with_total: bool
) -> JsonPage:
    """Return a page of rows. Raises `Refusal` for a cursor that leads nowhere, `StaleTable`."""
    text, values = statements.list_rows(table, query, roles=roles, with_total=with_total)
    with translate_errors(_page_too_large):
        record = _checked(await connection.fetchrow(text, *values))
    return JsonPage(record["rows"] or "", record["total"])


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
            total: int = _checked(await connection.fetchrow("FETCH parts"))["total"]
    return total


async def next_rows(connection: Connection, count: int) -> list[str]:
    """Return the next rows of such a list as JSON, at most so many; nothing after the last."""
    return [row["json"] for row in await connection.fetch(f"FETCH {count} FROM parts")]


async def close_rows(connection: Connection) -> None:
    """End such a list."""
    await connection.execute("CLOSE parts")


def _checked(record: asyncpg.Record | None) -> asyncpg.Record:
    """Return the first record of a list; raise `Refusal` for a cursor that leads nowhere, `StaleTable`."""
    if record is None or not record["is_current"]:
        raise StaleTable
    if not record["has_cursor"]:
        raise cursor_not_found()
    if record["cursor_is_null"]:
        raise Refusal(ErrorType.DATABASE_QUERY_ORDER_NULL, "The cursor's row has no value in a column of the order.")
    return record


async def require_current(connection: Connection, table: Table) -> None:
    """Raise `StaleTable` where the table is not of this version any more; one that is not there has version 0."""
    if (await find_version(connection, table.n) or 0) != table.version:
        raise StaleTable


async def is_granted(connection: Connection, table: Table, actions: list[str], roles: list[str]) -> bool:
    """Say whether some row is open to one of these roles for one of these actions."""
    text = f"SELECT EXISTS (SELECT FROM {table.grants} WHERE action = ANY($1) AND role = ANY($2))"
    with translate_errors():
        has_granted: bool = await connection.fetchval(text, actions, roles)
    return has_granted


async def reads_any(connection: Connection, table: Table, roles: list[str]) -> bool:
    """Say whether there is a row that one of these roles may read; raises `StaleTable`."""
    with translate_errors():
        record = await connection.fetchrow(statements.reads_any(table), table.version, roles)
    if record is None or not record["is_current"]:
        raise StaleTable
    return bool(record["reads_any"])


def cursor_not_found() -> Refusal:
    """Return the refusal of a cursor whose row is not there, or not for this caller."""
    return Refusal(ErrorType.GENERAL_CURSOR_NOT_FOUND, "The row that the cursor names could not be found.")


def _page_too_large() -> Refusal:
    return Refusal(ErrorType.GENERAL_QUERY_INVALID, "Invalid query: the page is too large; set a lower limit")
