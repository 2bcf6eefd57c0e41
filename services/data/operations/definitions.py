"""Databases, tables, columns and indexes: made, shown, changed, deleted, by keys only."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.data.domain import column_changes
from services.data.domain import definitions as rules
from services.data.domain.catalogue import Column, Database, Index, Table
from services.data.domain.column_changes import ColumnChange
from services.data.domain.definitions import NewColumn, NewIndex
from services.data.domain.naming import Naming
from services.data.store import catalogue as store
from services.data.store import definitions as changes
from shared.appwrite.permissions import TABLE_ACTIONS, parse_permissions
from shared.contracts.principal import Project
from shared.kernel.clock import now
from shared.kernel.errors import ErrorType, Refusal
from shared.kernel.ids import chosen_id
from shared.postgres.pool import Connection, Pool


async def create_database(
    pool: Pool, project: Project, *, database_id: str, name: str, enabled: bool, type_: Naming
) -> Database:
    """Make a database; raises `Refusal(DATABASE_ALREADY_EXISTS)`, `Refusal(PROJECT_NOT_FOUND)`."""
    id_ = chosen_id(database_id)
    async with pool.acquire() as connection, changes.changing(connection):
        await changes.insert_database(connection, project=project, id_=id_, name=name, enabled=enabled, type_=type_)
        return await store.get_database(connection, project.incarnation, id_)


async def get_database(pool: Pool, incarnation: int, database_id: str) -> Database:
    """Return a database; raises `Refusal(DATABASE_NOT_FOUND)`."""
    async with pool.acquire() as connection:
        return await store.get_database(connection, incarnation, database_id)


async def list_databases(pool: Pool, incarnation: int) -> list[Database]:
    """Return all databases of a project."""
    async with pool.acquire() as connection:
        return await store.list_databases(connection, incarnation)


async def update_database(
    pool: Pool, incarnation: int, database_id: str, *, name: str | None, enabled: bool
) -> Database:
    """Rename (None: not), enable or disable a database; raises `Refusal(DATABASE_NOT_FOUND)`."""
    async with pool.acquire() as connection, changes.changing(connection):
        database = await store.get_database(connection, incarnation, database_id, lock=True)
        await changes.update_database(connection, database, name=name or database.name, enabled=enabled)
        return await store.get_database(connection, incarnation, database_id)


async def delete_database(pool: Pool, incarnation: int, database_id: str) -> None:
    """Delete a database with all its tables; raises `Refusal(DATABASE_NOT_FOUND)`."""
    async with pool.acquire() as connection, changes.changing(connection):
        await changes.delete_database(
            connection, await store.get_database(connection, incarnation, database_id, lock=True)
        )


async def create_table(
    pool: Pool,
    incarnation: int,
    database_id: str,
    *,
    table_id: str,
    name: str,
    permissions: list[str],
    row_security: bool,
    enabled: bool,
    columns: list[NewColumn],
    indexes: list[NewIndex],
) -> Table:
    """Make a table with its columns and indexes, or nothing. Raises `Refusal` where anything does not fit."""
    id_ = chosen_id(table_id)
    granted = [str(permission) for permission in parse_permissions(permissions, TABLE_ACTIONS)]
    async with pool.acquire() as connection, changes.changing(connection):
        database = await store.get_database(connection, incarnation, database_id, lock=True)
        await changes.insert_table(
            connection,
            database,
            id_=id_,
            name=name,
            enabled=enabled,
            row_security=row_security,
            permissions=granted,
        )
        for column in columns:
            table = await store.get_table(connection, database, id_)
            await changes.insert_column(connection, table, rules.column(table, column, now()))
        for index in indexes:
            table = await store.get_table(connection, database, id_)
            await changes.insert_index(connection, table, rules.index(table, index, now()))
        return await store.get_table(connection, database, id_)


async def get_table(pool: Pool, incarnation: int, database_id: str, table_id: str) -> Table:
    """Return a table; raises `Refusal(DATABASE_NOT_FOUND)`, `Refusal(TABLE_NOT_FOUND)`."""
    async with pool.acquire() as connection:
        database = await store.get_database(connection, incarnation, database_id)
        return await store.get_table(connection, database, table_id)


async def list_tables(pool: Pool, incarnation: int, database_id: str) -> list[Table]:
    """Return all tables of a database; raises `Refusal(DATABASE_NOT_FOUND)`."""
    async with pool.acquire() as connection:
        return await store.list_tables(connection, await store.get_database(connection, incarnation, database_id))


async def update_table(
    pool: Pool,
    incarnation: int,
    database_id: str,
    table_id: str,
    *,
    name: str | None,
    permissions: list[str] | None,
    row_security: bool,
    enabled: bool,
) -> Table:
    """Change what a table says of itself, in force for every statement from then on; None: unchanged."""
    async with _changing(pool, incarnation, database_id, table_id) as (connection, table):
        granted = table.permissions
        if permissions is not None:
            granted = [str(permission) for permission in parse_permissions(permissions, TABLE_ACTIONS)]
        await changes.update_table(
            connection,
            table,
            name=name or table.name,
            enabled=enabled,
            row_security=row_security,
            permissions=granted,
        )
        return await store.get_table(connection, table.database, table_id)


async def delete_table(pool: Pool, incarnation: int, database_id: str, table_id: str) -> None:
    """Delete a table with all its rows."""
    async with _changing(pool, incarnation, database_id, table_id) as (connection, table):
        await changes.delete_table(connection, table)


async def create_column(pool: Pool, incarnation: int, database_id: str, table_id: str, given: NewColumn) -> Column:
    """Add a column, which is there when this returns."""
    async with _changing(pool, incarnation, database_id, table_id) as (connection, table):
        await changes.insert_column(connection, table, rules.column(table, given, now()))
        return find_column(await store.get_table(connection, table.database, table_id), given.key)


async def update_column(
    pool: Pool, incarnation: int, database_id: str, table_id: str, key: str, change: ColumnChange
) -> Column:
    """Change what a column is declared as, in force for every statement from then on; no value is rewritten.

    Raises `Refusal(COLUMN_NOT_FOUND)`, `Refusal(COLUMN_INVALID_RESIZE)` where a value is longer than the new size, and
    as `column_changes.changed` does.
    """
    async with _changing(pool, incarnation, database_id, table_id) as (connection, table):
        column = find_column(table, key)
        changed = column_changes.changed(table, column, change)
        size = column_changes.shrunk_to(column, changed)
        if size is not None and await changes.has_longer(connection, table, column, size):
            raise Refusal(ErrorType.COLUMN_INVALID_RESIZE, "The column has values that are longer than the new size.")
        await changes.update_column(connection, table, column, changed)
        return find_column(await store.get_table(connection, table.database, table_id), changed.key)


async def delete_column(pool: Pool, incarnation: int, database_id: str, table_id: str, key: str) -> None:
    """Delete a column; raises `Refusal(COLUMN_NOT_FOUND)`."""
    async with _changing(pool, incarnation, database_id, table_id) as (connection, table):
        await changes.delete_column(connection, table, find_column(table, key))


async def create_index(pool: Pool, incarnation: int, database_id: str, table_id: str, given: NewIndex) -> Index:
    """Add an index, which is there when this returns."""
    async with _changing(pool, incarnation, database_id, table_id) as (connection, table):
        await changes.insert_index(connection, table, rules.index(table, given, now()))
        return find_index(await store.get_table(connection, table.database, table_id), given.key)


async def delete_index(pool: Pool, incarnation: int, database_id: str, table_id: str, key: str) -> None:
    """Delete an index; raises `Refusal(COLUMN_INDEX_NOT_FOUND)`."""
    async with _changing(pool, incarnation, database_id, table_id) as (connection, table):
        await changes.delete_index(connection, table, find_index(table, key))


def find_column(table: Table, key: str) -> Column:
    """Return a column; raises `Refusal(COLUMN_NOT_FOUND)`."""
    found = table.by_key.get(key)
    if found is None:
        raise Refusal(ErrorType.COLUMN_NOT_FOUND, "Column with the requested key could not be found.")
    return found


def find_index(table: Table, key: str) -> Index:
    """Return an index; raises `Refusal(COLUMN_INDEX_NOT_FOUND)`."""
    for index in table.indexes:
        if index.key == key:
            return index
    raise Refusal(ErrorType.COLUMN_INDEX_NOT_FOUND, "Index with the requested key could not be found.")


@asynccontextmanager
async def _changing(
    pool: Pool, incarnation: int, database_id: str, table_id: str
) -> AsyncIterator[tuple[Connection, Table]]:
    """Hold a table, alone, in a transaction."""
    async with pool.acquire() as connection, changes.changing(connection):
        database = await store.get_database(connection, incarnation, database_id)
        yield connection, await store.get_table(connection, database, table_id, lock=True)
