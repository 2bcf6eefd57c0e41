"""Databases, tables, columns and indexes: created, shown, changed, deleted, by keys only."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from services.data.domain import column_changes
from services.data.domain import definitions as rules
from services.data.domain.catalogue import Column, Database, Index, Table, TableKey
from services.data.domain.column_changes import ColumnChange
from services.data.domain.definitions import NewColumn, NewIndex, NewTable, TableChange, TableSettings
from services.data.domain.sealing import seal_default, sealed_column, with_open_defaults
from services.data.operations.deps import DataDeps
from services.data.operations.opening import logging_failures
from services.data.operations.resizing import has_longer
from services.data.store import catalogue as store
from services.data.store import definitions as changes
from shared.appwrite.permissions import TABLE_ACTIONS, parse_permissions
from shared.contracts.ids import DatabaseId, TableId
from shared.contracts.principal import Project
from shared.kernel.clock import now
from shared.kernel.errors import ErrorType, Refusal
from shared.kernel.ids import chosen_id
from shared.postgres.pool import Connection


async def create_database(
    deps: DataDeps, project: Project, *, database_id: DatabaseId, name: str, enabled: bool
) -> Database:
    """Create a database; raises `Refusal(DATABASE_ALREADY_EXISTS)`, `Refusal(PROJECT_NOT_FOUND)`."""
    id_, naming = chosen_id(database_id), deps.catalogue.naming
    async with deps.pool.acquire() as connection, changes.changing(connection):
        await changes.insert_database(connection, project, id_=id_, name=name, enabled=enabled, naming=naming)
        return await store.get_database(connection, project.incarnation, id_)


async def get_database(deps: DataDeps, project: Project, *, database_id: DatabaseId) -> Database:
    """Return a database; raises `Refusal(DATABASE_NOT_FOUND)`."""
    async with deps.pool.acquire() as connection:
        return await store.get_database(connection, project.incarnation, database_id)


async def list_databases(deps: DataDeps, project: Project) -> list[Database]:
    """Return all databases of a project."""
    async with deps.pool.acquire() as connection:
        return await store.list_databases(connection, project.incarnation)


async def update_database(
    deps: DataDeps, project: Project, *, database_id: DatabaseId, name: str | None, enabled: bool
) -> Database:
    """Rename (None: not), enable or disable a database; raises `Refusal(DATABASE_NOT_FOUND)`."""
    async with deps.pool.acquire() as connection, changes.changing(connection):
        database = await store.get_database(connection, project.incarnation, database_id, lock=True)
        await changes.update_database(connection, database, name=name or database.name, enabled=enabled)
        return await store.get_database(connection, project.incarnation, database_id)


async def delete_database(deps: DataDeps, project: Project, *, database_id: DatabaseId) -> None:
    """Delete a database with all its tables; raises `Refusal(DATABASE_NOT_FOUND)`."""
    async with deps.pool.acquire() as connection, changes.changing(connection):
        database = await store.get_database(connection, project.incarnation, database_id, lock=True)
        await changes.delete_database(connection, database)


async def create_table(deps: DataDeps, project: Project, *, database_id: DatabaseId, new: NewTable) -> Table:
    """Create a table with its columns and indexes, or nothing. Raises `Refusal` where anything does not fit."""
    id_ = chosen_id(new.id)
    settings = msgspec.structs.replace(new.settings, permissions=_checked(new.settings.permissions))
    async with deps.pool.acquire() as connection, changes.changing(connection):
        database = await store.get_database(connection, project.incarnation, database_id, lock=True)
        await changes.insert_table(connection, database, id_, settings)
        for column in new.columns:
            table = await _read(deps, connection, database, id_)
            await changes.insert_column(connection, table, sealed_column(table, rules.column(table, column, now())))
        for index in new.indexes:
            table = await store.get_table(connection, database, id_)
            await changes.insert_index(connection, table, rules.index(table, index, now()))
        return await _shown(deps, connection, database, id_)


async def get_table(deps: DataDeps, table_key: TableKey) -> Table:
    """Return a table; raises `Refusal(DATABASE_NOT_FOUND)`, `Refusal(TABLE_NOT_FOUND)`."""
    async with deps.pool.acquire() as connection:
        database = await store.get_database(connection, table_key.incarnation, table_key.database)
        return await _shown(deps, connection, database, table_key.table)


async def list_tables(deps: DataDeps, project: Project, *, database_id: DatabaseId) -> list[Table]:
    """Return all tables of a database; raises `Refusal(DATABASE_NOT_FOUND)`."""
    async with deps.pool.acquire() as connection:
        database = await store.get_database(connection, project.incarnation, database_id)
        tables = await store.list_tables(connection, database)
    with logging_failures():
        return [with_open_defaults(msgspec.structs.replace(table, seal=deps.seal)) for table in tables]


async def update_table(deps: DataDeps, table_key: TableKey, *, change: TableChange) -> Table:
    """Change what a table says of itself, in force for every statement from then on."""
    async with _changing(deps, table_key) as (connection, table):
        settings = TableSettings(
            name=change.name or table.name,
            enabled=change.enabled,
            row_security=change.row_security,
            permissions=table.permissions if change.permissions is None else _checked(change.permissions),
        )
        await changes.update_table(connection, table, settings)
        return await _shown(deps, connection, table.database, table.id)


async def delete_table(deps: DataDeps, table_key: TableKey) -> None:
    """Delete a table with all its rows."""
    async with _changing(deps, table_key) as (connection, table):
        await changes.delete_table(connection, table)


async def create_column(deps: DataDeps, table_key: TableKey, *, new: NewColumn) -> Column:
    """Add a column, which is there when this returns."""
    async with _changing(deps, table_key) as (connection, table):
        await changes.insert_column(connection, table, sealed_column(table, rules.column(table, new, now())))
        return find_column(await _shown(deps, connection, table.database, table.id), new.key)


async def update_column(deps: DataDeps, table_key: TableKey, *, key: str, change: ColumnChange) -> Column:
    """Change what a column is declared as, in force for every statement from then on; no value is rewritten.

    Raises `Refusal(COLUMN_NOT_FOUND)`, `Refusal(COLUMN_INVALID_RESIZE)` where a value is longer than the new size, and
    as `column_changes.changed` does.
    """
    async with _changing(deps, table_key) as (connection, table):
        column = find_column(table, key)
        changed = column_changes.changed(table, column, change)
        size = column_changes.shrunk_to(column, changed)
        if size is not None and await has_longer(connection, table, column, size):
            raise Refusal(ErrorType.COLUMN_INVALID_RESIZE)
        with logging_failures():
            changed = seal_default(table, changed)
        await changes.update_column(connection, table, column, changed)
        return find_column(await _shown(deps, connection, table.database, table.id), changed.key)


async def delete_column(deps: DataDeps, table_key: TableKey, *, key: str) -> None:
    """Delete a column; raises `Refusal(COLUMN_NOT_FOUND)`."""
    async with _changing(deps, table_key) as (connection, table):
        await changes.delete_column(connection, table, find_column(table, key))


async def create_index(deps: DataDeps, table_key: TableKey, *, new: NewIndex) -> Index:
    """Add an index, which is there when this returns."""
    async with _changing(deps, table_key) as (connection, table):
        await changes.insert_index(connection, table, rules.index(table, new, now()))
        return find_index(await store.get_table(connection, table.database, table.id), new.key)


async def delete_index(deps: DataDeps, table_key: TableKey, *, key: str) -> None:
    """Delete an index; raises `Refusal(COLUMN_INDEX_NOT_FOUND)`."""
    async with _changing(deps, table_key) as (connection, table):
        await changes.delete_index(connection, table, find_index(table, key))


def find_column(table: Table, key: str) -> Column:
    """Return a column; raises `Refusal(COLUMN_NOT_FOUND)`."""
    column = table.by_key.get(key)
    if column is None:
        raise Refusal(ErrorType.COLUMN_NOT_FOUND)
    return column


def find_index(table: Table, key: str) -> Index:
    """Return an index; raises `Refusal(COLUMN_INDEX_NOT_FOUND)`."""
    for index in table.indexes:
        if index.key == key:
            return index
    raise Refusal(ErrorType.COLUMN_INDEX_NOT_FOUND)


@asynccontextmanager
async def _changing(deps: DataDeps, table_key: TableKey) -> AsyncIterator[tuple[Connection, Table]]:
    """Hold a table, alone, in a transaction."""
    async with deps.pool.acquire() as connection, changes.changing(connection):
        database = await store.get_database(connection, table_key.incarnation, table_key.database)
        yield connection, await _read(deps, connection, database, table_key.table, lock=True)


async def _read(
    deps: DataDeps, connection: Connection, database: Database, id_: TableId, *, lock: bool = False
) -> Table:
    table = await store.get_table(connection, database, id_, lock=lock)
    return msgspec.structs.replace(table, seal=deps.seal)


async def _shown(deps: DataDeps, connection: Connection, database: Database, id_: TableId) -> Table:
    """Return a table as keys see it; raises `Refusal`, also where the default of an encrypted column does not open."""
    with logging_failures():
        return with_open_defaults(await _read(deps, connection, database, id_))


def _checked(permissions: list[str]) -> list[str]:
    return [str(permission) for permission in parse_permissions(permissions, TABLE_ACTIONS)]
