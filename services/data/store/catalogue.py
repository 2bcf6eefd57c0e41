"""Reading the catalogue."""

import asyncpg
import msgspec

from services.data.domain.catalogue import Column, Database, Index, Table
from services.data.domain.columns.kind import Options
from shared.contracts.ids import DatabaseId, TableId
from shared.kernel.errors import ErrorType, Refusal
from shared.postgres.pool import Connection

_DATABASE = "n, project, id, name, enabled, type, created_at, updated_at"
_GET_DATABASE = f"SELECT {_DATABASE} FROM data.databases WHERE incarnation = $1 AND id = $2"
_LOCK_DATABASE = f"{_GET_DATABASE} FOR UPDATE"
_LIST_DATABASES = f"SELECT {_DATABASE} FROM data.databases WHERE incarnation = $1 ORDER BY n"
_TABLE = "n, id, name, enabled, row_security, permissions, version, created_at, updated_at"
_GET_TABLE = f"SELECT {_TABLE} FROM data.tables WHERE database_n = $1 AND id = $2"
_LOCK_TABLE = f"{_GET_TABLE} FOR UPDATE"
_VERSION = "SELECT version FROM data.tables WHERE n = $1"
_LIST_TABLES = f"SELECT {_TABLE} FROM data.tables WHERE database_n = $1 ORDER BY n"
_COLUMNS = """
    SELECT n, table_n, key, kind, options::text, required, default_value::text, is_array, seal_keys,
        created_at, updated_at
    FROM data.columns WHERE table_n = ANY($1) ORDER BY n
"""
_INDEXES = """
    SELECT n, table_n, key, type, columns, orders, lengths, created_at, updated_at
    FROM data.indexes WHERE table_n = ANY($1) ORDER BY n
"""


async def get_database(connection: Connection, incarnation: int, id_: DatabaseId, *, lock: bool = False) -> Database:
    """Return a database of a project; `lock` locks it against changes.

    Raises `Refusal(DATABASE_NOT_FOUND)`.
    """
    row = await connection.fetchrow(_LOCK_DATABASE if lock else _GET_DATABASE, incarnation, id_)
    if row is None:
        raise Refusal(ErrorType.DATABASE_NOT_FOUND)
    return _database(row)


async def list_databases(connection: Connection, incarnation: int) -> list[Database]:
    """Return the databases of a project, the oldest first."""
    return [_database(row) for row in await connection.fetch(_LIST_DATABASES, incarnation)]


async def get_table(connection: Connection, database: Database, id_: TableId, *, lock: bool = False) -> Table:
    """Return a table with its parts; `lock` locks it against changes. Raises `Refusal(TABLE_NOT_FOUND)`.

    Without a lock, what is returned may be torn between two versions: good to show, not to work by.
    """
    row = await connection.fetchrow(_LOCK_TABLE if lock else _GET_TABLE, database.n, id_)
    if row is None:
        raise Refusal(ErrorType.TABLE_NOT_FOUND)
    return (await _with_parts(connection, database, [row]))[0]


async def find_version(connection: Connection, n: int) -> int | None:
    """Return the current version of a table, by its number; None where it is gone."""
    version: int | None = await connection.fetchval(_VERSION, n)
    return version


async def hold_version(connection: Connection, n: int) -> int | None:
    """Return the same, and lock the table's definition until the transaction ends."""
    version: int | None = await connection.fetchval(f"{_VERSION} FOR SHARE", n)
    return version


async def hold_table(connection: Connection, incarnation: int, database_id: DatabaseId, id_: TableId) -> Table:
    """Return a table with its parts, locked until the transaction ends.

    Raises `Refusal(DATABASE_NOT_FOUND)`, `Refusal(TABLE_NOT_FOUND)`.
    """
    database = await get_database(connection, incarnation, database_id)
    row = await connection.fetchrow(f"{_GET_TABLE} FOR SHARE", database.n, id_)
    if row is None:
        raise Refusal(ErrorType.TABLE_NOT_FOUND)
    # A change of a database changes the versions of its tables: only now it stands still too.
    database = await get_database(connection, incarnation, database_id)
    return (await _with_parts(connection, database, [row]))[0]


async def list_tables(connection: Connection, database: Database) -> list[Table]:
    """Return the tables of a database, the oldest first."""
    return await _with_parts(connection, database, await connection.fetch(_LIST_TABLES, database.n))


def _database(row: asyncpg.Record) -> Database:
    return msgspec.convert(dict(row), Database)


async def _with_parts(connection: Connection, database: Database, rows: list[asyncpg.Record]) -> list[Table]:
    numbers = [row["n"] for row in rows]
    columns = await connection.fetch(_COLUMNS, numbers)
    indexes = await connection.fetch(_INDEXES, numbers)
    return [
        Table(
            **dict(row),
            database=database,
            columns=[_column(one) for one in columns if one["table_n"] == row["n"]],
            indexes=[_index(one) for one in indexes if one["table_n"] == row["n"]],
        )
        for row in rows
    ]


def _column(row: asyncpg.Record) -> Column:
    default = row["default_value"]
    return Column(
        n=row["n"],
        key=row["key"],
        kind_name=row["kind"],
        options=msgspec.json.decode(row["options"], type=Options),
        required=row["required"],
        default=None if default is None else msgspec.json.decode(default),
        array=row["is_array"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        seal_keys=tuple(row["seal_keys"]),
    )


def _index(row: asyncpg.Record) -> Index:
    values = dict(row)
    del values["table_n"]
    return Index(**values)
