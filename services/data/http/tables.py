"""Tables over HTTP."""

from typing import Annotated

import msgspec

from services.data.domain.catalogue import TableKey
from services.data.domain.definitions import (
    InlineColumn,
    InlineIndex,
    NewTable,
    TableChange,
    TableSettings,
    inline_column,
    inline_index,
)
from services.data.domain.listing import Listing
from services.data.http import models
from services.data.http.databases import NOT_FOUND, DatabasePath, Name, Search
from services.data.operations import definitions as operations
from services.data.operations.deps import DataDeps
from shared.contracts.ids import TableId
from shared.kernel.errors import ErrorType
from shared.web.bodies import MEDIUM_BODY_BYTES
from shared.web.endpoint import Call, Caller, Routes
from shared.web.parameters import CustomIdOf, IdOf

routes = Routes[DataDeps]("tablesDB", NOT_FOUND)

READ, WRITE = ("tables.read", "collections.read"), ("tables.write", "collections.write")
PATH = "/v1/tablesdb/{databaseId}/tables"
LISTING = Listing({"name": "longtext", "enabled": "boolean"})
COLUMN_ERRORS = (
    ErrorType.COLUMN_ALREADY_EXISTS,
    ErrorType.COLUMN_DEFAULT_UNSUPPORTED,
    ErrorType.COLUMN_LIMIT_EXCEEDED,
    ErrorType.COLUMN_TYPE_INVALID,
    ErrorType.COLUMN_VALUE_INVALID,
)
INDEX_ERRORS = (
    ErrorType.COLUMN_INDEX_ALREADY_EXISTS,
    ErrorType.COLUMN_INDEX_INVALID,
    ErrorType.COLUMN_INDEX_LIMIT_EXCEEDED,
    ErrorType.COLUMN_UNKNOWN,
    ErrorType.INDEX_INVALID,
)


class CreateTable(DatabasePath, frozen=True, kw_only=True, rename="camel"):
    """A table, perhaps with columns and indexes."""

    table_id: CustomIdOf[TableId]
    name: Name
    permissions: list[str] = []
    row_security: bool = False
    enabled: bool = True
    columns: Annotated[list[InlineColumn], msgspec.Meta(max_length=100)] = []
    indexes: Annotated[list[InlineIndex], msgspec.Meta(max_length=58)] = []


class ListTables(DatabasePath, frozen=True, kw_only=True, rename="camel"):
    """`queries` in the SDKs' syntax, `search` in ids and names."""

    queries: list[str] = []
    search: Search = ""
    total: bool = True


class TablePath(DatabasePath, frozen=True, kw_only=True, rename="camel"):
    """One table."""

    table_id: IdOf[TableId]


class UpdateTable(TablePath, frozen=True, kw_only=True, rename="camel"):
    """What a table is to be; switches left out go back to what they are at creation, as Appwrite has it.

    `purge` would empty the cache of lists of rows; there is none, and it has no effect.
    """

    name: Name | None = None
    permissions: list[str] | None = None
    row_security: bool = False
    enabled: bool = True
    purge: bool = False


@routes.endpoint(
    "POST",
    PATH,
    name="tables_db.create_table",
    callers=Caller.KEY,
    scopes=WRITE,
    status=201,
    max_body_bytes=MEDIUM_BODY_BYTES,
    errors=(ErrorType.TABLE_ALREADY_EXISTS, *COLUMN_ERRORS, *INDEX_ERRORS),
)
async def create_table(call: Call[DataDeps], params: CreateTable) -> models.Table:
    """Create a table."""
    settings = TableSettings(
        name=params.name, enabled=params.enabled, row_security=params.row_security, permissions=params.permissions
    )
    new = NewTable(
        id=params.table_id,
        settings=settings,
        columns=[inline_column(column) for column in params.columns],
        indexes=[inline_index(index) for index in params.indexes],
    )
    table = await operations.create_table(call.deps, call.project, database_id=params.database_id, new=new)
    return models.table(table)


@routes.endpoint("GET", PATH, name="tables_db.list_tables", callers=Caller.KEY, scopes=READ)
async def list_tables(call: Call[DataDeps], params: ListTables) -> models.TableList:
    """List the tables of a database."""
    all_tables = await operations.list_tables(call.deps, call.project, database_id=params.database_id)
    tables = [models.table(table) for table in all_tables]
    records = [msgspec.to_builtins(table) for table in tables]
    places, total = LISTING.select(records, params.queries, search=params.search, with_total=params.total)
    return models.TableList(total=total, tables=[tables[place] for place in places])


@routes.endpoint("GET", PATH + "/{tableId}", name="tables_db.get_table", callers=Caller.KEY, scopes=READ)
async def get_table(call: Call[DataDeps], params: TablePath) -> models.Table:
    """Return a table."""
    return models.table(await operations.get_table(call.deps, table_key(call, params)))


@routes.endpoint("PUT", PATH + "/{tableId}", name="tables_db.update_table", callers=Caller.KEY, scopes=WRITE)
async def update_table(call: Call[DataDeps], params: UpdateTable) -> models.Table:
    """Change a table's name, permissions and switches, in force for every request from then on."""
    change = TableChange(
        name=params.name, enabled=params.enabled, row_security=params.row_security, permissions=params.permissions
    )
    return models.table(await operations.update_table(call.deps, table_key(call, params), change=change))


@routes.endpoint(
    "DELETE", PATH + "/{tableId}", name="tables_db.delete_table", callers=Caller.KEY, scopes=WRITE, status=204
)
async def delete_table(call: Call[DataDeps], params: TablePath) -> None:
    """Delete a table with all its rows."""
    await operations.delete_table(call.deps, table_key(call, params))


def table_key(call: Call[DataDeps], params: TablePath) -> TableKey:
    """Return what names the table of a call."""
    return TableKey(call.project.incarnation, params.database_id, params.table_id)
