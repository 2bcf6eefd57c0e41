"""Many rows at once, by keys only: all are written, or none."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

import msgspec

from services.data.domain.catalogue import Column, Table, TableKey
from services.data.domain.queries import parse_row_queries
from services.data.domain.row_json import Data
from services.data.domain.rows import NewRow, RowOverwrite, Values, column_invalid, stored, stored_over
from services.data.domain.sealing import seal_value, seal_values
from services.data.operations.deps import DataDeps
from services.data.operations.opening import turned
from services.data.operations.row_changes import UPSERT_TRIES
from services.data.operations.row_input import aside, chosen_date
from services.data.operations.rows import open_page
from services.data.store import bulk_rows as store
from services.data.store.bulk_rows import MAX_SHOWN, HeldRows, RowsChange, Sealed
from services.data.store.rows import JsonPage
from shared.appwrite.permissions import changed_permissions, item_permissions
from shared.contracts.ids import RowId
from shared.contracts.principal import Principal
from shared.kernel.clock import now
from shared.kernel.errors import ArgumentInvalid, ErrorType, Refusal, Unavailable
from shared.kernel.ids import UNIQUE, chosen_id, is_id
from shared.postgres.pool import Connection
from shared.queries.limits import MOST_NUMBER
from shared.queries.tree import Query

MAX_AT_ONCE = 1_000
MAX_BYTES_AT_ONCE = 8 * 1024 * 1024
"""Rows that are given sealed values by one statement, and about how many bytes these have at most."""


class BulkRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a list as it is sent: its id, its data, and its permissions (None: not sent)."""

    id: RowId
    data: Data
    permissions: list[str] | None


class _Upserts(NamedTuple):
    """Rows to be written over, and rows to be created."""

    known: list[RowOverwrite]
    new: list[NewRow]


def parse_rows(rows: list[Data]) -> list[BulkRow]:
    """Return the rows of a list with their ids and permissions; raises `ArgumentInvalid("rows")`."""
    return [_parse_row(data) for data in rows]


async def create_rows(deps: DataDeps, principal: Principal, *, table_key: TableKey, rows: list[BulkRow]) -> bytes:
    """Create rows; return them as JSON, in their order. Raises `Refusal` where one of them cannot be."""
    async with deps.catalogue.writing(table_key, principal) as (connection, table):
        new = await aside(lambda: [_new(table, row, principal) for row in rows], *(row.data for row in rows))
        shown = await store.insert_rows(connection, table, new, now=now())
        return await open_page(table, JsonPage(shown, len(new)))


async def upsert_rows(deps: DataDeps, principal: Principal, *, table_key: TableKey, rows: list[BulkRow]) -> bytes:
    """Create rows, or change those that are there; return them as JSON.

    Raises `Refusal(ROW_ALREADY_EXISTS)` for an id that is named twice.
    """
    ids = [row.id for row in rows]
    if len(set(ids)) != len(ids):
        raise Refusal(ErrorType.ROW_ALREADY_EXISTS, "Two of the rows have the same ID.")
    data = [row.data for row in rows]
    async with deps.catalogue.writing(table_key, principal) as (connection, table):
        for _ in range(UPSERT_TRIES):
            held = await store.hold_ids(connection, table, ids)
            known, new = await aside(partial(_upserts, table, rows, principal, held), *data)
            try:
                async with connection.transaction():
                    if new:
                        await store.insert_rows(connection, table, new, now=now())
                    shown = await store.overwrite_rows(connection, table, known, shown=ids, now=now())
            except Refusal as refusal:
                if refusal.type is not ErrorType.ROW_ALREADY_EXISTS:
                    raise
            else:
                return await open_page(table, JsonPage(shown, len(rows)))
        raise Unavailable("The rows are being changed. Try again.", type=ErrorType.GENERAL_BUSY)


async def update_rows(
    deps: DataDeps, principal: Principal, *, table_key: TableKey, data: Data, queries: list[str]
) -> bytes:
    """Give all rows that match the same values, and `$permissions` where the data has them; return the first of them.

    Null stays null, whatever the default. Raises `Refusal` where one of the rows would not be valid then.
    """
    async with deps.catalogue.writing(table_key, principal) as (connection, table):
        values = await aside(partial(stored, table, data, is_new=False, keeps_null=True), data)
        permissions = _permissions_in(data)
        named = {column.n for column, _ in values}
        sealing = [(column, value) for column, value in values if column.is_encrypted and value is not None]
        held = await store.hold_matching(connection, table, _query(table, queries), named=named, with_ids=bool(sealing))
        if held.invalid_column is not None:
            raise column_invalid(held.invalid_column)
        change = RowsChange(
            values=[one for one in values if one not in sealing],
            permissions=changed_permissions(permissions, principal),
            updated_at=chosen_date(data, "$updatedAt", principal),
        )
        if sealing:
            return await open_page(table, await _update_sealed(connection, table, held, change, sealing=sealing))
        return await open_page(table, await store.update_rows(connection, table, held.seqs, change, now=now()))


async def delete_rows(deps: DataDeps, principal: Principal, *, table_key: TableKey, queries: list[str]) -> bytes:
    """Delete all rows that match; return the first of them."""
    async with deps.catalogue.writing(table_key, principal) as (connection, table):
        held = await store.hold_matching(connection, table, _query(table, queries), named=set())
        return await open_page(table, await store.delete_rows(connection, table, held.seqs))


def _parse_row(data: Data) -> BulkRow:
    id_ = data.get("$id") or UNIQUE
    if not isinstance(id_, str) or not (id_ == UNIQUE or is_id(id_)):
        raise ArgumentInvalid("rows", "the id of a row must be a valid id")
    return BulkRow(id=RowId(chosen_id(id_)), data=data, permissions=_permissions_in(data))


def _permissions_in(data: Data) -> list[str] | None:
    texts = data.get("$permissions")
    if texts is not None and not (isinstance(texts, list) and all(isinstance(text, str) for text in texts)):
        raise ArgumentInvalid("permissions", "Value must be a list of permissions")
    return texts


async def _update_sealed(
    connection: Connection, table: Table, held: HeldRows, change: RowsChange, *, sealing: Values
) -> JsonPage:
    """Change rows, each to values that are sealed for it: so many at once that they do not fill the memory."""
    rows = sorted(zip(held.seqs, held.ids, strict=True))
    size = sum(len(value) for _, value in sealing)
    step = max(1, min(MAX_AT_ONCE, MAX_BYTES_AT_ONCE // (size + 1)))
    shown: list[str] = []
    for first in range(0, len(rows), step):
        seqs, ids = zip(*rows[first : first + step], strict=True)
        sealed = await turned(partial(_sealed_for, table, ids, sealing), size * len(ids))
        part = msgspec.structs.replace(change, sealed=sealed, shown=max(0, MAX_SHOWN - first))
        page = await store.update_rows(connection, table, list(seqs), part, now=now())
        shown += [page.rows] if page.rows else []
    return JsonPage(",".join(shown), len(rows))


def _sealed_for(table: Table, ids: Sequence[RowId], values: Values) -> list[tuple[Column, list[str]]]:
    return [(column, [str(seal_value(table, column, id_, value)) for id_ in ids]) for column, value in values]


def _upserts(table: Table, rows: list[BulkRow], principal: Principal, held: Mapping[RowId, Sealed]) -> _Upserts:
    known = [_overwrite(table, row, principal, held[row.id]) for row in rows if row.id in held]
    return _Upserts(known, [_new(table, row, principal) for row in rows if row.id not in held])


def _new(table: Table, row: BulkRow, principal: Principal) -> NewRow:
    return NewRow(
        id=row.id,
        values=seal_values(table, row.id, stored(table, row.data, is_new=True)),
        permissions=item_permissions(row.permissions or [], principal),
        created_at=chosen_date(row.data, "$createdAt", principal),
        updated_at=chosen_date(row.data, "$updatedAt", principal),
    )


def _overwrite(table: Table, row: BulkRow, principal: Principal, held: Sealed) -> RowOverwrite:
    return RowOverwrite(
        id=row.id,
        values=seal_values(table, row.id, stored_over(table, row.data), held),
        permissions=changed_permissions(row.permissions, principal),
        created_at=chosen_date(row.data, "$createdAt", principal),
        updated_at=chosen_date(row.data, "$updatedAt", principal),
    )


def _query(table: Table, queries: list[str]) -> Query:
    return parse_row_queries(queries, table.by_key, searchable=table.searchable, limit=MOST_NUMBER)
