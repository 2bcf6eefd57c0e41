"""What PostgreSQL does for a statement, read from its plan: indexes are used, and no table is read from end to end."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec
import pytest

from services.data.domain.catalogue import Table
from services.data.domain.queries import parse_row_queries
from services.data.store import statements
from services.data.store.catalogue import get_database, get_table
from shared.postgres.pool import Connection
from tests.integration.data.api import Api, query

ROWS = 20_000
ROLES = ["any", "users", "user:ada", "user:nobody", "team:crew"]
MIXED = """CASE
    WHEN i % 2000 = 0 THEN ARRAY['read("user:ada")', 'update("any")']
    WHEN i % 2 = 0 THEN ARRAY['read("users")', 'delete("team:crew")']
    ELSE ARRAY['read("user:' || i || '")'] END
"""
"""`users` read every other row, `user:ada` ten in all, thousands of others one each, the other ROLES none."""

UNIFORM = """ARRAY['read("users")']"""
"""One role reads all, so that looking for another one in the table itself would seem cheap, and read all of it."""

Node = dict[str, Any]


class Plans:
    """A large table, and what PostgreSQL would do and does with it."""

    def __init__(self, connection: Connection, table: Table) -> None:
        self.connection = connection
        self.table = table

    async def get(self, *, is_open: bool) -> Node:
        text = statements.get_row(self.table, None, is_open=is_open)
        more = [] if is_open else [[f'read("{role}")' for role in ROLES]]
        return await self._explain(text, self.table.version, "row-9000", *more)

    async def page(self, *queries: str, roles: list[str] | None = ROLES, with_total: bool = True) -> Node:
        asked = parse_row_queries(list(queries), self.table.by_key)
        text, values = statements.list_rows(self.table, asked, roles=roles, with_total=with_total)
        return await self._explain(text, *values)

    async def _explain(self, text: str, *values: object) -> Node:
        found = await self.connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON, TIMING OFF) {text}", *values)
        plan: Node = msgspec.json.decode(found)[0]["Plan"]
        return plan

    def scans(self, plan: Node, relation: str) -> list[Node]:
        """Return the nodes of a plan that read a relation."""
        return [node for node in nodes(plan) if node.get("Relation Name") == relation.partition(".")[2]]

    def index_of(self, columns: str) -> str:
        """Return the name that PostgreSQL gives the index over the permissions' columns."""
        return f"p_{self.table.n}_{columns}"


def nodes(plan: Node) -> Iterator[Node]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def read(node: Node) -> float:
    """Return how many rows of its relation a node has read, all loops together."""
    removed = sum(node.get(key, 0) for key in ("Rows Removed by Filter", "Rows Removed by Index Recheck"))
    return float(node["Actual Loops"] * (node["Actual Rows"] + removed))


@pytest.fixture(scope="module", params=[MIXED, UNIFORM], ids=["mixed", "uniform"])
async def plans(api: Api, request: pytest.FixtureRequest) -> AsyncIterator[Plans]:
    made = await api.new_table(rowSecurity=True)
    async with api.pool.acquire() as connection:
        table = await get_table(
            connection, await get_database(connection, api.accounts.projects["library"], made.database), made.table
        )
        await connection.execute(f"""
            INSERT INTO {table.rows} (id, created_at, updated_at, permissions, {table.columns[0].name})
            SELECT 'row-' || i, now() + i * interval '1 ms', now(), {request.param}, 'text ' || i
            FROM generate_series(1, {ROWS}) AS i
        """)
        await connection.execute(f"""
            INSERT INTO {table.grants} (action, role, seq, created_at)
            SELECT split_part(permission, '(', 1), split_part(permission, '"', 2), seq, created_at
            FROM {table.rows}, unnest(permissions) AS permission
        """)
        await connection.execute(f"ANALYZE {table.rows}; ANALYZE {table.grants}")
        yield Plans(connection, table)


@pytest.mark.parametrize("is_open", [True, False], ids=["open", "row-security"])
async def test_a_row_is_found_by_its_id_and_nothing_else_is_read(plans: Plans, is_open: bool) -> None:
    plan = await plans.get(is_open=is_open)

    [scan] = plans.scans(plan, plans.table.rows)
    assert scan["Node Type"] == "Index Scan"
    assert scan["Index Name"].endswith("_id_key")
    assert plans.scans(plan, plans.table.grants) == []


ORDERS = {
    "default": [],
    "backwards": [query("orderDesc", "")],
    "newest": [query("orderDesc", "$createdAt")],
    "oldest": [query("orderAsc", "$createdAt")],
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("after", [None, "cursorAfter", "cursorBefore"])
async def test_a_list_reads_a_page_of_each_role_by_its_index(plans: Plans, order: str, after: str | None) -> None:
    """Whatever the size of the table: of five roles, at most a page each, and one look at whether there is any."""
    cursor = [query(after, None, "row-9000")] if after else []
    plan = await plans.page(*ORDERS[order], *cursor, with_total=False)

    granted = plans.scans(plan, plans.table.grants)
    rows = [scan for scan in plans.scans(plan, plans.table.rows) if scan["Index Name"].endswith("_pkey")]
    assert granted
    assert {node["Node Type"] for node in granted} <= {"Index Scan", "Index Only Scan"}
    expected = "pkey" if order in {"default", "backwards"} else "action_role_created_at_seq_idx"
    assert plans.index_of(expected) in {node["Index Name"] for node in granted}
    assert sum(map(read, granted)) <= len(ROLES) * (25 + 1)
    assert sum(map(read, rows)) == 25
    assert not [node for node in nodes(plan) if node["Node Type"] == "Seq Scan" and node["Relation Name"] != "tables"]


async def test_a_total_is_counted_in_the_index_of_roles(plans: Plans) -> None:
    plan = await plans.page()

    assert not [node for node in nodes(plan) if node["Node Type"] == "Seq Scan" and node["Relation Name"] != "tables"]
    granted = plans.scans(plan, plans.table.grants)
    assert {node["Node Type"] for node in granted} <= {"Index Scan", "Index Only Scan"}
    assert sum(map(read, plans.scans(plan, plans.table.rows))) == 25


async def test_the_total_of_one_role_looks_for_no_row_twice(plans: Plans) -> None:
    """Only the page does, among its few rows."""
    plan = await plans.page(roles=["users", "user:nobody"])

    distinct = [node for node in nodes(plan) if node["Node Type"] == "Unique" or "Group Key" in node]
    assert max(node["Actual Loops"] * node["Actual Rows"] for node in distinct) == 25
    assert sum(map(read, plans.scans(plan, plans.table.grants))) <= 1 + 25 + statements.MAX_TOTAL


@pytest.mark.parametrize("order", ORDERS)
async def test_a_list_of_an_open_table_reads_its_page_and_no_permissions(plans: Plans, order: str) -> None:
    plan = await plans.page(*ORDERS[order], query("cursorAfter", None, "row-9000"), roles=None, with_total=False)

    assert plans.scans(plan, plans.table.grants) == []
    assert sum(map(read, plans.scans(plan, plans.table.rows))) <= 25 + 1
    assert not [node for node in nodes(plan) if node["Node Type"] == "Seq Scan" and node["Relation Name"] != "tables"]


async def test_a_caller_with_all_the_roles_there_can_be_reads_no_more_than_its_share(plans: Plans) -> None:
    """Roles that do not occur in the table cost one look each."""
    many = [*ROLES, *(f"label:nothing{place}" for place in range(2_000 - len(ROLES)))]
    plan = await plans.page(roles=many, with_total=False)

    granted = plans.scans(plan, plans.table.grants)
    assert sum(map(read, granted)) <= len(ROLES) * (25 + 1)
    assert not [node for node in nodes(plan) if node["Node Type"] == "Seq Scan" and node["Relation Name"] != "tables"]


@pytest.mark.parametrize(
    "asked",
    [
        [query("orderDesc", "text")],
        [query("orderAsc", "$updatedAt")],
        [query("contains", "text", "7"), query("orderDesc", "")],
        [query("orderRandom")],
    ],
    ids=["column", "updated", "filter", "random"],
)
@pytest.mark.parametrize("role", ["user:ada", "user:nobody"])
async def test_a_list_of_few_rows_looks_at_these_whatever_is_asked(plans: Plans, asked: list[str], role: str) -> None:
    """No row, or ten of 20,000."""
    plan = await plans.page(*asked, roles=[role, "team:crew"])

    last, readable = 1, 10
    assert sum(map(read, plans.scans(plan, plans.table.rows))) <= last + 2 * readable
    assert sum(map(read, plans.scans(plan, plans.table.grants))) <= 1 + 2 * readable
    assert not [node for node in nodes(plan) if node["Node Type"] == "Seq Scan" and node["Actual Loops"]]


async def test_a_list_of_all_rows_in_an_order_without_an_index_reads_them_once(plans: Plans) -> None:
    plan = await plans.page(query("orderDesc", "text"), roles=["users", "user:ada"], with_total=False)

    assert sum(map(read, plans.scans(plan, plans.table.rows))) == ROWS + 1


async def test_a_table_without_rows_has_lists_of_none(api: Api) -> None:
    made = await api.new_table(rowSecurity=True)
    caller = api.accounts.sign_in("ada")

    for asked in ([query("orderDesc", "text")], [query("equal", "$id", "a"), query("orderDesc", "text")]):
        answer = await made.list(*asked, caller=caller)
        assert (answer.status, answer.json) == (200, {"total": 0, "rows": []})
