"""Many rows at once, by keys only: all are written, or none."""

from collections.abc import Collection
from functools import partial

import msgspec

from services.data.domain.catalogue import Table
from services.data.domain.queries import parse_row_queries
from services.data.domain.row_json import Data
from services.data.domain.rows import Values, stored, stored_over, unfit
from services.data.operations.catalogue import Catalogue, Key
from services.data.operations.rows import UPSERT_TRIES, aside, moment, row_permissions
from services.data.store import bulk_rows as store
from services.data.store.bulk_rows import RowToWrite
from services.data.store.rows import Page
from shared.contracts.principal import Principal
from shared.kernel.clock import now
from shared.kernel.errors import ArgumentInvalid, ErrorType, Refusal, Unavailable
from shared.kernel.ids import UNIQUE, chosen_id, is_id
from shared.postgres.pool import Connection
from shared.queries.limits import MOST_NUMBER
from shared.queries.tree import Query


class GivenRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a list: its id, its data, and its permissions (None: not given)."""

    id: str
    data: Data
    permissions: list[str] | None


def given_rows(rows: list[Data]) -> list[GivenRow]:
    """Return the rows of a list with their ids and permissions; raises `ArgumentInvalid("rows")`."""
    return [_given(one) for one in rows]


async def create_rows(catalogue: Catalogue, principal: Principal, key: Key, rows: list[GivenRow]) -> bytes:
    """Make rows; return them as JSON, in their order. Raises `Refusal` where one of them cannot be."""
    data = [row.data for row in rows]

    async def work(connection: Connection, table: Table) -> bytes:
        made = await aside(lambda: [_to_insert(table, row, principal) for row in rows], *data)
        return _page(table, Page(await store.insert_rows(connection, table, made, now=now()), len(made)))

    return await catalogue.write(key, principal, work)


async def upsert_rows(catalogue: Catalogue, principal: Principal, key: Key, rows: list[GivenRow]) -> bytes:
    """Make rows, or change those that are there; return them as JSON.

    Raises `Refusal(ROW_ALREADY_EXISTS)` for an id that is named twice.
    """
    ids = [row.id for row in rows]
    if len(set(ids)) != len(ids):
        raise Refusal(ErrorType.ROW_ALREADY_EXISTS, "Two of the rows have the same ID.")

    data = [row.data for row in rows]

    async def work(connection: Connection, table: Table) -> bytes:
        for _ in range(UPSERT_TRIES):
            known = await store.hold_ids(connection, table, ids)
            there, new = await aside(partial(_to_upsert, table, rows, principal, known), *data)
            try:
                async with connection.transaction():
                    if new:
                        await store.insert_rows(connection, table, new, now=now())
                    shown = await store.overwrite_rows(connection, table, there, shown=ids, now=now())
            except Refusal as refusal:
                if refusal.type is not ErrorType.ROW_ALREADY_EXISTS:
                    raise
            else:
                return _page(table, Page(shown, len(rows)))
        raise Unavailable("The rows are being changed. Try again.", type=ErrorType.GENERAL_BUSY)

    return await catalogue.write(key, principal, work)


async def update_rows(catalogue: Catalogue, principal: Principal, key: Key, data: Data, *, queries: list[str]) -> bytes:
    """Give all rows that match the same values, and `$permissions` where the data has them; return the first of them.

    Null stays null, whatever the default. Raises `Refusal` where one of the rows would not be valid then.
    """

    async def work(connection: Connection, table: Table) -> bytes:
        values = await aside(partial(stored, table, data, is_new=False, keeps_null=True), data)
        permissions = _permissions_in(data)
        held = await store.hold_matching(
            connection, table, _query(table, queries), named={column.n for column, _ in values}
        )
        if held.unfit is not None:
            raise unfit(held.unfit)
        page = await store.update_rows(
            connection,
            table,
            held.seqs,
            values=values,
            permissions=None if permissions is None else row_permissions(permissions, principal),
            now=now(),
            updated_at=moment(data, "$updatedAt", principal),
        )
        return _page(table, page)

    return await catalogue.write(key, principal, work)


async def delete_rows(catalogue: Catalogue, principal: Principal, key: Key, *, queries: list[str]) -> bytes:
    """Delete all rows that match; return the first of them."""

    async def work(connection: Connection, table: Table) -> bytes:
        held = await store.hold_matching(connection, table, _query(table, queries), named=set())
        return _page(table, await store.delete_rows(connection, table, held.seqs))

    return await catalogue.write(key, principal, work)


def _given(one: Data) -> GivenRow:
    id_ = one.get("$id") or UNIQUE
    if not isinstance(id_, str) or not (id_ == UNIQUE or is_id(id_)):
        raise ArgumentInvalid("rows", "the id of a row must be a valid id")
    return GivenRow(id=chosen_id(id_), data=one, permissions=_permissions_in(one))


def _permissions_in(data: Data) -> list[str] | None:
    given = data.get("$permissions")
    if given is not None and not (isinstance(given, list) and all(isinstance(one, str) for one in given)):
        raise ArgumentInvalid("permissions", "Value must be a list of permissions")
    return given


def _to_insert(table: Table, row: GivenRow, principal: Principal) -> RowToWrite:
    return _to_write(row, principal, stored(table, row.data, is_new=True), row.permissions or [])


def _to_upsert(
    table: Table, rows: list[GivenRow], principal: Principal, known: Collection[str]
) -> tuple[list[RowToWrite], list[RowToWrite]]:
    """Return what is written over rows that are known, and what is made."""
    there = [_to_overwrite(table, row, principal) for row in rows if row.id in known]
    return there, [_to_insert(table, row, principal) for row in rows if row.id not in known]


def _to_overwrite(table: Table, row: GivenRow, principal: Principal) -> RowToWrite:
    return _to_write(row, principal, stored_over(table, row.data), row.permissions)


def _to_write(row: GivenRow, principal: Principal, values: Values, permissions: list[str] | None) -> RowToWrite:
    return RowToWrite(
        id=row.id,
        values=values,
        permissions=None if permissions is None else row_permissions(permissions, principal),
        created_at=moment(row.data, "$createdAt", principal),
        updated_at=moment(row.data, "$updatedAt", principal),
    )


def _query(table: Table, queries: list[str]) -> Query:
    return parse_row_queries(queries, table.by_key, searchable=table.searchable, limit=MOST_NUMBER)


def _page(table: Table, page: Page) -> bytes:
    return f'{{"total":{page.total},"{table.naming.word("rows")}":[{page.rows}]}}'.encode()
