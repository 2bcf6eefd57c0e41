"""Values of encrypted columns, as they are sealed."""

from collections.abc import AsyncIterator

import msgspec

from services.data.domain.catalogue import Column, Table
from services.data.store import catalogue
from services.data.store.errors import StaleTable, translate_errors
from shared.contracts.ids import RowId
from shared.kernel.errors import Refusal
from shared.postgres.pool import Connection

AT_ONCE = 500
MAX_BYTES_AT_ONCE = 8 * 1024 * 1024
"""Values that are read at once, and about how many bytes these have at most."""

_KEYS_IN_USE = "SELECT DISTINCT key_id FROM data.columns, unnest(seal_keys) AS key_id ORDER BY key_id"
_TO_RESEAL = """
    SELECT n, table_n FROM data.columns WHERE cardinality(seal_keys) > 0 AND seal_keys <> ARRAY[$1::text]
    ORDER BY seal_keys[1] <> $1, n
"""
_BEGIN = "UPDATE data.columns SET seal_keys = $2, default_value = $3::text::json, resealed_to = 0 WHERE n = $1"
_CHANGE = "UPDATE data.tables SET version = version + 1 WHERE n = $1"
_REACHED = "SELECT resealed_to FROM data.columns WHERE n = $1 FOR UPDATE"
_REACH = "UPDATE data.columns SET resealed_to = $2 WHERE n = $1"
_END = "UPDATE data.columns SET seal_keys = ARRAY[$2::text], resealed_to = 0 WHERE n = $1"
_PLACE = """
    SELECT databases.incarnation, databases.id AS database, tables.id AS table
    FROM data.tables JOIN data.databases ON databases.n = tables.database_n WHERE tables.n = $1
"""


class SealedValue(msgspec.Struct, frozen=True):
    """What is sealed in a column of a row."""

    seq: int
    id: RowId
    sealed: str


class ColumnInTable(msgspec.Struct, frozen=True):
    """A column and its table, by their numbers."""

    n: int
    table_n: int


async def keys_in_use(connection: Connection) -> list[str]:
    """Return the ids of the column keys that values may be sealed under."""
    return [record["key_id"] for record in await connection.fetch(_KEYS_IN_USE)]


async def columns_to_reseal(connection: Connection, key_id: str) -> list[ColumnInTable]:
    """Return the columns with values that may be sealed under another key, those that were begun first."""
    return [ColumnInTable(**dict(record)) for record in await connection.fetch(_TO_RESEAL, key_id)]


async def hold_table(connection: Connection, n: int, *, lock: bool = False) -> Table:
    """Return a table by its number, held as it is until the transaction ends, or with `lock`, held alone.

    Raises `StaleTable` where it is gone.
    """
    place = await connection.fetchrow(_PLACE, n)
    if place is None:
        raise StaleTable
    try:
        if not lock:
            return await catalogue.hold_table(connection, *place)
        database = await catalogue.get_database(connection, place["incarnation"], place["database"])
        return await catalogue.get_table(connection, database, place["table"], lock=True)
    except Refusal as refusal:
        raise StaleTable from refusal


async def begin_reseal(connection: Connection, table: Table, column: Column) -> None:
    """Let a column have the keys and the default that `column` has, in a table that is held alone."""
    default = None if column.default is None else msgspec.json.encode(column.default).decode()
    await connection.execute(_BEGIN, column.n, column.seal_keys, default)
    await connection.execute(_CHANGE, table.n)


async def hold_next(connection: Connection, table: Table, column: Column) -> list[SealedValue]:
    """Hold the next rows to be resealed, and return their values; nothing after the last."""
    rows, name = table.rows, column.name
    with translate_errors():
        reached = await connection.fetchval(_REACHED, column.n)
        records = await connection.fetch(
            f"""
            SELECT seq, id, {name} AS sealed FROM {rows} WHERE seq IN (
                SELECT seq FROM (
                    SELECT seq, sum(bytes) OVER (ORDER BY seq) - bytes AS before FROM (
                        SELECT seq, octet_length({name}) AS bytes FROM {rows}
                        WHERE seq > $1 AND {name} IS NOT NULL ORDER BY seq LIMIT {AT_ONCE}
                    ) AS next
                ) AS counted WHERE before <= {MAX_BYTES_AT_ONCE}
            ) AND {name} IS NOT NULL ORDER BY seq FOR UPDATE
            """,
            reached,
        )
    return [SealedValue(**dict(record)) for record in records]


async def replace_values(
    connection: Connection, table: Table, column: Column, values: list[SealedValue], *, reached: int
) -> None:
    """Replace what is sealed in rows that are held; all up to the sequence `reached` is resealed then."""
    with translate_errors():
        await connection.execute(
            f"UPDATE {table.rows} AS t SET {column.name} = again.sealed"
            " FROM unnest($1::bigint[], $2::text[]) AS again (seq, sealed) WHERE t.seq = again.seq",
            [value.seq for value in values],
            [value.sealed for value in values],
        )
    await connection.execute(_REACH, column.n, reached)


async def end_reseal(connection: Connection, column: Column, key_id: str) -> None:
    """Let no value of a column be sealed under another key than this one."""
    await connection.execute(_END, column.n, key_id)


async def last_row(connection: Connection, table: Table) -> int:
    """Return the sequence of the last row of a table, 0 without rows."""
    with translate_errors():
        last: int = await connection.fetchval(f"SELECT coalesce(max(seq), 0) FROM {table.rows}")
    return last


async def longer_than(
    connection: Connection, table: Table, column: Column, length: int
) -> AsyncIterator[list[SealedValue]]:
    """Yield the values that are longer than so many bytes as they are sealed, some at a time, in a transaction."""
    name = column.name
    text = f"SELECT seq, id, {name} AS sealed FROM {table.rows} WHERE octet_length({name}) > $1"
    with translate_errors():
        cursor = await connection.cursor(text, length)
        while records := await cursor.fetch(AT_ONCE):
            yield [SealedValue(**dict(record)) for record in records]
