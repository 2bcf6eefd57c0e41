"""Databases over HTTP."""

from typing import Annotated

import msgspec

from services.data.domain.listing import Listing
from services.data.http import models
from services.data.operations import definitions as operations
from services.data.operations.deps import DataDeps
from shared.contracts.ids import DatabaseId
from shared.kernel.errors import ErrorType
from shared.web.endpoint import Call, Caller, Routes
from shared.web.parameters import CustomIdOf, IdOf

NOT_FOUND = {
    "databaseId": ErrorType.DATABASE_NOT_FOUND,
    "tableId": ErrorType.TABLE_NOT_FOUND,
    "rowId": ErrorType.ROW_NOT_FOUND,
}
routes = Routes[DataDeps]("tablesDB", NOT_FOUND)

READ, WRITE = ("databases.read",), ("databases.write",)
LISTING = Listing({"name": "longtext"})

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Search = Annotated[str, msgspec.Meta(max_length=256)]


class CreateDatabase(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A database."""

    database_id: CustomIdOf[DatabaseId]
    name: Name
    enabled: bool = True


class ListDatabases(msgspec.Struct, frozen=True, kw_only=True):
    """`queries` in the SDKs' syntax, `search` in ids and names."""

    queries: list[str] = []
    search: Search = ""
    total: bool = True


class DatabasePath(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One database."""

    database_id: IdOf[DatabaseId]


class UpdateDatabase(DatabasePath, frozen=True, kw_only=True, rename="camel"):
    """What a database is to be; `enabled` left out means true, as Appwrite has it."""

    name: Name | None = None
    enabled: bool = True


@routes.endpoint(
    "POST",
    "/v1/tablesdb",
    name="tables_db.create",
    callers=Caller.KEY,
    scopes=WRITE,
    status=201,
    errors=(ErrorType.DATABASE_ALREADY_EXISTS,),
)
async def create_database(call: Call[DataDeps], params: CreateDatabase) -> models.Database:
    """Create a database."""
    database = await operations.create_database(
        call.deps, call.project, database_id=params.database_id, name=params.name, enabled=params.enabled
    )
    return models.database(database)


@routes.endpoint("GET", "/v1/tablesdb", name="tables_db.list", callers=Caller.KEY, scopes=READ)
async def list_databases(call: Call[DataDeps], params: ListDatabases) -> models.DatabaseList:
    """List databases."""
    databases = [models.database(database) for database in await operations.list_databases(call.deps, call.project)]
    records = [msgspec.to_builtins(database) for database in databases]
    places, total = LISTING.select(records, params.queries, search=params.search, with_total=params.total)
    return models.DatabaseList(total=total, databases=[databases[place] for place in places])


@routes.endpoint("GET", "/v1/tablesdb/{databaseId}", name="tables_db.get", callers=Caller.KEY, scopes=READ)
async def get_database(call: Call[DataDeps], params: DatabasePath) -> models.Database:
    """Return a database."""
    database = await operations.get_database(call.deps, call.project, database_id=params.database_id)
    return models.database(database)


@routes.endpoint("PUT", "/v1/tablesdb/{databaseId}", name="tables_db.update", callers=Caller.KEY, scopes=WRITE)
async def update_database(call: Call[DataDeps], params: UpdateDatabase) -> models.Database:
    """Rename, enable or disable a database."""
    database = await operations.update_database(
        call.deps, call.project, database_id=params.database_id, name=params.name, enabled=params.enabled
    )
    return models.database(database)


@routes.endpoint(
    "DELETE", "/v1/tablesdb/{databaseId}", name="tables_db.delete", callers=Caller.KEY, scopes=WRITE, status=204
)
async def delete_database(call: Call[DataDeps], params: DatabasePath) -> None:
    """Delete a database with all its tables."""
    await operations.delete_database(call.deps, call.project, database_id=params.database_id)
