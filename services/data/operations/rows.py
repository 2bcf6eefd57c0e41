"""Rows: read, made, changed, deleted, by whoever the permissions let.

Rights come first, and what is asked after them. Of a row that a caller may not read, no answer tells more than that it
may be changed or deleted; where not even that, it is not there. `services.data.domain.rights` has the rules.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

import msgspec

from services.data.domain.catalogue import Table
from services.data.domain.columns import KINDS
from services.data.domain.columns.kind import Options, ValueInvalid
from services.data.domain.queries import parse_row_queries, parse_selection
from services.data.domain.rights import Access, access, roles_for
from services.data.domain.row_json import Data, is_much
from services.data.domain.rows import (
    Step,
    Values,
    check_step,
    number_column,
    stepped,
    stored,
    stored_over,
    unfit,
)
from services.data.operations.catalogue import Catalogue, Key
from services.data.operations.explanations import check_explainable, list_explained, row_explained
from services.data.store import rows as store
from services.data.store.errors import StaleTable
from services.data.store.rows import Known, Page
from shared.appwrite.permissions import (
    ROW_ACTIONS,
    Permission,
    check_assignable,
    owner_permissions,
    parse_permissions,
)
from shared.contracts.principal import Kind, Principal
from shared.kernel.clock import now
from shared.kernel.errors import ArgumentInvalid, ErrorType, Refusal, Unavailable
from shared.kernel.ids import chosen_id
from shared.postgres.pool import Connection
from shared.queries.errors import UnfitQuery
from shared.queries.parser import has_cursor
from shared.queries.tree import Query

T = TypeVar("T")

LONGEST_PAGE = 1_000
"""Rows that are read at once; a longer page is sent in parts."""

FIRST_PART = 100
PART_BYTES = 1024 * 1024
"""How many rows the first part of a page has, and about how many bytes each other."""

InParts = tuple[bytes, AsyncGenerator[bytes, None]]
"""The first part of an answer, and the rest."""

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
        roles = roles_for(table, "read", principal)
        if roles == []:
            raise Refusal(ErrorType.ROW_NOT_FOUND)
        try:
            selected = parse_selection(queries, table.by_key) if queries else None
        except UnfitQuery:
            await store.get_row(connection, table, row_id, selected=(), roles=roles)  # only its reader is told why
            raise
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
) -> bytes | InParts:
    """Return a page of the rows that may be read, as JSON. Raises `Refusal(USER_UNAUTHORIZED)` where none can be.

    To a caller who may read no row at all, a table is empty, whatever is asked of its columns.
    `explained`: whose access is told beside each.
    """

    async def work(connection: Connection, table: Table) -> bytes | None:
        asked = await _asked(connection, table, principal, queries)
        if asked is None:
            return _listed(table, Page("", 0))
        query, roles = asked
        if explained is not None:
            check_explainable(query.limit)
        if query.limit > LONGEST_PAGE:
            return None
        page = await store.list_rows(connection, table, query, roles=roles, with_total=with_total)
        if explained is not None:
            return list_explained(table, page.rows, page.total, explained)
        return _listed(table, page)

    page = await catalogue.read(key, principal, work)
    if page is not None:
        return page
    parts = _list_in_parts(catalogue, principal, key, queries=queries, with_total=with_total)
    return await anext(parts), parts


async def _list_in_parts(
    catalogue: Catalogue, principal: Principal, key: Key, *, queries: list[str], with_total: bool
) -> AsyncGenerator[bytes, None]:
    """Yield a page of any length in parts, of rows as they are now, while its caller still stands."""

    async def begin(connection: Connection, table: Table) -> bytes:
        asked = await _asked(connection, table, principal, queries)
        if asked is None:
            raise StaleTable
        query, roles = asked
        total = await store.open_rows(connection, table, query, roles=roles, with_total=with_total)
        return f'{{"total":{total},"{table.naming.word("rows")}":['.encode()

    async with catalogue.lend(principal) as connection:
        try:
            before = await catalogue.read_on(connection, key, principal, begin)
            count = FIRST_PART
            while rows := await store.next_rows(connection, count):
                catalogue.check(principal)
                part = ",".join(rows).encode()
                yield before + part
                before = b","
                count = max(1, min(LONGEST_PAGE, PART_BYTES * len(rows) // len(part)))
            yield (b"" if before == b"," else before) + b"]}"
            await store.close_rows(connection)
        except BaseException:
            # Whatever the list left behind goes with the connection.
            connection.terminate()
            raise


async def _asked(
    connection: Connection, table: Table, principal: Principal, queries: list[str]
) -> tuple[Query, list[str] | None] | None:
    """Return what is asked of a table, and by which roles; None where it is nothing that the caller may know of."""
    roles = roles_for(table, "read", principal)
    if roles == []:
        raise Refusal(ErrorType.USER_UNAUTHORIZED)
    try:
        query = parse_row_queries(queries, table.by_key, searchable=table.searchable)
    except UnfitQuery:
        if roles is None or await store.reads_any(connection, table, roles):
            raise
    else:
        # A page in parts looks other than an empty one: it would tell that its queries fit the columns.
        if roles is None or query.limit <= LONGEST_PAGE or await store.reads_any(connection, table, roles):
            return query, roles
    if has_cursor(queries):
        raise store.cursor_not_found()
    return None


async def may_write(catalogue: Catalogue, principal: Principal, key: Key, actions: tuple[str, ...]) -> bool:
    """Say whether one of these actions is open to the principal, on the table or on some row; not where it is unseen.

    What is written is checked by itself: this spares reading what cannot be.
    """

    async def work(connection: Connection, table: Table) -> bool:
        await store.require_current(connection, table)
        opened = [roles_for(table, action, principal) for action in actions]
        rows = [action for action, roles in zip(actions, opened, strict=True) if roles and action != "create"]
        if None in opened or not rows:
            return None in opened
        return await store.is_granted(connection, table, rows, list(principal.roles))

    try:
        return await catalogue.read(key, principal, work)
    except Unavailable:
        raise
    except Refusal:
        return False


async def create_row(catalogue: Catalogue, principal: Principal, key: Key, row_id: str, change: Change) -> bytes:
    """Make a row; return it as JSON."""
    id_ = chosen_id(row_id)

    async def work(connection: Connection, table: Table) -> bytes:
        return await _insert(connection, table, principal, id_, change)

    return await catalogue.write(key, principal, work)


async def update_row(catalogue: Catalogue, principal: Principal, key: Key, row_id: str, change: Change) -> bytes:
    """Change a row; return it as JSON. Where nothing changes for its reader, reading it is all that is needed."""

    async def work(connection: Connection, table: Table) -> bytes:
        to_update = _access(table, "update", principal)
        permissions = None if change.permissions is None else row_permissions(change.permissions, principal)
        values, fault = await _checked(partial(stored, is_new=False), table, change.data or {})
        updated_at = moment(change.data or {}, "$updatedAt", principal)
        known = await store.find_row(connection, table, row_id, to_update, values=values, permissions=permissions)
        if known.may_read and known.is_same and fault is None and updated_at is None:
            return known.json.encode()
        _require(known, unchanged_since=change.unchanged_since)
        if fault is not None:
            raise fault
        if known.may_read and known.unfit is not None:
            raise unfit(known.unfit)
        return await store.update_row(
            connection, table, known, values=values, permissions=permissions, now=now(), updated_at=updated_at
        )

    return await catalogue.write(key, principal, work)


async def upsert_row(catalogue: Catalogue, principal: Principal, key: Key, row_id: str, change: Change) -> bytes:
    """Make a row, or change the one that is there; return it as JSON.

    Where it would change nothing for its reader, it is only read. An id of a row that is hidden cannot be made.
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
        if await store.has_row(connection, table, id_):
            raise Refusal(ErrorType.USER_UNAUTHORIZED)
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
    """Move a number in a row, which is held meanwhile; return the row as JSON.

    Whoever may not read the row sets no bound, and is not told that the number has come to the end of its column's
    range: it stays then.
    """

    async def work(connection: Connection, table: Table) -> bytes:
        known = await store.find_row(connection, table, row_id, _access(table, "update", principal))
        _require(known, unchanged_since=unchanged_since, has_bound=step.bound is not None)
        column = number_column(table, column_key)
        check_step(column, step)
        try:
            value = stepped(msgspec.json.decode(known.json)[column.key], step)
            values = stored(table, {column.key: value}, is_new=False)
        except Refusal:
            if known.may_read:
                raise
            values = []
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
        known = await store.find_row(connection, table, row_id, _access(table, "delete", principal))
        _require(known, unchanged_since=unchanged_since)
        await store.delete_row(connection, table, known)

    await catalogue.write(key, principal, work)


async def _insert(connection: Connection, table: Table, principal: Principal, id_: str, change: Change) -> bytes:
    if roles_for(table, "create", principal) is not None:
        raise Refusal(ErrorType.USER_UNAUTHORIZED)
    data = change.data or {}
    permissions = new_permissions(change.permissions, principal)
    values = await aside(partial(stored, table, data, is_new=True), data)
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
    """Upsert a row that is there; None where it is not, or not for this caller."""
    to_update = access(table, "update", principal)
    if to_update.is_closed:
        return None
    data = change.data or {}
    permissions = None if change.permissions is None else row_permissions(change.permissions, principal)
    values, fault = await _checked(stored_over, table, data)
    created_at, updated_at = moment(data, "$createdAt", principal), moment(data, "$updatedAt", principal)
    try:
        known = await store.find_row(connection, table, id_, to_update, values=values, permissions=permissions)
    except Refusal as refusal:
        if refusal.type is ErrorType.ROW_NOT_FOUND:
            return None
        raise
    if known.may_read and known.is_same and fault is None and created_at is None and updated_at is None:
        return known.json.encode()
    _require(known)
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


def _access(table: Table, action: str, principal: Principal) -> Access:
    """Return by what rows are open to an action; raises `Refusal(USER_UNAUTHORIZED)` where none is, nor can be read."""
    found = access(table, action, principal)
    if found.is_closed:
        raise Refusal(ErrorType.USER_UNAUTHORIZED)
    return found


def _require(known: Known, *, unchanged_since: datetime | None = None, has_bound: bool = False) -> None:
    """Raise `Refusal` unless the row may be acted on, under conditions that only its reader may set."""
    has_condition = unchanged_since is not None or has_bound
    if not known.may or (has_condition and not known.may_read):
        raise Refusal(ErrorType.USER_UNAUTHORIZED)
    if unchanged_since is not None and known.updated_at > unchanged_since:
        raise Refusal(ErrorType.ROW_UPDATE_CONFLICT)


def _listed(table: Table, page: Page) -> bytes:
    return f'{{"total":{page.total},"{table.naming.word("rows")}":[{page.rows}]}}'.encode()


async def aside(check: Callable[[], T], *rows: Data) -> T:
    """Return what a check of rows gives; of much in them, in a thread, so that others have their turn meanwhile."""
    return await asyncio.to_thread(check) if is_much(*rows) else check()


async def _checked(check: Callable[[Table, Data], Values], table: Table, data: Data) -> tuple[Values, Refusal | None]:
    """Return the values to be stored, or why they cannot be: told only to who may update the row."""
    try:
        return await aside(partial(check, table, data), data), None
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
