"""Reading rows, side by side with PocketBase: the same rows, the same rule, one signed-in reader, the same clients.

The rule is that a reader sees the rows of its own: here a permission of each row for one user, there an indexed
relation to one, which is the fastest form of it there. One process of Daypass and its PostgreSQL stand against one
process of PocketBase, which has SQLite inside; both may use all cores.
"""

import asyncio
import contextlib
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import ClientSession

from services.data.domain.catalogue import Table
from tests.bench.authority import post
from tests.bench.load import Target, rounds
from tests.bench.measures import Measure, at_least, median_ratio
from tests.bench.server import serving
from tests.bench.whole import DATABASE, Whole, open_whole, user_headers

ROWS, OWN = 100_000, 10_000
"""Rows of the table, and how many of them the reader may see: every tenth."""

ROUNDS = 15
ROUND_S = 0.5
GOAL = 2

PASSWORD = "a password for benchmarks only"
ROW = f"{5 * ROWS // OWN:015}"
"""The id of a row that the reader may see."""

RULE = "owner = @request.auth.id"
SCHEMA = {
    "name": "rows",
    "type": "base",
    "listRule": RULE,
    "viewRule": RULE,
    "indexes": ["CREATE INDEX by_owner ON rows (owner)"],
    "fields": [
        {"name": "name", "type": "text"},
        {"name": "age", "type": "number"},
        {"name": "created", "type": "autodate", "onCreate": True},
        {"name": "updated", "type": "autodate", "onCreate": True, "onUpdate": True},
    ],
}


@contextlib.asynccontextmanager
async def servers() -> AsyncIterator[dict[str, Any]]:
    """Daypass in one process, with the rows."""
    async with open_whole(["ada", "bob"]) as whole:
        await _fill(whole, await whole.make_table("rows"))
        yield whole.world


async def _fill(whole: Whole, table: Table) -> None:
    name, age = (column.name for column in table.columns)
    owner = f"""CASE WHEN n % {ROWS // OWN} = 0 THEN '{whole.users["ada"]}' ELSE '{whole.users["bob"]}' END"""
    async with whole.pool.acquire() as connection:
        await connection.execute("SET statement_timeout = 0")
        await connection.execute(
            f"INSERT INTO {table.rows} (id, created_at, updated_at, permissions, {name}, {age})"
            f" SELECT lpad(n::text, 15, '0'), now(), now(), ARRAY['read(\"user:' || {owner} || '\")'],"
            f" 'name ' || n, n % 100 FROM generate_series(1, {ROWS}) AS n"
        )
        await connection.execute(
            f"INSERT INTO {table.grants} (action, role, seq, created_at) SELECT 'read', substring(one FROM '\"(.*)\"'),"
            f" seq, created_at FROM {table.rows}, unnest(permissions) AS one"
        )
        for relation in (table.rows, table.grants):
            await connection.execute(f"VACUUM ANALYZE {relation}")


@contextlib.asynccontextmanager
async def _pocketbase() -> AsyncIterator[dict[str, Any]]:
    """PocketBase, with the rows: yields its port and the reader's token."""
    program = Path(sys.executable).with_name("pocketbase")
    with tempfile.TemporaryDirectory(prefix="daypass-bench-") as name:
        folder = Path(name) / "data"  # PocketBase writes beside it, too
        superuser = await asyncio.create_subprocess_exec(
            program, "superuser", "upsert", "root@example.com", PASSWORD, f"--dir={folder}", stdout=subprocess.DEVNULL
        )
        assert await superuser.wait() == 0
        async with _running(program, folder) as port:
            users = await _make_schema(port)
        _fill_pocketbase(folder / "data.db", users)
        async with _running(program, folder) as port, ClientSession(f"http://127.0.0.1:{port}") as http:
            signed_in = await _sign_in(http, "users", "ada@example.com")
            yield {"port": port, "token": signed_in["token"]}


@contextlib.asynccontextmanager
async def _running(program: Path, folder: Path) -> AsyncIterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        program, "serve", f"--http=127.0.0.1:{port}", f"--dir={folder}", stdout=subprocess.DEVNULL
    )
    try:
        await _until_ready(port)
        yield port
    finally:
        process.terminate()
        await process.wait()


async def _until_ready(port: int) -> None:
    async with asyncio.timeout(30), ClientSession() as http:
        while True:
            with contextlib.suppress(aiohttp.ClientConnectionError):
                async with http.get(f"http://127.0.0.1:{port}/api/health") as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(0.05)


async def _make_schema(port: int) -> dict[str, str]:
    async with ClientSession(f"http://127.0.0.1:{port}") as http:
        root = await _sign_in(http, "_superusers", "root@example.com")
        http.headers["Authorization"] = root["token"]
        async with http.get("/api/collections/users") as answer:
            users = (await answer.json())["id"]
        owner = {"name": "owner", "type": "relation", "collectionId": users, "maxSelect": 1}
        await post(http, "/api/collections", **SCHEMA | {"fields": [*SCHEMA["fields"], owner]})
        made = {}
        for name in ("ada", "bob"):
            named = {"email": f"{name}@example.com", "password": PASSWORD, "passwordConfirm": PASSWORD}
            made[name] = (await post(http, "/api/collections/users/records", **named))["id"]
        return made


async def _sign_in(http: ClientSession, collection: str, email: str) -> Any:
    body = {"identity": email, "password": PASSWORD}
    return await post(http, f"/api/collections/{collection}/auth-with-password", **body)


def _fill_pocketbase(file: Path, users: dict[str, str]) -> None:
    now = "2026-01-01 00:00:00.000Z"
    step = ROWS // OWN
    rows = (
        (f"{n:015}", f"name {n}", n % 100, users["bob" if n % step else "ada"], now, now) for n in range(1, ROWS + 1)
    )
    with contextlib.closing(sqlite3.connect(file)) as database, database:
        database.executemany(
            "INSERT INTO rows (id, name, age, owner, created, updated) VALUES (?, ?, ?, ?, ?, ?)", rows
        )
        database.execute("ANALYZE")


async def measure() -> list[Measure]:
    """Requests per second of both, by turns."""
    async with serving("tests.bench.pocketbase") as ours, _pocketbase() as theirs:
        rows, records = f"{DATABASE}/tables/rows/rows", "/api/collections/rows/records"
        asked = {
            "get a row": (f"{rows}/{ROW}", f"{records}/{ROW}"),
            "list 25": (f"{rows}?total=false", f"{records}?perPage=25&skipTotal=1"),
            "list 25 with total": (rows, f"{records}?perPage=25"),
        }
        headers = (user_headers(ours, "ada"), {"Authorization": theirs["token"]})
        ports = (ours["port"], theirs["port"])
        return [
            await _compare(name, [Target.get(*one) for one in zip(ports, paths, headers, strict=True)])
            for name, paths in asked.items()
        ]


async def _compare(name: str, targets: list[Target]) -> Measure:
    found = await rounds(targets, count=ROUNDS, seconds=ROUND_S)
    rates = "/".join(f"{statistics.median(column):.0f}" for column in zip(*found, strict=True))
    detail = f"median of {ROUNDS} rounds, reader of {OWN} of {ROWS} rows; {rates} per s"
    return at_least(GOAL, name=f"{name}, over PocketBase", value=median_ratio(found), detail=detail)
