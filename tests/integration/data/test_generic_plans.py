"""Plans that are made once for any values, as prepared statements come to have: as narrow as those for known values."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from services.data.domain.catalogue import Table
from services.data.domain.queries import parse_row_queries
from services.data.store import statements
from shared.postgres.pool import Pool
from tests.integration.data.api import TEXT, Api, Json, Values, query

ROWS = 20_000
PAGE = 25
FEW = math.isqrt(PAGE * ROWS)
"""Up to so many rows are looked at one by one, where an index has the order of a list."""

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
    """What was done with a table: kinds of scans and names of indexes; rows touched, and of their permissions."""

    scans: set[str]
    indexes: set[str]
    rows: int
    grants: int

    @property
    def touched(self) -> int:
        return self.rows + self.grants


@dataclass(frozen=True)
class Large:
    """A table of ROWS rows. PostgreSQL knows how its values are spread."""

    pool: Pool
    table: Table

    async def page(self, queries: list[str], known: list[str] | None, *, with_total: bool = False) -> Plan:
        """List rows for a reader of these roles and others that the table does not know; None: of all rows."""
        asked = parse_row_queries(queries, self.table.by_key)
        roles = None if known is None else [*UNKNOWN, *known]
        text, values = statements.list_rows(self.table, asked, roles=roles, with_total=with_total)
        return await self._explain(text, values)

    async def _explain(self, text: str, values: Values) -> Plan:
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
        rows, grants = (
            [node for node in found if node.get("Relation Name") == name.partition(".")[2] and node["Actual Loops"]]
            for name in (self.table.rows, self.table.grants)
        )
        return Plan(
            scans={node["Node Type"] for node in (*rows, *grants)},
            indexes={node["Index Name"] for node in found if "Index Name" in node and node["Actual Loops"]},
            rows=sum(map(touched, rows)),
            grants=sum(map(touched, grants)),
        )


def touched(node: Json) -> int:
    """Return how many rows of its relation a scan came by."""
    return round((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])


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


STATE = {"key": "state", "type": "varchar", "size": 64}
INDEXES = [
    {"key": "by-text", "type": "key", "attributes": ["text"]},
    {"key": "by-state", "type": "key", "attributes": ["state"]},
    {"key": "by-state-down", "type": "key", "attributes": ["state"], "orders": ["DESC"]},
]


@pytest.fixture(scope="module")
async def large(api: Api) -> Large:
    """Each row may be read by one user of 1000 and one team of 10, each fourth by anyone; each text is in ten rows.

    The last five rows are in one state, all others in two.
    """
    made = await api.new_table(rowSecurity=True, columns=[TEXT, STATE], indexes=INDEXES)
    table = await made.definition()
    text, state = (column.name for column in table.columns)
    async with api.pool.acquire() as connection, connection.transaction():
        await connection.execute(
            f"""
            INSERT INTO {table.rows} (id, created_at, updated_at, permissions, {text}, {state})
            SELECT 'row-' || i, '2024-01-01'::timestamptz + i * interval '1 minute', now(),
                ARRAY['read("user:u-' || i % 1000 || '")', 'read("team:t-' || i % 10 || '")']
                || CASE i % 4 WHEN 0 THEN ARRAY['read("any")'] ELSE '{{}}' END,
                'text ' || i % 2000, CASE WHEN i > {ROWS} - 5 THEN 'failed' WHEN i % 3 = 0 THEN 'open' ELSE 'done' END
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
    plan = await large.page(LISTS[name], known)

    cursor, each_role, shown = 1, 1 + PAGE, PAGE
    assert plan.touched <= cursor + len(known) * each_role + shown
    assert "Seq Scan" not in plan.scans
    assert any(index.startswith(large.table.grants.partition(".")[2]) for index in plan.indexes)


@pytest.mark.parametrize("reader", READERS)
async def test_a_total_is_counted_in_the_index_of_roles(large: Large, reader: str) -> None:
    known = READERS[reader]
    plan = await large.page([], known, with_total=True)

    assert plan.touched <= len(known) * (1 + PAGE + statements.MAX_TOTAL) + PAGE
    assert "Seq Scan" not in plan.scans


@pytest.mark.parametrize("name", LISTS)
async def test_a_page_of_all_rows_is_read_in_the_order_of_an_index(large: Large, name: str) -> None:
    plan = await large.page(LISTS[name], None)

    assert plan.touched <= 1 + PAGE
    assert "Seq Scan" not in plan.scans


OTHERS = {
    "up an indexed column": [query("orderAsc", "text")],
    "down an indexed column": [query("orderDesc", "text")],
    "by a column without an index": [query("orderDesc", "$updatedAt")],
    "by chance": [query("orderRandom")],
    "with an indexed filter": [query("equal", "text", "text 7")],
    "with an indexed filter, by another column": [query("equal", "text", "text 7"), query("orderDesc", "state")],
    "with a filter that lets half through": [query("notEqual", "state", "done"), query("orderAsc", "text")],
    "with a filter that no index serves": [query("contains", "text", "7")],
}


@pytest.mark.parametrize("name", OTHERS)
async def test_for_a_reader_of_few_rows_these_are_looked_at_and_no_others(large: Large, name: str) -> None:
    plan = await large.page(OTHERS[name], ["user:u-7"], with_total=True)

    known, readable, fitting, last = 1, 20, 10, 1
    assert plan.rows <= last + fitting + 2 * readable
    assert plan.grants <= known + 2 * readable
    assert "Seq Scan" not in plan.scans


@pytest.mark.parametrize("name", OTHERS)
async def test_for_a_reader_of_nothing_no_row_is_looked_at(large: Large, name: str) -> None:
    plan = await large.page(OTHERS[name], [], with_total=True)

    last, fitting = 1, 10
    assert plan.rows <= last + 3 * fitting
    assert plan.grants == 0


@pytest.mark.parametrize("reader", ["of many rows", "of many teams", None])
@pytest.mark.parametrize("name", ["up an indexed column", "down an indexed column"])
async def test_for_a_reader_of_many_rows_a_page_is_found_in_the_order_of_an_index(
    large: Large, reader: str | None, name: str
) -> None:
    """Each fourth row may be read by anyone; ten rows each have the same text."""
    plan = await large.page(OTHERS[name], reader and READERS[reader])

    known, last = 11, 1
    assert plan.rows <= last + 8 * PAGE
    assert plan.grants <= known + FEW + 1
    assert "Seq Scan" not in plan.scans


@pytest.mark.parametrize("reader", ["of many rows", "of many teams", None])
@pytest.mark.parametrize("method", ["orderAsc", "orderDesc"])
async def test_rows_that_are_equal_in_a_column_stand_in_order_in_its_index(
    large: Large, reader: str | None, method: str
) -> None:
    plan = await large.page([query(method, "state")], reader and READERS[reader])

    last = 1
    assert plan.rows <= last + 4 * PAGE


@pytest.mark.parametrize("reader", ["of many teams", None])
@pytest.mark.parametrize("order", ["$sequence", "$createdAt", "$updatedAt", "text", "state"])
@pytest.mark.parametrize("value", ["failed", "nothing"])
async def test_a_filter_on_a_rare_value_uses_the_index_of_its_column_whatever_the_order(
    large: Large, reader: str | None, order: str, value: str
) -> None:
    """Only five rows have it, and none the other, where each value of the column is in thousands on the average."""
    asked = [query("equal", "state", value), query("orderDesc", order)]
    plan = await large.page(asked, reader and READERS[reader], with_total=True)

    last, fitting = 1, 5
    assert plan.rows <= last + 3 * fitting
    assert "Seq Scan" not in plan.scans


@pytest.mark.parametrize("reader", ["of many teams", None])
async def test_a_filter_on_a_common_value_goes_through_the_index_of_the_order(large: Large, reader: str | None) -> None:
    limit, each_third, last = 100, 3, 1
    asked = [query("equal", "state", "open"), query("orderAsc", "text"), query("limit", None, limit)]
    plan = await large.page(asked, reader and READERS[reader])

    assert plan.rows <= last + math.isqrt(limit * ROWS) + 1 + each_third * limit + 10


async def test_more_than_a_quarter_of_a_table_is_not_looked_at_one_by_one(api: Api) -> None:
    made, readable = await api.new_table(rowSecurity=True), 8
    for _ in range(readable):
        await made.new_row(None, 'read("users")')
    small = Large(api.pool, await made.definition())
    plan = await small.page([query("orderDesc", "$updatedAt")], ["users"])

    assert plan.grants < readable


@pytest.mark.parametrize("reader", ["of many teams", None])
async def test_a_filter_by_a_range_uses_the_index_of_its_column(large: Large, reader: str | None) -> None:
    asked = [query("between", "text", "text 7", "text 70"), query("orderDesc", "$updatedAt")]
    plan = await large.page(asked, reader and READERS[reader], with_total=True)

    last, fitting = 1, 20
    assert plan.rows <= last + 3 * fitting


SEVERAL = {
    "texts": query("equal", "text", "text 7", "text 77"),
    "states": query("equal", "state", "failed", "nothing"),
    "ids": query("equal", "$id", "row-7", "row-77"),
    "an id": query("equal", "$id", "row-7"),
}


@pytest.mark.parametrize("reader", ["of many teams", None])
@pytest.mark.parametrize("order", [[], [query("orderAsc", "text")], [query("orderRandom")]])
@pytest.mark.parametrize("values", SEVERAL)
async def test_a_filter_by_several_values_uses_the_index_of_its_column(
    large: Large, reader: str | None, order: list[str], values: str
) -> None:
    plan = await large.page([SEVERAL[values], *order], reader and READERS[reader], with_total=True)

    known, last, fitting = 11, 1, 20
    assert plan.rows <= last + 3 * fitting
    assert plan.grants <= known + FEW + 1


@pytest.mark.parametrize("order", [["text"], ["state"], ["text", "state"], ["$createdAt", "text"]])
async def test_a_page_far_up_a_column_begins_at_its_cursor(large: Large, order: list[str]) -> None:
    asked = [*(query("orderAsc", column) for column in order), query("cursorAfter", None, "row-13999")]
    plan = await large.page(asked, None)

    cursor, equal = 1, 10
    assert plan.rows <= cursor + equal + PAGE


@pytest.mark.parametrize("reader", [None, "of many teams"])
async def test_a_filter_uses_the_index_of_its_column(large: Large, reader: str | None) -> None:
    [index] = [index for index in large.table.indexes if index.key == "by-text"]
    plan = await large.page([query("equal", "text", "text 7")], reader and READERS[reader], with_total=True)

    page, total, last = 10, 10, 1
    assert plan.rows <= page + total + last
    assert plan.grants <= 11 + FEW + 1
    assert index.name in plan.indexes
