"""Columns over HTTP: one endpoint for each kind that can be created."""

from typing import Any

import msgspec

from services.data.domain.column_changes import ColumnChange
from services.data.domain.columns import KINDS
from services.data.domain.columns.kind import Options
from services.data.domain.definitions import NewColumn
from services.data.domain.listing import Listing
from services.data.http import models
from services.data.http.databases import NOT_FOUND
from services.data.http.tables import COLUMN_ERRORS, TablePath, table_key
from services.data.http.tables import PATH as TABLES
from services.data.operations import definitions as operations
from services.data.operations.deps import DataDeps
from shared.kernel.errors import ErrorType, Refusal
from shared.web.bodies import MEDIUM_BODY_BYTES
from shared.web.endpoint import Call, Caller, Reply, Routes
from shared.web.parameters import Id

routes = Routes[DataDeps]("tablesDB", NOT_FOUND | {"key": ErrorType.COLUMN_NOT_FOUND})

_NOUNS = ("tables", "collections", "columns", "attributes")
READ = tuple(f"{noun}.read" for noun in _NOUNS)
WRITE = tuple(f"{noun}.write" for noun in _NOUNS)
PATH = TABLES + "/{tableId}/columns"

LISTING = Listing(
    {
        "key": "longtext",
        "type": "longtext",
        "size": "integer",
        "required": "boolean",
        "array": "boolean",
        "status": "longtext",
        "error": "longtext",
    },
    cursor="key",
)

Number = int | float


class ColumnOptions(TablePath, frozen=True, kw_only=True, rename="camel"):
    """A column of any kind; each kind uses some of `size`, `min`, `max`, `elements`."""

    key: Id
    required: bool
    size: int | None = None
    min: Number | None = None
    max: Number | None = None
    elements: list[str] | None = None


class CreateColumn(ColumnOptions, frozen=True, kw_only=True, rename="camel"):
    """A column that is to be made."""

    default: Any = None  # Any: a JSON value, checked by the kind
    array: bool = False
    encrypt: bool = False


class UpdateColumn(ColumnOptions, frozen=True, kw_only=True, rename="camel"):
    """What a column is to be: a default of null is none; a size and bounds that are left out stay as they are."""

    default: Any | None  # Any: as above
    new_key: Id | None = None


class ListColumns(TablePath, frozen=True, kw_only=True, rename="camel"):
    """`queries` in the SDKs' syntax; a cursor is a column's key."""

    queries: list[str] = []
    total: bool = True


class ColumnPath(TablePath, frozen=True, kw_only=True, rename="camel"):
    """One column."""

    key: Id


def _declare(kind: str) -> None:
    @routes.endpoint(
        "POST",
        f"{PATH}/{kind}",
        name=f"tables_db.create_{kind}_column",
        callers=Caller.KEY,
        scopes=WRITE,
        status=202,
        max_body_bytes=MEDIUM_BODY_BYTES,
        errors=COLUMN_ERRORS,
    )
    async def create_column(call: Call[DataDeps], params: CreateColumn) -> Reply:
        """Create a column; it can be used at once."""
        new = NewColumn(
            key=params.key,
            kind=kind,
            required=params.required,
            default=params.default,
            array=params.array,
            options=_options(kind, params, encrypt=params.encrypt),
        )
        column = await operations.create_column(call.deps, table_key(call, params), new=new)
        return Reply(body=msgspec.json.encode(models.column(column)))

    @routes.endpoint(
        "PATCH",
        f"{PATH}/{kind}/{{key}}",
        name=f"tables_db.update_{kind}_column",
        callers=Caller.KEY,
        scopes=WRITE,
        max_body_bytes=MEDIUM_BODY_BYTES,
        errors=(*COLUMN_ERRORS, ErrorType.COLUMN_INVALID_RESIZE),
    )
    async def update_column(call: Call[DataDeps], params: UpdateColumn) -> Reply:
        """Change or rename a column, in force for every request from then on; its values stay as they are."""
        change = ColumnChange(
            kind=kind,
            key=params.new_key or params.key,
            required=params.required,
            default=params.default,
            options=_options(kind, params),
        )
        column = await operations.update_column(call.deps, table_key(call, params), key=params.key, change=change)
        return Reply(body=msgspec.json.encode(models.column(column)))


def _options(kind: str, params: ColumnOptions, *, encrypt: bool = False) -> Options:
    if kind == "enum" and params.elements is None:
        raise Refusal(ErrorType.GENERAL_ARGUMENT_INVALID, 'Param "elements" is not optional.')
    elements = tuple(params.elements or ())
    return Options(size=params.size, min=params.min, max=params.max, elements=elements, encrypt=encrypt)


for _kind in KINDS:
    _declare(_kind)


@routes.endpoint("GET", PATH, name="tables_db.list_columns", callers=Caller.KEY, scopes=READ)
async def list_columns(call: Call[DataDeps], params: ListColumns) -> models.ColumnList:
    """List the columns of a table."""
    table = await operations.get_table(call.deps, table_key(call, params))
    columns = [models.column(column) for column in table.columns]
    places, total = LISTING.select(columns, params.queries, with_total=params.total)
    return models.ColumnList(total=total, columns=[columns[place] for place in places])


@routes.endpoint("GET", PATH + "/{key}", name="tables_db.get_column", callers=Caller.KEY, scopes=READ)
async def get_column(call: Call[DataDeps], params: ColumnPath) -> Reply:
    """Return a column."""
    table = await operations.get_table(call.deps, table_key(call, params))
    return Reply(body=msgspec.json.encode(models.column(operations.find_column(table, params.key))))


@routes.endpoint(
    "DELETE", PATH + "/{key}", name="tables_db.delete_column", callers=Caller.KEY, scopes=WRITE, status=204
)
async def delete_column(call: Call[DataDeps], params: ColumnPath) -> None:
    """Delete a column, with its values and the indexes over it."""
    await operations.delete_column(call.deps, table_key(call, params), key=params.key)
