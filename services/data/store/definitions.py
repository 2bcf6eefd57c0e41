"""Changing the catalogue, and PostgreSQL's own tables with it, in the caller's transaction."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import msgspec

from services.data.domain.catalogue import Column, Database, Index, Table
from services.data.domain.definitions import TableSettings
from services.data.domain.naming import Naming
from services.data.store import indexes
from services.data.store.conditions import direction
from services.data.store.incarnations import INCARNATIONS
from shared.contracts.ids import DatabaseId, TableId
from shared.contracts.principal import Project
from shared.kernel.errors import ErrorType, Refusal, Unavailable
from shared.postgres.conditions import searched
from shared.postgres.pool import Connection

_INSERT_DATABASE = """
    INSERT INTO data.databases (project, incarnation, id, name, enabled, type)
    VALUES ($1, $2, $3, $4, $5, $6) RETURNING n
"""
_UPDATE_DATABASE = "UPDATE data.databases SET name = $2, enabled = $3, updated_at = now() WHERE n = $1"
_DELETE_DATABASE = "DELETE FROM data.databases WHERE n = $1"
_CHANGE_ALL = "UPDATE data.tables SET version = version + 1 WHERE database_n = $1"

_INSERT_TABLE = """
    INSERT INTO data.tables (database_n, id, name, enabled, row_security, permissions)
    VALUES ($1, $2, $3, $4, $5, $6) RETURNING n
"""
_UPDATE_TABLE = """
    UPDATE data.tables
    SET name = $2, enabled = $3, row_security = $4, permissions = $5, version = version + 1, updated_at = now()
    WHERE n = $1
"""
_CHANGE = "UPDATE data.tables SET version = version + 1 WHERE n = $1"
_DELETE_TABLE = "DELETE FROM data.tables WHERE n = $1"

_INSERT_COLUMN = """
    INSERT INTO data.columns (table_n, key, kind, options, required, default_value, is_array, seal_keys)
    VALUES ($1, $2, $3, $4::text::json, $5, $6::text::json, $7, $8) RETURNING n
"""
_UPDATE_COLUMN = """
    UPDATE data.columns
    SET key = $2, options = $3::text::json, required = $4, default_value = $5::text::json, updated_at = now()
    WHERE n = $1
"""
_RENAME_IN_INDEXES = "UPDATE data.indexes SET columns = array_replace(columns, $2, $3) WHERE table_n = $1"
_DELETE_COLUMN = "DELETE FROM data.columns WHERE n = $1"
_INSERT_INDEX = """
    INSERT INTO data.indexes (table_n, key, type, columns, orders, lengths) VALUES ($1, $2, $3, $4, $5, $6) RETURNING n
"""
_DELETE_INDEX = "DELETE FROM data.indexes WHERE n = $1"

# Sequence numbers are the order of rows, and `(action, role, seq)` serves lists in that order; the second index serves
# lists by time of creation. Both hold all that a reader's page needs. The hash index finds the permissions of one row;
# it has no order, or PostgreSQL would now and then walk along it to find the first row of a role.
_ROWS = """
    CREATE TABLE {rows} (
        seq         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        id          text COLLATE "C" NOT NULL UNIQUE,
        created_at  timestamptz(3) NOT NULL,
        updated_at  timestamptz(3) NOT NULL,
        permissions text[] NOT NULL
    );
    CREATE TABLE {grants} (
        action     text COLLATE "C" NOT NULL,
        role       text COLLATE "C" NOT NULL,
        seq        bigint NOT NULL REFERENCES {rows} ON DELETE CASCADE,
        created_at timestamptz(3) NOT NULL,
        PRIMARY KEY (action, role, seq)
    );
    CREATE INDEX ON {grants} (action, role, created_at, seq);
    CREATE INDEX ON {grants} USING hash (seq);
    CREATE INDEX ON {rows} (created_at, seq);
"""


@asynccontextmanager
async def changing(connection: Connection) -> AsyncIterator[None]:
    """Run changes of the catalogue in one transaction.

    Raises `Unavailable` where it met another that changes the same, `Refusal(COLUMN_LIMIT_EXCEEDED)` where PostgreSQL
    has no room for another column: deleted ones keep their places.
    """
    try:
        async with connection.transaction():
            yield
    except asyncpg.DeadlockDetectedError as error:
        raise Unavailable("The table is being changed. Try again.", type=ErrorType.GENERAL_BUSY) from error
    except asyncpg.TooManyColumnsError as error:
        raise Refusal(
            ErrorType.COLUMN_LIMIT_EXCEEDED, "The table has reached its limit of columns, deleted ones included."
        ) from error


async def insert_database(
    connection: Connection, project: Project, *, id_: DatabaseId, name: str, enabled: bool, naming: Naming
) -> None:
    """Make a database; raises `Refusal(DATABASE_ALREADY_EXISTS)`, `Refusal(PROJECT_NOT_FOUND)`."""
    if not await INCARNATIONS.hold(connection, project.incarnation):
        raise Refusal(ErrorType.PROJECT_NOT_FOUND, "The project has been deleted in the meantime.")
    values = (project.id, project.incarnation, id_, name, enabled, naming.value)
    try:
        n = await connection.fetchval(_INSERT_DATABASE, *values)
    except asyncpg.UniqueViolationError as error:
        raise Refusal(ErrorType.DATABASE_ALREADY_EXISTS) from error
    await connection.execute("SELECT privileged.create_database_schema($1)", n)


async def update_database(connection: Connection, database: Database, *, name: str, enabled: bool) -> None:
    """Rename, enable or disable a database."""
    await connection.execute(_UPDATE_DATABASE, database.n, name, enabled)
    await connection.execute(_CHANGE_ALL, database.n)


async def delete_database(connection: Connection, database: Database) -> None:
    """Delete a database with all its tables."""
    # The records first: who writes rows holds those of their tables, and only then locks the rows.
    await connection.execute(_DELETE_DATABASE, database.n)
    await connection.execute(f"DROP SCHEMA IF EXISTS {database.schema} CASCADE")


async def insert_table(connection: Connection, database: Database, id_: TableId, settings: TableSettings) -> None:
    """Make an empty table without columns; raises `Refusal(TABLE_ALREADY_EXISTS)`."""
    try:
        n = await connection.fetchval(_INSERT_TABLE, database.n, id_, *msgspec.structs.astuple(settings))
    except asyncpg.UniqueViolationError as error:
        raise Refusal(ErrorType.TABLE_ALREADY_EXISTS) from error
    await connection.execute(_ROWS.format(rows=f"{database.schema}.t_{n}", grants=f"{database.schema}.p_{n}"))


async def update_table(connection: Connection, table: Table, settings: TableSettings) -> None:
    """Change what a table says of itself."""
    await connection.execute(_UPDATE_TABLE, table.n, *msgspec.structs.astuple(settings))


async def delete_table(connection: Connection, table: Table) -> None:
    """Delete a table with all its rows."""
    await connection.execute(f"DROP TABLE IF EXISTS {table.grants}, {table.rows} CASCADE")
    await connection.execute(_DELETE_TABLE, table.n)


async def insert_column(connection: Connection, table: Table, column: Column) -> None:
    """Add a column; its number is PostgreSQL's. Raises `Refusal(COLUMN_ALREADY_EXISTS)`."""
    try:
        n = await connection.fetchval(
            _INSERT_COLUMN,
            table.n,
            column.key,
            column.kind_name,
            _json(column.options),
            column.required,
            _json(column.default),
            column.array,
            column.seal_keys,
        )
    except asyncpg.UniqueViolationError as error:
        raise Refusal(ErrorType.COLUMN_ALREADY_EXISTS) from error
    collation = ' COLLATE "C"' if column.kind.is_text else ""
    await connection.execute(f"ALTER TABLE {table.rows} ADD COLUMN c_{n} {column.postgres}{collation}")
    if column.is_encrypted:  # a ciphertext does not compress
        await connection.execute(f"ALTER TABLE {table.rows} ALTER COLUMN c_{n} SET STORAGE EXTERNAL")
    await connection.execute(_CHANGE, table.n)


async def update_column(connection: Connection, table: Table, column: Column, changed: Column) -> None:
    """Change what a column is declared as; its values stay as they are, and indexes over it name it by its key."""
    default, options = _json(changed.default), _json(changed.options)
    await connection.execute(_UPDATE_COLUMN, column.n, changed.key, options, changed.required, default)
    if changed.key != column.key:
        await connection.execute(_RENAME_IN_INDEXES, table.n, column.key, changed.key)
    await connection.execute(_CHANGE, table.n)


async def has_longer(connection: Connection, table: Table, column: Column, size: int) -> bool:
    """Say whether any row has a text in a column that is longer than so many characters."""
    length = f"length({column.name})"
    if column.array:
        length = f"(SELECT max(length(element)) FROM unnest({column.name}) AS element)"
    is_there: bool = await connection.fetchval(f"SELECT EXISTS (SELECT FROM {table.rows} WHERE {length} > $1)", size)
    return is_there


async def delete_column(connection: Connection, table: Table, column: Column) -> None:
    """Delete a column, and the indexes over it."""
    for index in table.indexes:
        if column.key in index.columns:
            await delete_index(connection, table, index)
    await connection.execute(f"ALTER TABLE {table.rows} DROP COLUMN IF EXISTS {column.name}")
    await connection.execute(_DELETE_COLUMN, column.n)
    await connection.execute(_CHANGE, table.n)


async def insert_index(connection: Connection, table: Table, index: Index) -> None:
    """Add an index; its number is PostgreSQL's.

    Raises `Refusal(COLUMN_INDEX_ALREADY_EXISTS)`, and `Refusal(COLUMN_INDEX_INVALID)` where rows there are equal in
    what shall be unique.
    """
    arguments = (table.n, index.key, index.type, index.columns, index.orders, index.lengths)
    try:
        n = await connection.fetchval(_INSERT_INDEX, *arguments)
    except asyncpg.UniqueViolationError as error:
        raise Refusal(ErrorType.COLUMN_INDEX_ALREADY_EXISTS) from error
    try:
        await connection.execute(_create_index(table, index, name=f"i_{n}"))
    except asyncpg.UniqueViolationError as error:
        raise Refusal(
            ErrorType.COLUMN_INDEX_INVALID, "Rows of the table have equal values in the columns of the unique index."
        ) from error
    await connection.execute(_CHANGE, table.n)


async def delete_index(connection: Connection, table: Table, index: Index) -> None:
    """Delete an index."""
    await connection.execute(f"DROP INDEX IF EXISTS {table.database.schema}.{index.name}")
    await connection.execute(_DELETE_INDEX, index.n)
    await connection.execute(_CHANGE, table.n)


def _json(value: object) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def _create_index(table: Table, index: Index, *, name: str) -> str:
    if index.type == "fulltext":
        texts = ", ".join(searched(table.by_key[key].name) for key in index.columns)
        return f"CREATE INDEX {name} ON {table.rows} USING gin ({texts})"
    unique = "UNIQUE " if index.type == "unique" else ""
    parts = ", ".join(_part(part) for part in indexes.parts(table, index))
    return f"CREATE {unique}INDEX {name} ON {table.rows} ({parts})"


def _part(part: indexes.Part) -> str:
    column = part.order.column
    return f"{f'left({column}, {part.length})' if part.length else column} {direction(part.order)}"
