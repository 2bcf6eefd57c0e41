"""What the command line asks about tables and rows. It sees what a key sees, but for values of encrypted columns."""

from typing import Any

import msgspec

from services.data.domain.catalogue import Column, Index, Table, TableKey
from services.data.operations import definitions
from services.data.operations.deps import DataDeps
from services.data.operations.projects import find_project
from services.data.operations.unopened import get_unopened_row, list_unopened_rows
from shared.contracts.tables import (
    ColumnRecord,
    IndexRecord,
    ListRows,
    ListTables,
    Rows,
    ShowRow,
    ShowTable,
    TableRecord,
    TableRecords,
)
from shared.messaging.answers import Requests

requests = Requests[DataDeps]()


@requests.answers(ListTables)
async def list_tables(deps: DataDeps, request: ListTables) -> TableRecords:
    """Return the tables of a database, or of all."""
    project = await find_project(deps.bus, request.project_id)
    if request.database:
        ids = [request.database]
    else:
        ids = [database.id for database in await definitions.list_databases(deps, project)]
    tables = [table for id_ in ids for table in await definitions.list_tables(deps, project, database_id=id_)]
    return TableRecords(tables=tuple(map(_table, tables)))


@requests.answers(ShowTable)
async def show_table(deps: DataDeps, request: ShowTable) -> TableRecords:
    """Return a table."""
    return TableRecords(tables=(_table(await definitions.get_table(deps, await _table_key(deps, request))),))


@requests.answers(ListRows)
async def list_rows(deps: DataDeps, request: ListRows) -> Rows:
    """Return a page of rows."""
    table_key = await _table_key(deps, request)
    queries = list(request.queries)
    return Rows(json=await list_unopened_rows(deps, request.project_id, table_key=table_key, queries=queries))


@requests.answers(ShowRow)
async def show_row(deps: DataDeps, request: ShowRow) -> Rows:
    """Return a row."""
    table_key = await _table_key(deps, request)
    return Rows(json=await get_unopened_row(deps, request.project_id, table_key=table_key, row_id=request.row))


async def _table_key(deps: DataDeps, request: ShowTable | ListRows | ShowRow) -> TableKey:
    project = await find_project(deps.bus, request.project_id)
    return TableKey(project.incarnation, request.database, request.table)


def _table(table: Table) -> TableRecord:
    return TableRecord(
        database=table.database.id,
        id=table.id,
        name=table.name,
        enabled=table.enabled,
        row_security=table.row_security,
        permissions=tuple(table.permissions),
        columns=tuple(map(_column, table.columns)),
        indexes=tuple(map(_index, table.indexes)),
    )


def _column(column: Column) -> ColumnRecord:
    options: dict[str, Any] = msgspec.to_builtins(column.options)  # Any: JSON, without what is not set
    return ColumnRecord(
        key=column.key,
        type=column.kind_name,
        array=column.array,
        required=column.required,
        default=None if column.is_encrypted else column.default,
        options=options,
    )


def _index(index: Index) -> IndexRecord:
    return IndexRecord(key=index.key, type=index.type, columns=tuple(index.columns), orders=tuple(index.orders))
