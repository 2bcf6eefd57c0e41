"""Rows: read, made, changed, deleted, by whoever the permissions let.

The table's own list grants for all rows; with row security, a row's list grants for that row too. Creating needs the
table's list. A key may do everything.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import msgspec

from services.data.domain.catalogue import Table
from services.data.domain.columns import KINDS
from services.data.domain.columns.kind import Options, ValueInvalid
from services.data.domain.queries import parse_row_queries, parse_selection
from services.data.domain.rows import (
    Data,
    Step,
    Values,
    number_column,
    stepped,
    stored,
    stored_over,
    unfit,
)
from services.data.operations.catalogue import Catalogue, Key
from services.data.operations.explanations import check_explainable, list_explained, row_explained
from services.data.store import rows as store
from services.data.store.rows import Known
from shared.contracts.permissions import (
    ROW_ACTIONS,
    Permission,
    check_assignable,
    grants,
    owner_permissions,
    parse_permissions,
)
from shared.contracts.principal import Kind, Principal
from shared.kernel.clock import now
from shared.kernel.errors import ArgumentInvalid, ErrorType, Refusal, Unavailable
from shared.kernel.ids import chosen_id
from shared.postgres.pool import Connection

UPSERT_TRIES = 3
"""How often an upsert begins again where another call makes or deletes its row meanwhile."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be written: data (None: nothing), and permissions (None: the default of a new row, or unchanged)."""

    data: Data | None
    permissions: list[str] | None
    unchanged_since: datetime | None = None
    """A row that was changed later is not."""


async def get_row(
    catalogue: Catalogue,
    principal: Principal,
    key: Key,
    row_id: str,
    *,
    queries: list[str],
    explained: Principal | None = None,
) -> bytes:
    """Return a row as JSON; what is not there and what may not be read are the same: `Refusal(ROW_NOT_FOUND)`.

    `explained`: whose access is told beside it.
    """

    async def work(connection: Connection, table: Table) -> bytes:
        selected = parse_selection(queries, table.by_key) if queries else None
        roles = _roles(table, "read", principal)
        if roles == []:
            raise store.not_found()
        row = await store.get_row(connection, table, row_id, selected=selected, roles=roles)
        return row if explained is None else row_explained(table, row, explained)

    return await catalogue.read(key, principal, work)


async def list_rows(
    catalogue: Catalogue,
    principal: Principal,
    key: Key,
    *,
    queries: list[str],
    with_total: bool,
    explained: Principal | None = None,
) -> bytes:
    """Return a page of the rows that may be read, as JSON. Raises `Refusal(USER_UNAUTHORIZED)` where none can be.

    `explained`: whose access is told beside each.
    """

    async def work(connection: Connection, table: Table) -> bytes:
        query = parse_row_queries(queries, table.by_key, searchable=table.searchable)
        if explained is not None:
            check_explainable(query.limit)
        roles = _roles(table, "read", principal)
        if roles == []:
            raise _unauthorized()
        page = await store.list_rows(connection, table, query, roles=roles, with_total=with_total)
        if explained is not None:
            return list_explained(table, page.rows, page.total, explained)
        return f'{{"total":{page.total},"{table.naming.word("rows")}":[{page.rows}]}}'.encode()

    return await catalogue.read(key, principal, work)


async def create_row(catalogue: Catalogue, principal: Principal, key: Key, row_id: str, change: Change) -> bytes:
    """Make a row; return it as JSON."""
    id_ = chosen_id(row_id)

    async def work(connection: Connection, table: Table) -> bytes:
        return await _insert(connection, table, principal, id_, change)

    return await catalogue.write(key, principal, work)


async def update_row(catalogue: Catalogue, principal: Principal, key: Key, row_id: str, change: Change) -> bytes:
    """Change a row; return it as JSON. Where nothing changes, reading it is all that is needed, and done."""

    async def work(connection: Connection, table: Table) -> bytes:
        permissions = None if change.permissions is None else row_permissions(change.permissions, principal)
        values, fault = _checked(partial(stored, is_new=False), table, change.data or {})
        updated_at = moment(change.data or {}, "$updatedAt", principal)
        known = await store.find_row(
            connection,
            table,
            row_id,
            action="update",
            roles=list(principal.roles),
            values=values,
            permissions=permissions,
        )
        if known.is_same and fault is None and updated_at is None:
            _require(table, "read", principal, known)
            return known.json.encode()
        _require(table, "update", principal, known)
        _require_unchanged(known, change.unchanged_since)
        if fault is not None or known.unfit is not None:
            raise fault or unfit(known.unfit or "")
        return await store.update_row(
            connection, table, known, values=values, permissions=permissions, now=now(), updated_at=updated_at
        )

    return await catalogue.write(key, principal, work)


async def upsert_row(catalogue: Catalogue, principal: Principal, key: Key, row_id: str, change: Change) -> bytes:
    """Make a row, or change the one that is there; return it as JSON.

    Where it would change nothing, it is only read: `Refusal(ROW_NOT_FOUND)` to who may not.
    """
    id_ = chosen_id(row_id)

    async def work(connection: Connection, table: Table) -> bytes:
        for _ in range(UPSERT_TRIES):
            changed = await _overwrite(connection, table, principal, id_, change)
            if changed is not None:
                return changed
            try:
                async with connection.transaction():
                    return await _insert(connection, table, principal, id_, change)
            except Refusal as refusal:
                if refusal.type is not ErrorType.ROW_ALREADY_EXISTS:
                    raise
        raise Unavailable("The row is being changed. Try again.", type=ErrorType.GENERAL_BUSY)

    return await catalogue.write(key, principal, work)


async def step_row(
    catalogue: Catalogue,
    principal: Principal,
    key: Key,
    row_id: str,
    column_key: str,
    step: Step,
    *,
    unchanged_since: datetime | None = None,
) -> bytes:
    """Move a number in a row, which is held meanwhile; return the row as JSON."""

    async def work(connection: Connection, table: Table) -> bytes:
        column = number_column(table, column_key)
        known = await store.find_row(
            connection,
            table,
            row_id,
            action="update",
            roles=list(principal.roles),
            values=[],
            permissions=None,
        )
        _require(table, "update", principal, known)
        _require_unchanged(known, unchanged_since)
        value = stepped(msgspec.json.decode(known.json)[column.key], step)
        values = stored(table, {column.key: value}, is_new=False)
        return await store.update_row(
            connection, table, known, values=values, permissions=None, now=now(), updated_at=None
        )

    return await catalogue.write(key, principal, work)


async def delete_row(
    catalogue: Catalogue,
    principal: Principal,
    key: Key,
    row_id: str,
    *,
    unchanged_since: datetime | None = None,
) -> None:
    """Delete a row."""

    async def work(connection: Connection, table: Table) -> None:
        known = await store.find_row(
            connection,
            table,
            row_id,
            action="delete",
            roles=list(principal.roles),
            values=[],
            permissions=None,
        )
        _require(table, "delete", principal, known)
        _require_unchanged(known, unchanged_since)
        await store.delete_row(connection, table, known)

    await catalogue.write(key, principal, work)


async def _insert(connection: Connection, table: Table, principal: Principal, id_: str, change: Change) -> bytes:
    data = change.data or {}
    permissions = new_permissions(change.permissions, principal)
    if _roles(table, "create", principal) is not None:
        raise _unauthorized()
    values = stored(table, data, is_new=True)
    created_at = moment(data, "$createdAt", principal) or now()
    updated_at = moment(data, "$updatedAt", principal) or created_at
    return await store.insert_row(
        connection,
        table,
        id_=id_,
        values=values,
        permissions=permissions,
        created_at=created_at,
        updated_at=updated_at,
    )


async def _overwrite(
    connection: Connection, table: Table, principal: Principal, id_: str, change: Change
) -> bytes | None:
    """Upsert a row that is there; None where it is not."""
    data = change.data or {}
    permissions = None if change.permissions is None else row_permissions(change.permissions, principal)
    values, fault = _checked(stored_over, table, data)
    created_at, updated_at = moment(data, "$createdAt", principal), moment(data, "$updatedAt", principal)
    try:
        known = await store.find_row(
            connection,
            table,
            id_,
            action="update",
            roles=list(principal.roles),
            values=values,
            permissions=permissions,
        )
    except Refusal as refusal:
        if refusal.type is ErrorType.ROW_NOT_FOUND:
            return None
        raise
    if known.is_same and fault is None and created_at is None and updated_at is None:
        if not _may(table, "read", principal, known):
            raise store.not_found()
        return known.json.encode()
    _require(table, "update", principal, known)
    if fault is not None:
        raise fault
    return await store.update_row(
        connection,
        table,
        known,
        values=values,
        permissions=permissions,
        now=now(),
        updated_at=updated_at,
        created_at=created_at,
    )


def _roles(table: Table, action: str, principal: Principal) -> list[str] | None:
    """Return the roles by which single rows may be open; None: all rows are; empty: none can be."""
    if principal.kind is Kind.KEY or grants(table.permissions, action, principal.roles):
        return None
    return list(principal.roles) if table.row_security else []


def _may(table: Table, action: str, principal: Principal, known: Known) -> bool:
    roles = _roles(table, action, principal)
    may = known.may_read if action == "read" else known.may
    return roles is None or (bool(roles) and may)


def _require(table: Table, action: str, principal: Principal, known: Known) -> None:
    if not _may(table, action, principal, known):
        raise _unauthorized()


def _require_unchanged(known: Known, since: datetime | None) -> None:
    if since is not None and known.updated_at > since:
        raise Refusal(ErrorType.ROW_UPDATE_CONFLICT, "The row has been changed since.")


def _checked(check: Callable[[Table, Data], Values], table: Table, data: Data) -> tuple[Values, Refusal | None]:
    """Return the values to be stored, or why they cannot be: told only to who may update the row."""
    try:
        return check(table, data), None
    except Refusal as refusal:
        return [], refusal


def new_permissions(given: list[str] | None, principal: Principal) -> list[Permission]:
    """Return the permissions of a new row: those given, or the default."""
    if given is None:
        return owner_permissions(principal.user) if principal.user else []
    return row_permissions(given, principal)


def row_permissions(given: list[str], principal: Principal) -> list[Permission]:
    """Return the permissions that are given to a row; raises `Refusal` where this caller may not give them."""
    permissions = parse_permissions(given, ROW_ACTIONS)
    if principal.kind is not Kind.KEY:
        check_assignable(permissions, principal.roles)
    return permissions


def moment(data: Data, name: str, principal: Principal) -> datetime | None:
    """Return a date that a key has chosen; those that clients send are dropped."""
    value: Any = data.get(name)  # Any: JSON
    if value is None or principal.kind is not Kind.KEY:
        return None
    try:
        moment: datetime = KINDS["datetime"].check(value, Options())
    except ValueInvalid as error:
        raise ArgumentInvalid("data", f"{name}: {error}") from error
    return moment


def _unauthorized() -> Refusal:
    return Refusal(ErrorType.USER_UNAUTHORIZED, "The current user is not authorized to perform the requested action.")
