"""Rows over HTTP. Their JSON comes from PostgreSQL and is passed on as it is."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, TypeVar

import msgspec

from services.data.domain.columns import KINDS
from services.data.domain.columns.kind import Options, ValueInvalid
from services.data.domain.row_json import parse_data, parse_list
from services.data.domain.rows import Number, Step
from services.data.http.databases import NOT_FOUND
from services.data.http.explain import find_explained
from services.data.http.tables import PATH as TABLES
from services.data.http.tables import TablePath
from services.data.operations import bulk_rows as bulk_operations
from services.data.operations import rows as operations
from services.data.operations.deps import DataDeps
from services.data.operations.rows import Change
from shared.contracts.principal import Kind
from shared.kernel.errors import ArgumentInvalid, ErrorType, Refusal
from shared.web.bodies import LARGE_BODY_BYTES
from shared.web.endpoint import Call, Caller, RateLimit, Routes, Stream
from shared.web.parameters import CustomId, Id

T = TypeVar("T")
routes = Routes[DataDeps]("tablesDB", NOT_FOUND)

READ, WRITE = ("rows.read", "documents.read"), ("rows.write", "documents.write")
PATH = TABLES + "/{tableId}/rows"
WRITES = RateLimit(120, 60, by=("ip", "method", "url", "user"))
WRITE_ERRORS = (
    ErrorType.ROW_INVALID_STRUCTURE,
    ErrorType.ROW_UNIQUE_CONSTRAINT_VIOLATION,
    ErrorType.ROW_UPDATE_CONFLICT,
    ErrorType.TRANSACTION_NOT_FOUND,
    ErrorType.USER_UNAUTHORIZED,
)
STEP_ERRORS = (
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

MOST_AT_ONCE = 256 * 1024
"""Bytes of JSON that are made into rows without giving others a turn."""


class RowsPath(TablePath, frozen=True, kw_only=True, rename="camel"):
    """The rows of one table. `transactionId` names a transaction, of which there are none yet."""

    transaction_id: str | None = None


class CreateRow(RowsPath, frozen=True, kw_only=True, rename="camel"):
    """A row; `data` is an object, or a text that holds one.

    Or many `rows`, by keys only: each an object with its data, and with `$id` and `$permissions` if need be.
    """

    row_id: CustomId | None = None
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

    row_id: Id


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
    return parse(sent) if memoryview(sent).nbytes <= MOST_AT_ONCE else await asyncio.to_thread(parse, sent)


def may_by(*actions: str) -> Callable[[Call[DataDeps], list[str]], Awaitable[bool]]:
    """Return what says whether a caller may do one of these with any row of the table, and so may send large ones."""

    async def may(call: Call[DataDeps], path: list[str]) -> bool:
        key = (call.project.incarnation, path[0], path[1])
        return await operations.may_write(call.deps.catalogue, call.principal, key, actions)

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
    change = Change(data=data, permissions=params.permissions)
    return await operations.create_row(
        call.deps.catalogue, call.principal, rows_key(call, params), params.row_id, change
    )


@routes.endpoint(
    "GET",
    PATH,
    name="tables_db.list_rows",
    callers=Caller.ANYONE,
    scopes=READ,
    model=RowList,
    errors=(ErrorType.USER_NOT_FOUND,),
)
async def list_rows(call: Call[DataDeps], params: ListRows) -> bytes | Stream:
    """List the rows that the caller may read."""
    if params.ttl:
        call.add_header("X-Appwrite-Cache", "miss")
    page = await operations.list_rows(
        call.deps.catalogue,
        call.principal,
        rows_key(call, params),
        queries=params.queries,
        with_total=params.total,
        explained=await find_explained(call),
    )
    return page if isinstance(page, bytes) else Stream(*page)


@routes.endpoint(
    "GET",
    PATH + "/{rowId}",
    name="tables_db.get_row",
    callers=Caller.ANYONE,
    scopes=READ,
    model=Row,
    errors=(ErrorType.ROW_NOT_FOUND, ErrorType.USER_NOT_FOUND),
)
async def get_row(call: Call[DataDeps], params: GetRow) -> bytes:
    """Return a row."""
    return await operations.get_row(
        call.deps.catalogue,
        call.principal,
        rows_key(call, params),
        params.row_id,
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
    return await operations.update_row(
        call.deps.catalogue, call.principal, rows_key(call, params), params.row_id, await _change(call, params)
    )


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
    return await operations.upsert_row(
        call.deps.catalogue, call.principal, rows_key(call, params), params.row_id, await _change(call, params)
    )


@routes.endpoint(
    "PATCH",
    PATH + "/{rowId}/{column}/increment",
    name="tables_db.increment_row_column",
    callers=Caller.ANYONE,
    scopes=WRITE,
    limit=WRITES,
    model=Row,
    errors=STEP_ERRORS,
)
async def increment_row_column(call: Call[DataDeps], params: IncrementColumn) -> bytes:
    """Add to a number in a row."""
    step = Step(by=params.value, bound=params.max)
    return await operations.step_row(
        call.deps.catalogue,
        call.principal,
        rows_key(call, params),
        params.row_id,
        params.column,
        step,
        unchanged_since=_unchanged_since(call),
    )


@routes.endpoint(
    "PATCH",
    PATH + "/{rowId}/{column}/decrement",
    name="tables_db.decrement_row_column",
    callers=Caller.ANYONE,
    scopes=WRITE,
    limit=WRITES,
    model=Row,
    errors=STEP_ERRORS,
)
async def decrement_row_column(call: Call[DataDeps], params: DecrementColumn) -> bytes:
    """Take from a number in a row."""
    step = Step(by=-params.value, bound=params.min)
    return await operations.step_row(
        call.deps.catalogue,
        call.principal,
        rows_key(call, params),
        params.row_id,
        params.column,
        step,
        unchanged_since=_unchanged_since(call),
    )


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
    await operations.delete_row(
        call.deps.catalogue,
        call.principal,
        rows_key(call, params),
        params.row_id,
        unchanged_since=_unchanged_since(call),
    )


async def _create_rows(call: Call[DataDeps], params: CreateRow) -> bytes:
    if not (params.data == NOTHING and params.row_id is None and params.permissions is None):
        raise Refusal(ErrorType.GENERAL_BAD_REQUEST, "In a bulk call, data, rowId and permissions belong to each row.")
    if call.principal.kind is not Kind.KEY:
        raise Refusal(ErrorType.GENERAL_UNAUTHORIZED_SCOPE, "Only keys can create several rows in one call.")
    rows = await aside(parse_list, params.rows)
    return await bulk_operations.create_rows(
        call.deps.catalogue, call.principal, rows_key(call, params), bulk_operations.given_rows(rows)
    )


async def _change(call: Call[DataDeps], params: UpdateRow) -> Change:
    change = Change(
        data=await aside(parse_data, params.data),
        permissions=params.permissions,
        unchanged_since=_unchanged_since(call),
    )
    if not change.data and change.permissions is None:
        raise Refusal(ErrorType.ROW_MISSING_PAYLOAD)
    return change


def _unchanged_since(call: Call[DataDeps]) -> datetime | None:
    """Return the date of the header `x-appwrite-timestamp`, after which a row must not have been changed."""
    given = call.header("x-appwrite-timestamp")
    try:
        moment: datetime | None = KINDS["datetime"].check(given, Options()) if given else None
    except ValueInvalid as error:
        raise ArgumentInvalid("x-appwrite-timestamp", str(error)) from error
    return moment


def rows_key(call: Call[DataDeps], params: RowsPath) -> tuple[int, str, str]:
    """Return what names the table; raises `Refusal(TRANSACTION_NOT_FOUND)` where it is meant in a transaction."""
    if params.transaction_id:
        raise Refusal(ErrorType.TRANSACTION_NOT_FOUND)
    return call.project.incarnation, params.database_id, params.table_id
