"""Rows over HTTP. Their JSON comes from PostgreSQL, and is passed on as it is unless a column of it is encrypted."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, TypeVar

import msgspec

from services.data.domain.catalogue import RowKey, TableKey
from services.data.domain.columns import KINDS
from services.data.domain.columns.kind import Options, ValueInvalid
from services.data.domain.row_json import parse_data, parse_list
from services.data.domain.rows import Increment, Number
from services.data.http.databases import NOT_FOUND
from services.data.http.explain import find_explained
from services.data.http.tables import PATH as TABLES
from services.data.http.tables import TablePath, table_key
from services.data.operations import bulk_rows as bulk_operations
from services.data.operations import row_changes as changes
from services.data.operations import rows as operations
from services.data.operations.deps import DataDeps
from services.data.operations.row_input import RowInput
from shared.contracts.ids import DatabaseId, RowId, TableId
from shared.contracts.principal import Kind
from shared.kernel.errors import ArgumentInvalid, ErrorType, Refusal
from shared.web.bodies import LARGE_BODY_BYTES
from shared.web.endpoint import Call, Caller, RateLimit, Routes, Stream
from shared.web.parameters import CustomIdOf, Id, IdOf

T = TypeVar("T")
H = TypeVar("H", bound=Callable[..., Awaitable[bytes]])
routes = Routes[DataDeps]("tablesDB", NOT_FOUND)

READ, WRITE = ("rows.read", "documents.read"), ("rows.write", "documents.write")
PATH = TABLES + "/{tableId}/rows"
WRITES = RateLimit(120, 60, by=("ip", "method", "url", "user"))
WRITE_ERRORS = (
    ErrorType.COLUMN_DECRYPTION_FAILED,
    ErrorType.ROW_INVALID_STRUCTURE,
    ErrorType.ROW_UNIQUE_CONSTRAINT_VIOLATION,
    ErrorType.ROW_UPDATE_CONFLICT,
    ErrorType.TRANSACTION_NOT_FOUND,
    ErrorType.USER_UNAUTHORIZED,
)
INCREMENT_ERRORS = (
    ErrorType.COLUMN_NOT_FOUND,
    ErrorType.COLUMN_TYPE_INVALID,
    ErrorType.COLUMN_LIMIT_EXCEEDED,
    ErrorType.ROW_NOT_FOUND,
    ErrorType.ROW_INVALID_STRUCTURE,
    ErrorType.USER_UNAUTHORIZED,
)
DELETES = RateLimit(60, 60, by=("ip", "method", "url", "user"))


NOTHING = msgspec.Raw(b"null")


def nothing() -> msgspec.Raw:
    """Return what stands for JSON that was not sent. (A default of this type has no place in a schema.)"""
    return NOTHING


ManyRows = Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"type": "array"})]

MAX_AT_ONCE = 256 * 1024
"""Bytes of JSON that are made into rows without giving others a turn."""


class RowsPath(TablePath, frozen=True, kw_only=True, rename="camel"):
    """The rows of one table. `transactionId` names a transaction, of which there are none yet."""

    transaction_id: str | None = None


class CreateRow(RowsPath, frozen=True, kw_only=True, rename="camel"):
    """A row; `data` is an object, or a text that holds one.

    Or many `rows`, by keys only: each an object with its data, and with `$id` and `$permissions` if need be.
    """

    row_id: CustomIdOf[RowId] | None = None
    data: msgspec.Raw = msgspec.field(default_factory=nothing)
    permissions: list[str] | None = None
    rows: ManyRows = msgspec.field(default_factory=nothing)


class ListRows(RowsPath, frozen=True, kw_only=True, rename="camel"):
    """`queries` in the SDKs' syntax; `total` false spares the count.

    `ttl` allows an answer that is so many seconds old. None is kept: each is made anew, and a header says so.
    """

    queries: list[str] = []
    total: bool = True
    ttl: Annotated[int, msgspec.Meta(ge=0, le=86_400)] = 0


class RowPath(RowsPath, frozen=True, kw_only=True, rename="camel"):
    """One row."""

    row_id: IdOf[RowId]


class GetRow(RowPath, frozen=True, kw_only=True, rename="camel"):
    """`queries` may only select."""

    queries: list[str] = []


class UpdateRow(RowPath, frozen=True, kw_only=True, rename="camel"):
    """What is to change; `permissions` replace all that there were."""

    data: msgspec.Raw = msgspec.field(default_factory=nothing)
    permissions: list[str] | None = None


class UpsertRow(UpdateRow, frozen=True, kw_only=True, rename="camel"):
    """What the row of this id is to be."""


Amount = Annotated[int, msgspec.Meta(gt=0)] | Annotated[float, msgspec.Meta(gt=0)]


class IncrementColumn(RowPath, frozen=True, kw_only=True, rename="camel"):
    """How much to add to a number, and what it must not exceed then."""

    column: Id
    value: Amount = 1
    max: Number | None = None


class DecrementColumn(RowPath, frozen=True, kw_only=True, rename="camel"):
    """How much to take from a number, and what it must not fall below then."""

    column: Id
    value: Amount = 1
    min: Number | None = None


class Row(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A row: what every row has; its columns follow by their keys."""

    id: str = msgspec.field(name="$id")
    sequence: str = msgspec.field(name="$sequence")
    created_at: str = msgspec.field(name="$createdAt")
    updated_at: str = msgspec.field(name="$updatedAt")
    permissions: list[str] = msgspec.field(name="$permissions")
    database_id: str = msgspec.field(name="$databaseId")
    table_id: str = msgspec.field(name="$tableId")


class RowList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of rows, and how many match: 5,000 at most."""

    total: int
    rows: list[Row]


async def aside(parse: Callable[[msgspec.Raw], T], sent: msgspec.Raw) -> T:
    """Return what a parser makes of JSON; of much of it, in a thread, so that others have their turn meanwhile."""
    return parse(sent) if memoryview(sent).nbytes <= MAX_AT_ONCE else await asyncio.to_thread(parse, sent)


def may_by(*actions: str) -> Callable[[Call[DataDeps], list[str]], Awaitable[bool]]:
    """Return what says whether a caller may do one of these with any row of the table, and so may send large ones."""

    async def may(call: Call[DataDeps], path: list[str]) -> bool:
        key = TableKey(call.project.incarnation, DatabaseId(path[0]), TableId(path[1]))
        return await operations.may_write(call.deps, call.principal, table_key=key, actions=actions)

    return may


@routes.endpoint(
    "POST",
    PATH,
    name="tables_db.create_row",
    callers=Caller.ANYONE,
    scopes=WRITE,
    status=201,
    limit=WRITES,
    max_body_bytes=LARGE_BODY_BYTES,
    may_send_more=may_by("create"),
    model=Row,
    errors=(ErrorType.ROW_ALREADY_EXISTS, ErrorType.ROW_MISSING_DATA, *WRITE_ERRORS),
)
async def create_row(call: Call[DataDeps], params: CreateRow) -> bytes:
    """Create a row, or many at once."""
    if params.rows != NOTHING:
        return await _create_rows(call, params)
    data = await aside(parse_data, params.data)
    if not data or params.row_id is None:
        raise Refusal(ErrorType.ROW_MISSING_DATA)
    row_input = RowInput(data=data, permissions=params.permissions)
    row_key = RowKey(rows_key(call, params), params.row_id)
    return await changes.create_row(call.deps, call.principal, row_key=row_key, row_input=row_input)


@routes.endpoint(
    "GET",
    PATH,
    name="tables_db.list_rows",
    callers=Caller.ANYONE,
    scopes=READ,
    model=RowList,
    errors=(ErrorType.COLUMN_DECRYPTION_FAILED, ErrorType.USER_NOT_FOUND),
)
async def list_rows(call: Call[DataDeps], params: ListRows) -> bytes | Stream:
    """List the rows that the caller may read."""
    if params.ttl:
        call.add_header("X-Appwrite-Cache", "miss")
    page = await operations.list_rows(
        call.deps,
        call.principal,
        table_key=rows_key(call, params),
        queries=params.queries,
        with_total=params.total,
        explained=await find_explained(call),
    )
    return page if isinstance(page, bytes) else Stream(page.first, page.rest)


@routes.endpoint(
    "GET",
    PATH + "/{rowId}",
    name="tables_db.get_row",
    callers=Caller.ANYONE,
    scopes=READ,
    model=Row,
    errors=(ErrorType.COLUMN_DECRYPTION_FAILED, ErrorType.ROW_NOT_FOUND, ErrorType.USER_NOT_FOUND),
)
async def get_row(call: Call[DataDeps], params: GetRow) -> bytes:
    """Return a row."""
    return await operations.get_row(
        call.deps,
        call.principal,
        row_key=_row_key(call, params),
        queries=params.queries,
        explained=await find_explained(call),
    )


@routes.endpoint(
    "PATCH",
    PATH + "/{rowId}",
    name="tables_db.update_row",
    callers=Caller.ANYONE,
    scopes=WRITE,
    limit=WRITES,
    max_body_bytes=LARGE_BODY_BYTES,
    may_send_more=may_by("update"),
    model=Row,
    errors=(ErrorType.ROW_MISSING_PAYLOAD, *WRITE_ERRORS),
)
async def update_row(call: Call[DataDeps], params: UpdateRow) -> bytes:
    """Change some columns of a row, or its permissions."""
    row_input = await _row_input(call, params)
    return await changes.update_row(call.deps, call.principal, row_key=_row_key(call, params), row_input=row_input)


@routes.endpoint(
    "PUT",
    PATH + "/{rowId}",
    name="tables_db.upsert_row",
    callers=Caller.ANYONE,
    scopes=WRITE,
    limit=WRITES,
    max_body_bytes=LARGE_BODY_BYTES,
    may_send_more=may_by("create", "update"),
    model=Row,
    errors=(
        ErrorType.ROW_MISSING_PAYLOAD,
        *WRITE_ERRORS,
    ),
)
async def upsert_row(call: Call[DataDeps], params: UpsertRow) -> bytes:
    """Create a row, or change the one of this id."""
    row_input = await _row_input(call, params)
    return await changes.upsert_row(call.deps, call.principal, row_key=_row_key(call, params), row_input=row_input)


def _increment_endpoint(verb: str) -> Callable[[H], H]:
    """Declare an endpoint that adds to a number in a row, or takes from it."""
    return routes.endpoint(
        "PATCH",
        f"{PATH}/{{rowId}}/{{column}}/{verb}",
        name=f"tables_db.{verb}_row_column",
        callers=Caller.ANYONE,
        scopes=WRITE,
        limit=WRITES,
        model=Row,
        errors=INCREMENT_ERRORS,
    )


@_increment_endpoint("increment")
async def increment_row_column(call: Call[DataDeps], params: IncrementColumn) -> bytes:
    """Add to a number in a row."""
    return await _increment(call, params, Increment(column=params.column, by=params.value, bound=params.max))


@_increment_endpoint("decrement")
async def decrement_row_column(call: Call[DataDeps], params: DecrementColumn) -> bytes:
    """Take from a number in a row."""
    return await _increment(call, params, Increment(column=params.column, by=-params.value, bound=params.min))


@routes.endpoint(
    "DELETE",
    PATH + "/{rowId}",
    name="tables_db.delete_row",
    callers=Caller.ANYONE,
    scopes=WRITE,
    status=204,
    limit=DELETES,
    errors=(ErrorType.ROW_NOT_FOUND, ErrorType.USER_UNAUTHORIZED),
)
async def delete_row(call: Call[DataDeps], params: RowPath) -> None:
    """Delete a row."""
    await changes.delete_row(
        call.deps, call.principal, row_key=_row_key(call, params), unchanged_since=_unchanged_since(call)
    )


async def _create_rows(call: Call[DataDeps], params: CreateRow) -> bytes:
    if not (params.data == NOTHING and params.row_id is None and params.permissions is None):
        raise Refusal(ErrorType.GENERAL_BAD_REQUEST, "In a bulk call, data, rowId and permissions belong to each row.")
    if call.principal.kind is not Kind.KEY:
        raise Refusal(ErrorType.GENERAL_UNAUTHORIZED_SCOPE, "Only keys can create several rows in one call.")
    rows = await aside(parse_list, params.rows)
    return await bulk_operations.create_rows(
        call.deps, call.principal, table_key=rows_key(call, params), rows=bulk_operations.parse_rows(rows)
    )


async def _increment(call: Call[DataDeps], params: RowPath, increment: Increment) -> bytes:
    return await changes.increment_column(
        call.deps,
        call.principal,
        row_key=_row_key(call, params),
        increment=increment,
        unchanged_since=_unchanged_since(call),
    )


async def _row_input(call: Call[DataDeps], params: UpdateRow) -> RowInput:
    row_input = RowInput(
        data=await aside(parse_data, params.data),
        permissions=params.permissions,
        unchanged_since=_unchanged_since(call),
    )
    if not row_input.data and row_input.permissions is None:
        raise Refusal(ErrorType.ROW_MISSING_PAYLOAD)
    return row_input


def _unchanged_since(call: Call[DataDeps]) -> datetime | None:
    """Return the date of the header `x-appwrite-timestamp`, after which a row must not have been changed."""
    text = call.header("x-appwrite-timestamp")
    try:
        date: datetime | None = KINDS["datetime"].check(text, Options()) if text else None
    except ValueInvalid as error:
        raise ArgumentInvalid("x-appwrite-timestamp", str(error)) from error
    return date


def _row_key(call: Call[DataDeps], params: RowPath) -> RowKey:
    return RowKey(rows_key(call, params), params.row_id)


def rows_key(call: Call[DataDeps], params: RowsPath) -> TableKey:
    """Return what names the table; raises `Refusal(TRANSACTION_NOT_FOUND)` where it is meant in a transaction."""
    if params.transaction_id:
        raise Refusal(ErrorType.TRANSACTION_NOT_FOUND)
    return table_key(call, params)
