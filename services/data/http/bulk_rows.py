"""Many rows at once over HTTP, by keys only; to make them is `POST` of rows, beside one row's."""

import msgspec

from services.data.domain.row_json import parse_data, parse_list
from services.data.http.databases import NOT_FOUND
from services.data.http.rows import PATH, WRITE, WRITE_ERRORS, ManyRows, RowList, RowsPath, aside, nothing, rows_key
from services.data.operations import bulk_rows as operations
from services.data.operations.deps import DataDeps
from shared.kernel.errors import ErrorType, Refusal
from shared.web.bodies import LARGE_BODY_BYTES, MEDIUM_BODY_BYTES
from shared.web.endpoint import Call, Caller, Routes

routes = Routes[DataDeps]("tablesDB", NOT_FOUND)


class UpsertRows(RowsPath, frozen=True, kw_only=True, rename="camel"):
    """At most 100 rows, each an object with its data, and with `$id` and `$permissions` if need be."""

    rows: ManyRows


class UpdateRows(RowsPath, frozen=True, kw_only=True, rename="camel"):
    """What is to change in every row that the `queries` find; all rows, where there are none."""

    data: msgspec.Raw = msgspec.field(default_factory=nothing)
    queries: list[str] = []


class DeleteRows(RowsPath, frozen=True, kw_only=True, rename="camel"):
    """The `queries` find what is to be deleted; all rows, where there are none."""

    queries: list[str] = []


@routes.endpoint(
    "PUT",
    PATH,
    name="tables_db.upsert_rows",
    callers=Caller.KEY,
    scopes=WRITE,
    max_body_bytes=LARGE_BODY_BYTES,
    model=RowList,
    errors=(ErrorType.ROW_ALREADY_EXISTS, ErrorType.ROW_MISSING_DATA, *WRITE_ERRORS),
)
async def upsert_rows(call: Call[DataDeps], params: UpsertRows) -> bytes:
    """Create rows, or change those of these ids: all, or none."""
    rows = await aside(parse_list, params.rows)
    return await operations.upsert_rows(
        call.deps, call.principal, table_key=rows_key(call, params), rows=operations.parse_rows(rows)
    )


@routes.endpoint(
    "PATCH",
    PATH,
    name="tables_db.update_rows",
    callers=Caller.KEY,
    scopes=WRITE,
    max_body_bytes=LARGE_BODY_BYTES,
    model=RowList,
    errors=(ErrorType.ROW_MISSING_PAYLOAD, *WRITE_ERRORS),
)
async def update_rows(call: Call[DataDeps], params: UpdateRows) -> bytes:
    """Change all rows that match; return how many, and the first 100 of them."""
    data = await aside(parse_data, params.data)
    if not data:
        raise Refusal(ErrorType.ROW_MISSING_PAYLOAD, "The rows' data is missing.")
    return await operations.update_rows(
        call.deps, call.principal, table_key=rows_key(call, params), data=data, queries=params.queries
    )


@routes.endpoint(
    "DELETE",
    PATH,
    name="tables_db.delete_rows",
    callers=Caller.KEY,
    scopes=WRITE,
    model=RowList,
    max_body_bytes=MEDIUM_BODY_BYTES,
)
async def delete_rows(call: Call[DataDeps], params: DeleteRows) -> bytes:
    """Delete all rows that match; return how many, and the first 100 of them."""
    return await operations.delete_rows(
        call.deps, call.principal, table_key=rows_key(call, params), queries=params.queries
    )
