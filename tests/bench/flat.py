"""Memory of the service while a table of 1,000,000 rows is listed page by page, and 100,000 are created in bulk."""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from services.data.domain.catalogue import Table
from tests.bench.authority import post
from tests.bench.measures import Measure, at_most
from tests.bench.server import serving
from tests.bench.whole import DATABASE, Whole, key_headers, open_whole, user_headers

ROWS = 1_000_000
PAGE = 1_000
CREATED, BATCH = 100_000, 100
CLIENTS = 4
WARM = 10
"""One part in so many of the work goes by before memory is measured: pools, caches and statements are filled."""

GOAL = 1.1
ROWS_PATH = f"{DATABASE}/tables/{{}}/rows"


@contextlib.asynccontextmanager
async def servers() -> AsyncIterator[dict[str, Any]]:
    """Daypass in one process, with a table whose rows one user may read, and an empty one."""
    async with open_whole(["ada"]) as whole:
        await _fill(whole, await whole.make_table("full"))
        await whole.make_table("empty")
        yield whole.world | {"pid": os.getpid()}


async def _fill(whole: Whole, table: Table) -> None:
    name, age = (column.name for column in table.columns)
    async with whole.pool.acquire() as connection:
        await connection.execute("SET statement_timeout = 0")
        await connection.execute(
            f"INSERT INTO {table.rows} (id, created_at, updated_at, permissions, {name}, {age})"
            f" SELECT 'row-' || n, now(), now(), $1, 'name ' || n, n % 100 FROM generate_series(1, {ROWS}) AS n",
            [f'read("user:{whole.users["ada"]}")'],
        )
        await connection.execute(
            f"INSERT INTO {table.grants} (action, role, seq, created_at) SELECT 'read', $1, seq, created_at"
            f" FROM {table.rows}",
            f"user:{whole.users['ada']}",
        )
        for relation in (table.rows, table.grants):
            await connection.execute(f"VACUUM ANALYZE {relation}")


async def measure() -> list[Measure]:
    """The most memory that the process had, over what it had when a tenth was done."""
    async with serving("tests.bench.flat") as world:
        url = f"http://127.0.0.1:{world['port']}"
        async with ClientSession(url, headers=user_headers(world, "ada")) as reader:
            listed = await _growth(world["pid"], ROWS // PAGE // CLIENTS, lambda place: _pages(reader, place))
        async with ClientSession(url, headers=key_headers(world)) as backend:
            created = await _growth(world["pid"], CREATED // BATCH // CLIENTS, lambda _: _batches(backend))
    return [
        at_most(GOAL, name=f"memory of the service, {what}", value=value, detail=f"{CLIENTS} clients; {most:.0f} MB")
        for what, (value, most) in {
            f"{ROWS:,} rows listed by pages of {PAGE:,}": listed,
            f"{CREATED:,} rows created by batches of {BATCH}": created,
        }.items()
    ]


async def _growth(pid: int, steps: int, work: Callable[[int], AsyncIterator[None]]) -> tuple[float, float]:
    """Return the most memory over that after the first part, by clients at work at once; and the most in MB."""
    sizes: list[float] = []

    async def one(place: int) -> None:
        step = 0
        async for _ in work(place):
            step += 1
            if step * WARM >= steps:
                sizes.append(_resident_mb(pid))
        assert step == steps

    await asyncio.gather(*map(one, range(CLIENTS)))
    return max(sizes) / sizes[0], max(sizes)


async def _pages(http: ClientSession, place: int) -> AsyncIterator[None]:
    """Read a client's share of all pages, one after the other, by the cursor."""
    limit, cursor = {"method": "limit", "values": [PAGE]}, f"row-{place * ROWS // CLIENTS}" if place else ""
    for _ in range(ROWS // PAGE // CLIENTS):
        queries = [limit, {"method": "cursorAfter", "values": [cursor]}] if cursor else [limit]
        named = [("queries[]", json.dumps(query)) for query in queries] + [("total", "false")]
        async with http.get(ROWS_PATH.format("full"), params=named) as answer:
            rows = (await answer.json())["rows"]
        assert len(rows) == PAGE
        cursor = rows[-1]["$id"]
        yield


async def _batches(http: ClientSession) -> AsyncIterator[None]:
    batch = [{"$id": "unique()", "name": "a name", "age": 42}] * BATCH
    for _ in range(CREATED // BATCH // CLIENTS):
        await post(http, ROWS_PATH.format("empty"), rows=batch)
        yield


def _resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1_000_000
