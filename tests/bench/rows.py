"""Rows: what authentication costs, what the layers above SQL cost, and whether lists stay flat as tables grow."""

import contextlib
import statistics
from collections.abc import AsyncIterator, Sequence
from typing import Any

from aiohttp import web

from services.data.domain.catalogue import Table
from services.data.domain.queries import parse_row_queries
from services.data.store.statements import get_row, list_rows
from shared.process.app import WebApp
from tests.bench.bare import serve_bare
from tests.bench.guards import KnownGuard
from tests.bench.load import Target, rounds
from tests.bench.measures import Measure, at_least, at_most, median_ratio
from tests.bench.server import serving
from tests.bench.whole import DATABASE, Whole, open_whole, user_headers

SIZES = (10_000, 100_000, 1_000_000)
READERS = {"few": 10, "some": 1_000, "all": None}
"""How many rows of each table a reader may see; None: all."""

ROW = "row-5"
ROUNDS = 25
ROUND_S = 0.4
CELL_S = 0.15


@contextlib.asynccontextmanager
async def servers() -> AsyncIterator[dict[str, Any]]:
    """Daypass in one process; the same without authentication; and the same SQL behind a bare handler."""
    async with contextlib.AsyncExitStack() as stack:
        whole = await stack.enter_async_context(open_whole(READERS))
        for size in SIZES:
            steps = {reader: size // (count or size) for reader, count in READERS.items()}
            await fill_table(whole, await whole.make_table(f"rows{size}"), size, steps)
        plain = WebApp(whole.data.parts, guard=KnownGuard(whole.principal("all")))
        port = await plain.start(("127.0.0.1", 0))
        stack.push_async_callback(plain.stop)
        bare = await _serve_bare(stack, whole)
        yield whole.world | {"plain": port, "bare": bare}


async def _serve_bare(stack: contextlib.AsyncExitStack, whole: Whole) -> int:
    table, roles = await whole.table(f"rows{SIZES[0]}"), list(whole.principal("all").roles)
    get_text = get_row(table, selected=None, is_open=False)
    list_text, list_values = list_rows(table, parse_row_queries([], table.by_key), roles=roles, with_total=False)
    reads = [f'read("{role}")' for role in roles]

    async def handle(request: web.BaseRequest) -> web.Response:
        async with whole.pool.acquire() as connection:
            if request.path.endswith("/rows"):
                found = await connection.fetchrow(list_text, *list_values)
                body = f'{{"total":0,"rows":[{found["rows"]}]}}'  # type: ignore[index] # one row always
            else:
                body = await connection.fetchval(get_text, table.version, ROW, reads, column=1)
        return web.Response(body=body.encode(), content_type="application/json")

    return await serve_bare(stack, handle)


async def fill_table(whole: Whole, table: Table, size: int, steps: dict[str, int]) -> None:
    """Make so many rows, of which each user may read one in as many as `steps` says; ages do not go by readers."""
    grants = " || ".join(
        f"CASE WHEN n % {step} = 0 THEN ARRAY['read(\"user:{whole.users[reader]}\")'] ELSE '{{}}' END"
        for reader, step in steps.items()
    )
    name, age = (column.name for column in table.columns)
    async with whole.pool.acquire() as connection:
        await connection.execute("SET statement_timeout = 0")
        await connection.execute(
            f"INSERT INTO {table.rows} (id, created_at, updated_at, permissions, {name}, {age})"
            f" SELECT 'row-' || n, now(), now(), {grants}, 'name ' || n, abs(hashint8(n) % 100)"
            f" FROM generate_series(1, {size}) AS n",
            timeout=300,
        )
        await connection.execute(
            f"INSERT INTO {table.grants} (action, role, seq, created_at) SELECT 'read', substring(one FROM '\"(.*)\"'),"
            f" seq, created_at FROM {table.rows}, unnest(permissions) AS one",
            timeout=300,
        )
        await connection.execute(f"VACUUM ANALYZE {table.rows}", timeout=300)
        await connection.execute(f"VACUUM ANALYZE {table.grants}", timeout=300)


async def measure() -> list[Measure]:
    """All that is said above."""
    async with serving("tests.bench.rows") as world:
        return [*await _layers(world), *await _lists(world)]


async def _layers(world: dict[str, Any]) -> list[Measure]:
    headers = user_headers(world, "all")
    rows = f"{DATABASE}/tables/rows{SIZES[0]}/rows"
    get = f"{rows}/{ROW}"
    ports = (world["port"], world["plain"], world["bare"])
    gets = await rounds([Target.get(port, get, headers) for port in ports], count=ROUNDS, seconds=ROUND_S)
    listed = [Target.get(port, rows + "?total=false", headers) for port in (world["port"], world["bare"])]
    listed[1] = Target.get(world["bare"], rows, headers)
    lists = await rounds(listed, count=ROUNDS, seconds=ROUND_S)
    return [
        at_least(
            0.95,
            name="getRow, warm JWT over no authentication",
            value=median_ratio(gets, 0, 1),
            detail=f"median of {ROUNDS} rounds; in all {_medians(gets)} per s: JWT, none, by hand",
        ),
        at_least(
            0.7,
            name="getRow over the same SQL by hand",
            value=median_ratio(gets, 0, 2),
            detail=f"asyncpg behind a bare aiohttp handler, median of {ROUNDS} rounds",
        ),
        at_least(
            0.7,
            name="list 25 over the same SQL by hand",
            value=median_ratio(lists),
            detail=f"likewise; in all {_medians(lists)} per s",
        ),
    ]


def _medians(found: Sequence[Sequence[float]]) -> str:
    return "/".join(f"{statistics.median(column):.0f}" for column in zip(*found, strict=True))


async def _lists(world: dict[str, Any]) -> list[Measure]:
    measures = []
    for total in ("false", "true"):
        targets, names = [], []
        for size in SIZES:
            for reader in READERS:
                path = f"{DATABASE}/tables/rows{size}/rows?total={total}"
                targets.append(Target.get(world["port"], path, user_headers(world, reader)))
                names.append(f"{reader} of {size}")
        found = await rounds(targets, count=25, seconds=CELL_S)
        medians = [statistics.median(column) for column in zip(*found, strict=True)]
        measures.append(_flatness(names, medians, total))
    return measures


def _flatness(names: Sequence[str], rates: Sequence[float], total: str) -> Measure:
    cells = ", ".join(f"{name} {1000 / rate:.2f}" for name, rate in zip(names, rates, strict=True))
    detail = f"ms of server time per list, median of 25 rounds: {cells}"
    name = f"list 25 (total={total}), slowest cell over fastest"
    goal = 1.5 if total == "false" else 4  # counting to 5,000 takes what it takes
    return at_most(goal, name=name, value=max(rates) / min(rates), detail=detail)
