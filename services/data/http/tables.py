"""Tables over HTTP."""

from typing import Annotated

import msgspec

from services.data.domain.definitions import InlineColumn, InlineIndex, inline_column, inline_index
from services.data.domain.listing import Listing
from services.data.http import models
from services.data.http.databases import NOT_FOUND, DatabaseChoice, Name, Search
from services.data.operations import definitions as operations
from services.data.operations.deps import DataDeps
from shared.kernel.errors import ErrorType
from shared.web.bodies import MEDIUM_BODY_BYTES
from shared.web.endpoint import Call, Caller, Routes
from shared.web.parameters import CustomId, Id

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


class CreateTable(DatabaseChoice, frozen=True, kw_only=True, rename="camel"):
    """A table, perhaps with columns and indexes."""

    table_id: CustomId
    name: Name
    permissions: list[str] = []
    row_security: bool = False
    enabled: bool = True
    columns: Annotated[list[InlineColumn], msgspec.Meta(max_length=100)] = []
    indexes: Annotated[list[InlineIndex], msgspec.Meta(max_length=58)] = []


class ListTables(DatabaseChoice, frozen=True, kw_only=True, rename="camel"):
    """`queries` in the SDKs' syntax, `search` in ids and names."""

    queries: list[str] = []
    search: Search = ""
    total: bool = True


class TableChoice(DatabaseChoice, frozen=True, kw_only=True, rename="camel"):
    """One table."""

    table_id: Id


class UpdateTable(TableChoice, frozen=True, kw_only=True, rename="camel"):
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
    made = await operations.create_table(
        call.deps.pool,
        call.project.incarnation,
        params.database_id,
        table_id=params.table_id,
        name=params.name,
        permissions=params.permissions,
        row_security=params.row_security,
        enabled=params.enabled,
        columns=[inline_column(one) for one in params.columns],
        indexes=[inline_index(one) for one in params.indexes],
    )
    return models.table(made)


@routes.endpoint("GET", PATH, name="tables_db.list_tables", callers=Caller.KEY, scopes=READ)
async def list_tables(call: Call[DataDeps], params: ListTables) -> models.TableList:
    """List the tables of a database."""
    tables = await operations.list_tables(call.deps.pool, call.project.incarnation, params.database_id)
    found = [models.table(one) for one in tables]
    records = [msgspec.to_builtins(one) for one in found]
    places, total = LISTING.select(records, params.queries, search=params.search, with_total=params.total)
    return models.TableList(total=total, tables=[found[place] for place in places])


@routes.endpoint("GET", PATH + "/{tableId}", name="tables_db.get_table", callers=Caller.KEY, scopes=READ)
async def get_table(call: Call[DataDeps], params: TableChoice) -> models.Table:
    """Return a table."""
    found = await operations.get_table(call.deps.pool, call.project.incarnation, params.database_id, params.table_id)
    return models.table(found)


@routes.endpoint("PUT", PATH + "/{tableId}", name="tables_db.update_table", callers=Caller.KEY, scopes=WRITE)
async def update_table(call: Call[DataDeps], params: UpdateTable) -> models.Table:
    """Change a table's name, permissions and switches, in force for every request from then on."""
    changed = await operations.update_table(
        call.deps.pool,
        call.project.incarnation,
        params.database_id,
        params.table_id,
        name=params.name,
        permissions=params.permissions,
        row_security=params.row_security,
        enabled=params.enabled,
    )
    return models.table(changed)


@routes.endpoint(
    "DELETE", PATH + "/{tableId}", name="tables_db.delete_table", callers=Caller.KEY, scopes=WRITE, status=204
)
async def delete_table(call: Call[DataDeps], params: TableChoice) -> None:
    """Delete a table with all its rows."""
    await operations.delete_table(call.deps.pool, call.project.incarnation, params.database_id, params.table_id)
