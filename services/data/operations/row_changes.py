"""Rows: created, changed and deleted, one at a time, by callers whom the permissions allow.

Rights are checked first, the change after them. Of a row that a caller may not read, no answer tells more than that it
may be changed or deleted; where not even that, it is not there. `services.data.domain.rights` has the rules.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import NamedTuple

import msgspec

from services.data.domain.catalogue import RowKey, Table
from services.data.domain.rights import Access, access, roles_for
from services.data.domain.row_json import Data
from services.data.domain.rows import (
    Increment,
    NewRow,
    RowChange,
    Values,
    check_increment,
    column_invalid,
    incremented,
    number_column,
    stored,
    stored_over,
)
from services.data.domain.sealing import is_held, seal_values
from services.data.operations.deps import DataDeps
from services.data.operations.opening import opened, turned
from services.data.operations.row_input import RowInput, aside, chosen_date
from services.data.store import row_changes as store
from services.data.store.row_changes import HeldRow
from shared.appwrite.permissions import changed_permissions, new_permissions
from shared.contracts.ids import RowId
from shared.contracts.principal import Principal
from shared.kernel.clock import now
from shared.kernel.errors import ErrorType, Refusal, Unavailable
from shared.kernel.ids import chosen_id
from shared.postgres.pool import Connection

UPSERT_TRIES = 3
"""How often an upsert begins again where another call creates or deletes its row meanwhile."""


class _Checked(NamedTuple):
    """The values to be stored, or why they cannot be: shown only to callers who may update the row."""

    values: Values
    fault: Refusal | None


async def create_row(deps: DataDeps, principal: Principal, *, row_key: RowKey, row_input: RowInput) -> bytes:
    """Create a row; return it as JSON."""
    id_ = chosen_id(row_key.row)
    async with deps.catalogue.writing(row_key.table, principal) as (connection, table):
        return await _insert(connection, table, principal, id_=id_, row_input=row_input)


async def update_row(deps: DataDeps, principal: Principal, *, row_key: RowKey, row_input: RowInput) -> bytes:
    """Change a row; return it as JSON. Where nothing changes for its reader, reading it is all that is needed."""
    data = row_input.data or {}
    async with deps.catalogue.writing(row_key.table, principal) as (connection, table):
        to_update = _access(table, "update", principal)
        permissions = changed_permissions(row_input.permissions, principal)
        values, fault = await _check(partial(stored, is_new=False), table, data)
        updated_at = chosen_date(data, "$updatedAt", principal)
        change = RowChange(values=values, permissions=permissions, updated_at=updated_at)
        held = await store.hold_row(connection, table, row_key.row, to_update, change)
        if _is_needless(table, row_key.row, held, change, fault):
            return await _shown(table, held.json)
        _require(held, unchanged_since=row_input.unchanged_since)
        if fault is not None:
            raise fault
        if held.may_read and held.invalid_column is not None:
            raise column_invalid(held.invalid_column)
        return await _update(connection, table, row_key.row, held, change)


async def upsert_row(deps: DataDeps, principal: Principal, *, row_key: RowKey, row_input: RowInput) -> bytes:
    """Create a row, or change the one that is there; return it as JSON.

    Where it would change nothing for its reader, it is only read. The id of a hidden row cannot be used.
    """
    id_ = chosen_id(row_key.row)
    async with deps.catalogue.writing(row_key.table, principal) as (connection, table):
        for _ in range(UPSERT_TRIES):
            row = await _overwrite(connection, table, principal, id_=id_, row_input=row_input)
            if row is not None:
                return row
            try:
                async with connection.transaction():
                    return await _insert(connection, table, principal, id_=id_, row_input=row_input)
            except Refusal as refusal:
                if refusal.type is not ErrorType.ROW_ALREADY_EXISTS:
                    raise
        if await store.has_row(connection, table, id_):
            raise Refusal(ErrorType.USER_UNAUTHORIZED)
        raise Unavailable("The row is being changed. Try again.", type=ErrorType.GENERAL_BUSY)


async def increment_column(
    deps: DataDeps,
    principal: Principal,
    *,
    row_key: RowKey,
    increment: Increment,
    unchanged_since: datetime | None = None,
) -> bytes:
    """Add to a number in a row, which is held meanwhile; return the row as JSON.

    A caller who may not read the row sets no bound, and does not learn that the number has come to the end of its
    column's range: it stays then.
    """
    async with deps.catalogue.writing(row_key.table, principal) as (connection, table):
        held = await store.hold_row(connection, table, row_key.row, _access(table, "update", principal))
        _require(held, unchanged_since=unchanged_since, has_bound=increment.bound is not None)
        column = number_column(table, increment.column)
        check_increment(column, increment)
        try:
            value = incremented(msgspec.json.decode(held.json)[column.key], increment)
            values = stored(table, {column.key: value}, is_new=False)
        except Refusal:
            if held.may_read:
                raise
            values = []
        return await _update(connection, table, row_key.row, held, RowChange(values=values))


async def delete_row(
    deps: DataDeps,
    principal: Principal,
    *,
    row_key: RowKey,
    unchanged_since: datetime | None = None,
) -> None:
    """Delete a row."""
    async with deps.catalogue.writing(row_key.table, principal) as (connection, table):
        held = await store.hold_row(connection, table, row_key.row, _access(table, "delete", principal))
        _require(held, unchanged_since=unchanged_since)
        await store.delete_row(connection, table, held)


async def _insert(
    connection: Connection, table: Table, principal: Principal, *, id_: RowId, row_input: RowInput
) -> bytes:
    if roles_for(table, "create", principal) is not None:
        raise Refusal(ErrorType.USER_UNAUTHORIZED)
    data = row_input.data or {}
    permissions = new_permissions(row_input.permissions, principal)
    values = await aside(partial(stored, table, data, is_new=True), data)
    row = NewRow(
        id=id_,
        values=await _sealed(table, id_, values),
        permissions=permissions,
        created_at=chosen_date(data, "$createdAt", principal),
        updated_at=chosen_date(data, "$updatedAt", principal),
    )
    return await _shown(table, await store.insert_row(connection, table, row, now=now()))


async def _overwrite(
    connection: Connection, table: Table, principal: Principal, *, id_: RowId, row_input: RowInput
) -> bytes | None:
    """Upsert a row that is there; return None where it is not, or not for this caller."""
    to_update = access(table, "update", principal)
    if to_update.is_closed:
        return None
    data = row_input.data or {}
    permissions = changed_permissions(row_input.permissions, principal)
    values, fault = await _check(stored_over, table, data)
    change = RowChange(
        values=values,
        permissions=permissions,
        created_at=chosen_date(data, "$createdAt", principal),
        updated_at=chosen_date(data, "$updatedAt", principal),
    )
    try:
        held = await store.hold_row(connection, table, id_, to_update, change)
    except Refusal as refusal:
        if refusal.type is ErrorType.ROW_NOT_FOUND:
            return None
        raise
    if _is_needless(table, id_, held, change, fault):
        return await _shown(table, held.json)
    _require(held)
    if fault is not None:
        raise fault
    return await _update(connection, table, id_, held, change)


async def _update(connection: Connection, table: Table, id_: RowId, held: HeldRow, change: RowChange) -> bytes:
    sealed = msgspec.structs.replace(change, values=await _sealed(table, id_, change.values))
    return await _shown(table, await store.update_row(connection, table, held, sealed, now=now()))


async def _sealed(table: Table, id_: RowId, values: Values) -> Values:
    if not table.encrypted:
        return values
    size = sum(len(value) for column, value in values if column.is_encrypted and value is not None)
    return await turned(lambda: seal_values(table, id_, values), size)


async def _shown(table: Table, row: str) -> bytes:
    return (await opened(table, row)).encode()


async def _check(check: Callable[[Table, Data], Values], table: Table, data: Data) -> _Checked:
    try:
        return _Checked(await aside(partial(check, table, data), data), None)
    except Refusal as refusal:
        return _Checked([], refusal)


def _access(table: Table, action: str, principal: Principal) -> Access:
    """Return by what rows are open to an action; raises `Refusal(USER_UNAUTHORIZED)` where none is, nor can be read."""
    rows = access(table, action, principal)
    if rows.is_closed:
        raise Refusal(ErrorType.USER_UNAUTHORIZED)
    return rows


def _is_needless(table: Table, id_: RowId, held: HeldRow, change: RowChange, fault: Refusal | None) -> bool:
    """Say whether a change leaves a row as its reader knows it."""
    has_dates = change.created_at is not None or change.updated_at is not None
    if not (held.may_read and held.is_unchanged) or fault is not None or has_dates:
        return False
    return is_held(table, id_, held.json, change.values)


def _require(held: HeldRow, *, unchanged_since: datetime | None = None, has_bound: bool = False) -> None:
    """Raise `Refusal` unless the row may be acted on, under conditions that only its reader may set."""
    has_condition = unchanged_since is not None or has_bound
    if not held.may_act or (has_condition and not held.may_read):
        raise Refusal(ErrorType.USER_UNAUTHORIZED)
    if unchanged_since is not None and held.updated_at > unchanged_since:
        raise Refusal(ErrorType.ROW_UPDATE_CONFLICT)
