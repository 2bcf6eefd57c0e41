"""Indexes over HTTP."""

from typing import Annotated

import msgspec

from services.data.domain.definitions import NewIndex
from services.data.domain.listing import Listing
from services.data.http import models
from services.data.http.columns import ColumnPath, ListColumns
from services.data.http.databases import NOT_FOUND
from services.data.http.tables import INDEX_ERRORS, TablePath, table_key
from services.data.http.tables import PATH as TABLES
from services.data.operations import definitions as operations
from services.data.operations.deps import DataDeps
from shared.kernel.errors import ErrorType
from shared.web.endpoint import Call, Caller, Reply, Routes
from shared.web.parameters import Id

routes = Routes[DataDeps]("tablesDB", NOT_FOUND | {"key": ErrorType.COLUMN_INDEX_NOT_FOUND})

READ = ("tables.read", "collections.read", "indexes.read")
WRITE = ("tables.write", "collections.write", "indexes.write")
PATH = TABLES + "/{tableId}/indexes"

LISTING = Listing(
    dict.fromkeys(("key", "type", "status", "attributes", "error"), "longtext"),
    lists=frozenset({"attributes"}),
    cursor="key",
)


class CreateIndex(TablePath, frozen=True, kw_only=True, rename="camel"):
    """An index; `lengths` are how many characters of a text count."""

    key: Id
    type: str
    columns: Annotated[list[str], msgspec.Meta(max_length=100)]
    orders: list[str] = []
    lengths: list[int | None] = []


@routes.endpoint(
    "POST",
    PATH,
    name="tables_db.create_index",
    callers=Caller.KEY,
    scopes=WRITE,
    status=202,
    errors=INDEX_ERRORS,
)
async def create_index(call: Call[DataDeps], params: CreateIndex) -> Reply:
    """Create an index; it is in force at once."""
    new = NewIndex(
        key=params.key, type=params.type, columns=params.columns, orders=params.orders, lengths=params.lengths
    )
    index = await operations.create_index(call.deps, table_key(call, params), new=new)
    return Reply(body=msgspec.json.encode(models.index(index)))


@routes.endpoint("GET", PATH, name="tables_db.list_indexes", callers=Caller.KEY, scopes=READ)
async def list_indexes(call: Call[DataDeps], params: ListColumns) -> models.IndexList:
    """List the indexes of a table."""
    table = await operations.get_table(call.deps, table_key(call, params))
    indexes = [models.index(index) for index in table.indexes]
    records = [index | {"attributes": index["columns"]} for index in indexes]
    places, total = LISTING.select(records, params.queries, with_total=params.total)
    return models.IndexList(total=total, indexes=[indexes[place] for place in places])


@routes.endpoint("GET", PATH + "/{key}", name="tables_db.get_index", callers=Caller.KEY, scopes=READ)
async def get_index(call: Call[DataDeps], params: ColumnPath) -> Reply:
    """Return an index."""
    table = await operations.get_table(call.deps, table_key(call, params))
    return Reply(body=msgspec.json.encode(models.index(operations.find_index(table, params.key))))


@routes.endpoint("DELETE", PATH + "/{key}", name="tables_db.delete_index", callers=Caller.KEY, scopes=WRITE, status=204)
async def delete_index(call: Call[DataDeps], params: ColumnPath) -> None:
    """Delete an index."""
    await operations.delete_index(call.deps, table_key(call, params), key=params.key)
