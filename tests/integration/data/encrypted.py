"""Tables with an encrypted column, and what PostgreSQL has in it."""

from typing import Any

from tests.integration.data.api import Api, TableApi


async def table_of(api: Api, kind: str = "text", **parameters: Any) -> TableApi:
    table = await api.new_table()
    size = {"size": 200} if kind in {"string", "varchar"} else {}
    made = await table.add_column(kind, "secret", encrypt=True, **size, **parameters)
    assert (made.said, made.json["encrypt"]) == ((202, ""), True)
    return table


async def stored(table: TableApi) -> dict[str, str | None]:
    """Return what PostgreSQL has in the encrypted column, by row."""
    definition = await table.definition()
    (column,) = definition.encrypted
    async with table.api.pool.acquire() as connection:
        rows = await connection.fetch(f"SELECT id, {column.name} AS sealed FROM {definition.rows}")
    return {row["id"]: row["sealed"] for row in rows}


async def put(table: TableApi, row: str, sealed: str | None) -> None:
    definition = await table.definition()
    (column,) = definition.encrypted
    async with table.api.pool.acquire() as connection:
        await connection.execute(f"UPDATE {definition.rows} SET {column.name} = $2 WHERE id = $1", row, sealed)
