"""Sorted and filtered lists: whether they stay flat as tables grow, and what one condition on the rows would cost."""

import itertools
import statistics
import time
from collections.abc import Sequence

from services.data.domain.catalogue import Table
from services.data.domain.queries import parse_row_queries
from services.data.store.conditions import in_rows, names_of, order_by, orders_of
from services.data.store.statements import list_rows, row_json
from shared.postgres.conditions import condition
from shared.postgres.pool import Connection
from tests.bench.measures import Measure, at_least, at_most, figure
from tests.bench.rows import fill_table
from tests.bench.whole import Whole, open_whole

SMALL, LARGE = 10_000, 1_000_000
FEW = 10
READERS = {"few": f"{FEW} rows", "tenth": "10 %", "all": "all rows"}
INDEXES = [{"key": "by_age", "type": "key", "attributes": ["age"]}]
LISTS = {
    "up an indexed column": ['{"method":"orderAsc","attribute":"age"}'],
    "down an indexed column": ['{"method":"orderDesc","attribute":"age"}'],
    "by a column without an index": ['{"method":"orderAsc","attribute":"name"}'],
    "with an indexed filter": ['{"method":"equal","attribute":"age","values":[42]}'],
    "with a filter without an index": ['{"method":"equal","attribute":"name","values":["name 4200"]}'],
}
ROUNDS = 9
OLD_ROUNDS = 3
MOST_GROWTH = 3

Statement = tuple[str, list[object]]


async def measure() -> list[Measure]:
    """The time of each list as PostgreSQL takes it: of the large table over the small one, and over one condition."""
    async with open_whole(READERS) as whole:
        tables = [await _made(whole, size) for size in (SMALL, LARGE)]
        async with whole.pool.acquire() as connection:
            found = [
                await _growth(connection, whole, tables, name, reader, with_total=with_total)
                for name, reader, with_total in itertools.product(LISTS, READERS, (False, True))
            ]
            return [*found, *[await _gain(connection, whole, tables[1], name) for name in LISTS]]


async def _made(whole: Whole, size: int) -> Table:
    table = await whole.make_table(f"lists{size}", indexes=INDEXES)
    await fill_table(whole, table, size, {"few": size // FEW, "tenth": 10, "all": 1})
    return table


async def _growth(
    connection: Connection, whole: Whole, tables: list[Table], name: str, reader: str, *, with_total: bool
) -> Measure:
    statements = [_ours(whole, table, name, reader, with_total=with_total) for table in tables]
    small, large = await _times(connection, statements, rounds=ROUNDS)
    label = f"list 25 {name}, total={str(with_total).lower()}, reader of {READERS[reader]}, 1,000,000 rows over 10,000"
    detail = f"median of {ROUNDS} rounds; {small:.2f} and {large:.2f} ms"
    if reader == "few":
        return at_most(MOST_GROWTH, name=label, value=large / small, detail=detail)
    return figure(name=label, value=large / small, detail=detail)


async def _gain(connection: Connection, whole: Whole, table: Table, name: str) -> Measure:
    statements = [_by_one_condition(whole, table, name, "few"), _ours(whole, table, name, "few", with_total=False)]
    old, ours = await _times(connection, statements, rounds=OLD_ROUNDS)
    label = f"one condition on the rows over list 25 {name}, reader of {READERS['few']} of 1,000,000"
    return at_least(
        1, name=label, value=old / ours, detail=f"median of {OLD_ROUNDS} rounds; {old:.1f} and {ours:.2f} ms"
    )


def _ours(whole: Whole, table: Table, name: str, reader: str, *, with_total: bool) -> Statement:
    query = parse_row_queries(LISTS[name], table.by_key)
    return list_rows(table, query, roles=list(whole.principal(reader).roles), with_total=with_total)


def _by_one_condition(whole: Whole, table: Table, name: str, reader: str) -> Statement:
    """Return the usual way to list a page without a total: each row is checked, in whatever order PostgreSQL likes."""
    query = parse_row_queries(LISTS[name], table.by_key)
    names = names_of(table)
    filters = (condition(one, in_rows(names), 2) for one in query.shape.filters)
    where = ["t.permissions && $1::text[]", *filters]
    page = (
        f"SELECT {row_json(table, None)} AS json FROM {table.rows} AS t WHERE {' AND '.join(where)}"
        f" ORDER BY {order_by(orders_of(names, query.shape.orders))} LIMIT {query.limit}"
    )
    reads = [f'read("{role}")' for role in whole.principal(reader).roles]
    return f"SELECT string_agg(json, ',') FROM ({page}) AS page", [reads, *query.values]


async def _times(connection: Connection, statements: Sequence[Statement], *, rounds: int) -> list[float]:
    """Return the median milliseconds of each statement, run by turns."""
    found: list[list[float]] = [[] for _ in statements]
    for turn in range(rounds + 1):
        for times, (text, values) in zip(found, statements, strict=True):
            started = time.perf_counter()
            await connection.fetchrow(text, *values)
            if turn:
                times.append((time.perf_counter() - started) * 1000)
    return [statistics.median(times) for times in found]
