"""Many rows at once over HTTP, by keys only; to make them is `POST` of rows, beside one row's."""

from typing import Any

from services.data.domain.rows import parse_data
from services.data.http.rows import PATH, WRITE, RowList, RowsChoice, rows_key
from services.data.operations import bulk_rows as operations
from services.data.operations.deps import DataDeps
from shared.kernel.errors import ErrorType, Refusal
from shared.web.endpoint import Call, Caller, Routes

routes = Routes[DataDeps]("tablesDB")


class UpsertRows(RowsChoice, frozen=True, kw_only=True, rename="camel"):
    """At most 100 rows, each an object with its data, and with `$id` and `$permissions` if need be."""

    rows: list[Any]  # Any: JSON, checked by `parse_rows`


class UpdateRows(RowsChoice, frozen=True, kw_only=True, rename="camel"):
    """What is to change in every row that the `queries` find; all rows, where there are none."""

    data: Any = None  # Any: checked by `parse_data`
    queries: list[str] = []


class DeleteRows(RowsChoice, frozen=True, kw_only=True, rename="camel"):
    """The `queries` find what is to be deleted; all rows, where there are none."""

    queries: list[str] = []


@routes.endpoint(
    "PUT",
    PATH,
    name="tables_db.upsert_rows",
    callers=Caller.KEY,
    scopes=WRITE,
    model=RowList,
    errors=(
        ErrorType.ROW_ALREADY_EXISTS,
        ErrorType.ROW_INVALID_STRUCTURE,
        ErrorType.ROW_UNIQUE_CONSTRAINT_VIOLATION,
    ),
)
async def upsert_rows(call: Call[DataDeps], params: UpsertRows) -> bytes:
    """Create rows, or change those of these ids: all, or none."""
    return await operations.upsert_rows(
        call.deps.catalogue, call.principal, rows_key(call, params), operations.parse_rows(params.rows)
    )


@routes.endpoint(
    "PATCH",
    PATH,
    name="tables_db.update_rows",
    callers=Caller.KEY,
    scopes=WRITE,
    model=RowList,
    errors=(ErrorType.ROW_INVALID_STRUCTURE, ErrorType.ROW_UNIQUE_CONSTRAINT_VIOLATION),
)
async def update_rows(call: Call[DataDeps], params: UpdateRows) -> bytes:
    """Change all rows that match; return how many, and the first 100 of them."""
    data = parse_data(params.data)
    if not data:
        raise Refusal(ErrorType.ROW_MISSING_PAYLOAD, "The rows' data is missing.")
    return await operations.update_rows(
        call.deps.catalogue, call.principal, rows_key(call, params), data, queries=params.queries
    )


@routes.endpoint("DELETE", PATH, name="tables_db.delete_rows", callers=Caller.KEY, scopes=WRITE, model=RowList)
async def delete_rows(call: Call[DataDeps], params: DeleteRows) -> bytes:
    """Delete all rows that match; return how many, and the first 100 of them."""
    return await operations.delete_rows(
        call.deps.catalogue, call.principal, rows_key(call, params), queries=params.queries
    )
