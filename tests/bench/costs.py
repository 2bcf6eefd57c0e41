"""What a stranger may cost: processor time, how long others wait meanwhile, and memory, for hostile requests."""

import asyncio
import contextlib
import json
import os
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp

from tests.bench.authority import post
from tests.bench.measures import Measure, at_most, figure
from tests.bench.server import serving
from tests.bench.whole import DATABASE, PROJECT, Whole, key_headers, open_whole

MIB = 1024 * 1024
BODY = 16 * MIB
ROWS = f"{DATABASE}/tables/costs/rows"
COUNT = 200_000
"""Rows of the table: 66 MiB of JSON."""

ARRAYS = 10
LISTS = 1_100
MOST_STALL_MS = 500
MOST_MEMORY_MIB = 6 * BODY // MIB
MOST_BACKEND_MIB = 64

TICKS = os.sysconf("SC_CLK_TCK")


@contextlib.asynccontextmanager
async def servers() -> AsyncIterator[dict[str, Any]]:
    """Daypass in one process, with a table that everybody may read."""
    async with open_whole([]) as whole:
        await _fill(whole)
        backend = await whole.pool.fetchval("SELECT pg_backend_pid()")
        parent = int(Path(f"/proc/{backend}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[1])
        yield whole.world | {"pid": os.getpid(), "postgres": parent}


async def _fill(whole: Whole) -> None:
    async with aiohttp.ClientSession(f"http://127.0.0.1:{whole.port}", headers=key_headers(whole.world)) as http:
        columns = [{"key": f"c{n}", "type": "integer", "array": True} for n in range(ARRAYS)]
        await post(http, f"{DATABASE}/tables", tableId="arrays", name="arrays", columns=columns)
    table = await whole.make_table("costs", permissions=['read("any")'])
    name, age = (column.name for column in table.columns)
    async with whole.pool.acquire() as connection:
        await connection.execute(
            f"INSERT INTO {table.rows} (id, created_at, updated_at, permissions, {name}, {age})"
            f" SELECT 'row-' || n, now(), now(), '{{}}', repeat('x', 64), n FROM generate_series(1, {COUNT}) AS n",
            timeout=300,
        )
        await connection.execute(f"VACUUM ANALYZE {table.rows}", timeout=300)


async def measure() -> list[Measure]:
    """Each input against a server of its own."""
    inputs: dict[str, Callable[[aiohttp.ClientSession, dict[str, Any]], Awaitable[object]]] = {
        "16 MiB of arrays to a project that is none": _arrays,
        "16 MiB of a form to a project that is none": _form,
        "16 MiB of arrays in a row, by a key": _row_of_arrays,
        "16 MiB of numbers in rows, by a key": _rows_of_numbers,
        f"{LISTS} lists by a guest, each with other filters": _filters,
        "one list of all rows, 66 MiB, by a guest": _list,
    }
    measures: list[Measure] = []
    for name, send in inputs.items():
        async with serving("tests.bench.costs") as world:
            measures += await _cost(name, send, world)
    return measures


async def _cost(name: str, send: Callable[..., Awaitable[object]], world: dict[str, Any]) -> list[Measure]:
    async with aiohttp.ClientSession(f"http://127.0.0.1:{world['port']}") as http:
        async with http.get("/livez"):
            pass
        Path(f"/proc/{world['pid']}/clear_refs").write_text("5", encoding="ascii")
        cpu, memory = _cpu_s(world["pid"]), _memory_mib(world["pid"], "VmRSS")
        ended = asyncio.Event()
        waiting = asyncio.create_task(_longest_wait(http, ended))
        said = await send(http, world)
        ended.set()
        stall = await waiting
        backends = [_memory_mib(pid, "RssAnon") for pid in _children(world["postgres"])]
        peak = _memory_mib(world["pid"], "VmHWM") - memory
        return [
            at_most(MOST_STALL_MS, name=f"{name}: others wait", value=stall, unit="ms", detail=f"answer: {said}"),
            figure(name=f"{name}: processor", value=_cpu_s(world["pid"]) - cpu, unit="s", detail="of the service"),
            at_most(MOST_MEMORY_MIB, name=f"{name}: memory", value=peak, unit="MiB", detail="of the service, peak"),
            at_most(MOST_BACKEND_MIB, name=f"{name}: backend", value=max(backends), unit="MiB", detail="the largest"),
        ]


async def _longest_wait(http: aiohttp.ClientSession, ended: asyncio.Event) -> float:
    longest = 0.0
    while not ended.is_set():
        started = time.perf_counter()
        async with http.get("/livez"):
            longest = max(longest, (time.perf_counter() - started) * 1000)
    return longest


async def _post(http: aiohttp.ClientSession, path: str, headers: dict[str, str], body: bytes) -> str:
    async def parts() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 64 * 1024):
            yield body[start : start + 64 * 1024]

    kept = {"Content-Type": "application/json", "Content-Length": str(len(body))} | headers
    async with http.post(path, headers=kept, data=parts()) as answer:
        return f"{answer.status} {json.loads(await answer.read()).get('type', '')}"


async def _arrays(http: aiohttp.ClientSession, _: dict[str, Any]) -> str:
    return await _post(http, ROWS, {"X-Appwrite-Project": "nosuch"}, b'{"a":[' + b"[]," * (BODY // 3 - 10) + b"[]]}")


async def _form(http: aiohttp.ClientSession, _: dict[str, Any]) -> str:
    headers = {"X-Appwrite-Project": "nosuch", "Content-Type": "application/x-www-form-urlencoded"}
    return await _post(http, ROWS, headers, b"a=" + b"%41" * (BODY // 3 - 10))


async def _row_of_arrays(http: aiohttp.ClientSession, world: dict[str, Any]) -> str:
    body = b'{"rowId":"r","data":{"name":[' + b"[]," * (BODY // 3 - 100) + b"[]]}}"
    return await _post(http, ROWS, key_headers(world), body)


async def _rows_of_numbers(http: aiohttp.ClientSession, world: dict[str, Any]) -> str:
    array = b"[" + b"1," * (BODY // 200 // ARRAYS - 100) + b"1]"
    row = b"{" + b",".join(b'"c%d":%b' % (n, array) for n in range(ARRAYS)) + b"}"
    path = f"{DATABASE}/tables/arrays/rows"
    return await _post(http, path, key_headers(world), b'{"rows":[' + b",".join([row] * 100) + b"]}")


async def _filters(http: aiohttp.ClientSession, _: dict[str, Any]) -> str:
    chosen, statuses = random.Random(20), set()
    for _ in range(LISTS):
        queries = [json.dumps(_filter(chosen)) for _ in range(chosen.randint(60, 97))]
        query = urlencode([("total", "false"), *((f"queries[{n}]", one) for n, one in enumerate(queries))])
        async with http.get(f"{ROWS}?{query}", headers={"X-Appwrite-Project": PROJECT}) as answer:
            statuses.add(answer.status)
            await answer.read()
    return str(statuses)


def _filter(chosen: random.Random) -> dict[str, Any]:
    method = chosen.choice(["equal", "notEqual", "lessThan", "greaterThan"])
    return {"method": method, "attribute": "age", "values": [chosen.randint(1, COUNT)]}


async def _list(http: aiohttp.ClientSession, _: dict[str, Any]) -> str:
    query = urlencode({"queries[0]": json.dumps({"method": "limit", "values": [2**31 - 1]}), "total": "false"})
    size = 0
    async with http.get(f"{ROWS}?{query}", headers={"X-Appwrite-Project": PROJECT}) as answer:
        async for part in answer.content.iter_any():
            size += len(part)
        return f"{answer.status}, {size // MIB} MiB"


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _memory_mib(pid: int, name: str) -> float:
    with contextlib.suppress(FileNotFoundError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) / 1024
    return 0.0


def _children(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in children.split()]
