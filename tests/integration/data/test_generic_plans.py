"""Plans that are made once for any values, as prepared statements come to have: as narrow as those for known values."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from services.data.domain.catalogue import Table
from services.data.domain.queries import parse_row_queries
from services.data.operations.definitions import get_table
from services.data.store import statements
from shared.postgres.pool import Pool
from tests.integration.data.api import Api, Json, Values, query

ROWS = 20_000
PAGE = 25

UNKNOWN = ["users", "users/verified", "user:u-7/verified", *(f"label:l{number}" for number in range(50))]
READERS = {
    "of few rows": ["user:u-7"],
    "of many rows": ["any", "user:u-7"],
    "of many teams": ["any", *(f"team:t-{number}" for number in range(10))],
    "of nothing": [],
}
"""Of the roles that a reader has, those that the table knows; all have UNKNOWN besides."""

LISTS = {
    "oldest first": [],
    "last first": [query("orderDesc", "")],
    "newest first": [query("orderDesc", "$createdAt")],
    "after": [query("cursorAfter", None, "row-9000")],
    "newest before": [query("orderDesc", "$createdAt"), query("cursorBefore", None, "row-9000")],
}


@dataclass(frozen=True)
class Plan:
    """What was done with the rows and permissions of a table: kinds of scans, names of indexes, rows touched."""

    scans: set[str]
    indexes: set[str]
    touched: int


@dataclass(frozen=True)
class Large:
    """A table of ROWS rows. PostgreSQL knows how its values are spread."""

    pool: Pool
    table: Table

    async def explain(self, text: str, values: Values) -> Plan:
        """Run a statement by a plan for any values."""
        given = ", ".join(literal(value) for value in values)
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
            await connection.execute(f"PREPARE explained AS {text}")
            try:
                [[told]] = await connection.fetch(
                    f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) EXECUTE explained ({given})"
                )
            finally:
                await connection.execute("DEALLOCATE explained")
        return self._read(list(nodes(json.loads(told)[0]["Plan"])))

    def _read(self, found: list[Json]) -> Plan:
        names = {name.partition(".")[2] for name in (self.table.rows, self.table.grants)}
        scans = [node for node in found if node.get("Relation Name") in names]
        return Plan(
            scans={node["Node Type"] for node in scans},
            indexes={node["Index Name"] for node in found if "Index Name" in node},
            touched=sum(
                round((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])
                for node in scans
            ),
        )


def nodes(plan: Json) -> Iterator[Json]:
    """Yield a plan's node, and all within."""
    yield plan
    for inner in plan.get("Plans", []):
        yield from nodes(inner)


def literal(value: Any) -> str:
    """Write a value in SQL; those here have no quotes but double ones."""
    if isinstance(value, list):
        return f"ARRAY[{', '.join(literal(one) for one in value)}]::text[]"
    return f"'{value}'" if isinstance(value, str) else str(value)


@pytest.fixture(scope="module")
async def large(api: Api) -> Large:
    """Each row may be read by one user of 1000 and one team of 10, each fourth by anyone; each text is in ten rows."""
    made = await api.new_table(rowSecurity=True, indexes=[{"key": "by-text", "type": "key", "attributes": ["text"]}])
    table = await get_table(api.pool, "library", made.database, made.table)
    async with api.pool.acquire() as connection, connection.transaction():
        await connection.execute(
            f"""
            INSERT INTO {table.rows} (id, created_at, updated_at, permissions, {table.columns[0].name})
            SELECT 'row-' || i, '2024-01-01'::timestamptz + i * interval '1 minute', now(),
                ARRAY['read("user:u-' || i % 1000 || '")', 'read("team:t-' || i % 10 || '")']
                || CASE i % 4 WHEN 0 THEN ARRAY['read("any")'] ELSE '{{}}' END,
                'text ' || i % 2000
            FROM generate_series(1, {ROWS}) AS i
            """
        )
        await connection.execute(
            f"""
            INSERT INTO {table.grants} (action, role, seq, created_at)
            SELECT 'read', split_part(permission, '"', 2), seq, created_at
            FROM {table.rows} CROSS JOIN LATERAL unnest(permissions) AS permission
            """
        )
    await api.pool.execute(f"ANALYZE {table.rows}, {table.grants}")
    return Large(api.pool, table)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", LISTS)
async def test_a_page_touches_a_page_of_each_role_that_the_table_knows(large: Large, reader: str, name: str) -> None:
    known = READERS[reader]
    asked = parse_row_queries(LISTS[name], large.table.by_key)
    text, values = statements.list_rows(large.table, asked, roles=[*UNKNOWN, *known], with_total=False)
    plan = await large.explain(text, values)

    cursor, each_role, shown = 1, 1 + PAGE, PAGE
    assert plan.touched <= cursor + len(known) * each_role + shown
    assert "Seq Scan" not in plan.scans
    assert any(index.startswith(large.table.grants.partition(".")[2]) for index in plan.indexes)


@pytest.mark.parametrize("reader", READERS)
async def test_a_total_is_counted_in_the_index_of_roles(large: Large, reader: str) -> None:
    known = READERS[reader]
    asked = parse_row_queries([], large.table.by_key)
    text, values = statements.list_rows(large.table, asked, roles=[*UNKNOWN, *known], with_total=True)
    plan = await large.explain(text, values)

    assert plan.touched <= len(known) * (1 + PAGE + statements.MOST_TOTAL) + PAGE
    assert "Seq Scan" not in plan.scans


@pytest.mark.parametrize("name", LISTS)
async def test_a_page_of_all_rows_is_read_in_the_order_of_an_index(large: Large, name: str) -> None:
    asked = parse_row_queries(LISTS[name], large.table.by_key)
    text, values = statements.list_rows(large.table, asked, roles=None, with_total=False)
    plan = await large.explain(text, values)

    assert plan.touched <= 1 + PAGE
    assert "Seq Scan" not in plan.scans


@pytest.mark.parametrize("reader", [None, "of many teams"])
async def test_a_filter_uses_the_index_of_its_column(large: Large, reader: str | None) -> None:
    [index] = large.table.indexes
    asked = parse_row_queries([query("equal", "text", "text 7")], large.table.by_key)
    roles = None if reader is None else READERS[reader]
    text, values = statements.list_rows(large.table, asked, roles=roles, with_total=True)
    plan = await large.explain(text, values)

    page, total = 10, 10
    assert plan.touched == page + total
    assert index.name in plan.indexes
