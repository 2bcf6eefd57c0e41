"""Many rows at once: a fixed number of statements, whatever the number of rows."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import count
from typing import Any

import msgspec

from services.data.domain.catalogue import Column, Table
from services.data.domain.rows import NewRow, RowChange, RowOverwrite
from services.data.store import statements
from services.data.store.conditions import unfit_column
from services.data.store.errors import translate_errors
from services.data.store.row_changes import assignments
from services.data.store.rows import JsonPage, cursor_not_found
from services.data.store.scan import Scan, where_of
from shared.contracts.ids import RowId
from shared.postgres.pool import Connection
from shared.queries.tree import Query

MAX_SHOWN = 100
"""Rows that an answer shows of those that were written."""

_GRANTED = "split_part(one, '(', 1), split_part(one, '\"', 2)"
"""Action and role of a permission's text."""


Sealed = Mapping[int, str | None]
"""What a row has in encrypted columns, by the numbers of the columns."""


class HeldRows(msgspec.Struct, frozen=True):
    """Rows that are held for a change, and the key of a column of which one of them has no valid value."""

    seqs: list[int]
    ids: list[RowId]
    invalid_column: str | None


class RowsChange(RowChange, frozen=True, kw_only=True):
    """A change of many rows: `sealed` are encrypted columns with a value for each row, `shown` how many to return."""

    sealed: list[tuple[Column, list[str]]] = []
    shown: int = MAX_SHOWN


async def insert_rows(connection: Connection, table: Table, rows: Sequence[NewRow], *, now: datetime) -> str:
    """Create rows, in this order; return them as JSON. Raises `Refusal` of a constraint."""
    with translate_errors():
        shown: str = await connection.fetchval(insertion(table), _json(rows), now)
    return shown


def insertion(table: Table) -> str:
    """Return the statement that creates rows with their permissions: $1 the rows as JSON, $2 now."""
    columns = "".join(f", {column.name}" for column in table.columns)
    return f"""
        WITH made AS (
            INSERT INTO {table.rows} AS t (id, created_at, updated_at, permissions{columns})
            SELECT id, coalesce(created_at, $2), coalesce(updated_at, created_at, $2), permissions{columns}
            FROM {_sent_rows(table)} ORDER BY place
            RETURNING t.seq, t.created_at, t.permissions, {statements.row_json(table, None)} AS json
        ), granted AS (
            INSERT INTO {table.grants} (action, role, seq, created_at)
            SELECT {_GRANTED}, seq, created_at FROM made, unnest(permissions) AS one
        )
        SELECT string_agg(json, ',' ORDER BY seq) FROM made
    """


async def hold_ids(connection: Connection, table: Table, ids: list[RowId]) -> Mapping[RowId, Sealed]:
    """Hold those rows of these ids that are there; return what each has in encrypted columns, by its id."""
    encrypted = table.encrypted
    columns = "".join(f", {column.name}" for column in encrypted)
    with translate_errors():
        records = await connection.fetch(
            f"SELECT id{columns} FROM {table.rows} WHERE id = ANY($1) ORDER BY seq FOR UPDATE", ids
        )
    return {record["id"]: {column.n: record[column.name] for column in encrypted} for record in records}


async def overwrite_rows(
    connection: Connection, table: Table, rows: Sequence[RowOverwrite], *, shown: list[RowId], now: datetime
) -> str:
    """Write over rows that are held; what would not change stays as it is. Return the rows `shown` as JSON."""
    new = {
        column.name: f"CASE WHEN '{column.name}' = ANY(g.named) THEN g.{column.name} ELSE t.{column.name} END"
        for column in table.columns
    }
    new["permissions"] = "coalesce(g.permissions, t.permissions)"
    new["created_at"] = "coalesce(g.created_at, t.created_at)"
    changed = " OR ".join(f"t.{name} IS DISTINCT FROM {value}" for name, value in new.items())
    sets = ", ".join(f"{name} = {value}" for name, value in new.items())
    with translate_errors():
        await connection.execute(
            f"""
            UPDATE {table.rows} AS t SET {sets},
                updated_at = coalesce(g.updated_at, greatest($2, t.updated_at + interval '1 millisecond'))
            FROM {_sent_rows(table)}
            WHERE t.id = g.id AND ({changed} OR g.updated_at IS NOT NULL)
            """,
            _json(rows),
            now,
        )
    ids = [row.id for row in rows]
    await _grant_again(connection, table, f"SELECT seq FROM {table.rows} WHERE id = ANY($1)", ids)
    rows_json: str = await connection.fetchval(
        f"SELECT string_agg({statements.row_json(table, None)}, ',' ORDER BY array_position($1, t.id))"
        f" FROM {table.rows} AS t WHERE t.id = ANY($1)",
        shown,
    )
    return rows_json


async def hold_matching(
    connection: Connection, table: Table, query: Query, *, named: set[int], with_ids: bool = False
) -> HeldRows:
    """Hold the rows that a query finds, whatever it selects, for a change to the columns of these numbers.

    Raises `Refusal(GENERAL_CURSOR_NOT_FOUND)`.
    """
    if query.cursor and not await connection.fetchval(f"SELECT true FROM {table.rows} WHERE id = $1", query.cursor):
        raise cursor_not_found()
    scan = Scan(table, query.shape, limit=None, numbers=count(1))
    arguments: list[object] = [*([query.cursor] if query.cursor else []), query.limit, query.offset, *query.values]
    invalid = unfit_column([column for column in table.columns if named and column.n not in named], arguments)
    ids = "array_agg(id)" if with_ids else "NULL::text[]"
    cursor_row = f"WITH cursor_row AS MATERIALIZED ({scan.cursor_row()})" if query.cursor else ""
    text = f"""
        {cursor_row} SELECT array_agg(seq) AS seqs, {ids} AS ids, min(invalid_column) AS invalid_column FROM (
            SELECT t.seq, t.id, {invalid} AS invalid_column
            FROM {table.rows} AS t{where_of([*scan.filters(), *scan.after()])} {scan.page()} FOR UPDATE
        ) AS held
    """
    with translate_errors():
        record = await connection.fetchrow(text, *arguments)
    assert record is not None  # noqa: S101 aggregates are one row
    return HeldRows(record["seqs"] or [], record["ids"] or [], record["invalid_column"])


async def update_rows(
    connection: Connection, table: Table, seqs: list[int], change: RowsChange, *, now: datetime
) -> JsonPage:
    """Change rows that are held, but for their times of creation; return how many, and the first of them as JSON."""
    sets, arguments = assignments(change, seqs, now=now)
    rows = "WHERE t.seq = ANY($1)"
    if change.sealed:
        names = [column.name for column, _ in change.sealed]
        sets += [f"{name} = sealed.{name}" for name in names]
        arrays = "".join(f", ${place}::text[]" for place, _ in enumerate(names, len(arguments) + 1))
        arguments += [texts for _, texts in change.sealed]
        rows = f"FROM unnest($1::bigint[]{arrays}) AS sealed (seq, {', '.join(names)}) WHERE t.seq = sealed.seq"
    changing = f"UPDATE {table.rows} AS t SET {', '.join(sets)} {rows} RETURNING t.*"
    page = await _written(connection, table, changing, arguments, limit=change.shown)
    if change.permissions is not None:
        await _grant_again(connection, table, "SELECT unnest($1::bigint[])", seqs)
    return page


async def delete_rows(connection: Connection, table: Table, seqs: list[int]) -> JsonPage:
    """Delete rows that are held, with their permissions; return how many there were, and the first as JSON."""
    return await _written(
        connection, table, f"DELETE FROM {table.rows} AS t WHERE t.seq = ANY($1) RETURNING t.*", [seqs]
    )


async def _written(
    connection: Connection, table: Table, text: str, arguments: list[object], *, limit: int = MAX_SHOWN
) -> JsonPage:
    shown = f"SELECT * FROM written ORDER BY seq LIMIT {limit}"
    with translate_errors():
        record = await connection.fetchrow(
            f"WITH written AS ({text}) SELECT (SELECT count(*) FROM written) AS total,"
            f" (SELECT string_agg({statements.row_json(table, None)}, ',' ORDER BY seq) FROM ({shown}) AS t) AS rows",
            *arguments,
        )
    assert record is not None  # noqa: S101 as above
    return JsonPage(record["rows"] or "", record["total"])


async def _grant_again(connection: Connection, table: Table, seqs: str, argument: Sequence[object]) -> None:
    """Let the permissions of rows, which `seqs` finds, be what the rows say."""
    await connection.execute(f"DELETE FROM {table.grants} WHERE seq IN ({seqs})", argument)
    await connection.execute(
        f"INSERT INTO {table.grants} (action, role, seq, created_at) SELECT {_GRANTED}, t.seq, t.created_at"
        f" FROM {table.rows} AS t, unnest(t.permissions) AS one WHERE t.seq IN ({seqs})",
        argument,
    )


def _sent_rows(table: Table) -> str:
    """Return the SQL of the rows that $1 has as JSON; `named` are the columns that each has a value for."""
    columns = "".join(f", {column.name} {column.postgres}" for column in table.columns)
    return (
        "json_to_recordset($1::text::json) AS g (place bigint, id text, created_at timestamptz(3),"
        f" updated_at timestamptz(3), permissions text[], named text[]{columns})"
    )


def _json(rows: Sequence[NewRow | RowOverwrite]) -> str:
    return msgspec.json.encode([_record(place, row) for place, row in enumerate(rows)]).decode()


def _record(place: int, row: NewRow | RowOverwrite) -> dict[str, Any]:  # Any: what columns hold
    values = {column.name: value for column, value in row.values}
    permissions = None if row.permissions is None else [str(permission) for permission in row.permissions]
    return values | {
        "place": place,
        "id": row.id,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "permissions": permissions,
        "named": list(values),
    }
