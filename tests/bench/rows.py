"""Rows: what authentication costs, what the layers above SQL cost, and whether lists stay flat as tables grow."""

import asyncio
import contextlib
import statistics
from collections.abc import AsyncIterator, Sequence
from typing import Any

from aiohttp import ClientSession, web

from services.auth.composition import open_auth
from services.auth.settings import Settings as AuthSettings
from services.data.composition import open_data
from services.data.domain.catalogue import Table
from services.data.domain.queries import parse_row_queries
from services.data.settings import Settings as DataSettings
from services.data.store import catalogue as store
from services.data.store.statements import get_row, list_rows
from services.token.composition import open_token
from services.token.settings import Settings as TokenSettings
from shared.contracts.administration import CreateKey, CreateProject
from shared.contracts.principal import Kind, Principal
from shared.guard.guard import Guard
from shared.guard.resolver import BusResolver
from shared.kernel.loops import running
from shared.kernel.settings import Secret
from shared.messaging.bus import Bus
from shared.messaging.wire import open_client
from shared.postgres.pool import Pool, open_pool
from shared.web.app import WebApp
from tests.bench.guards import KnownGuard
from tests.bench.load import Target, rounds
from tests.bench.measures import Measure, at_least, at_most, median_ratio
from tests.bench.server import serving
from tests.parts import open_parts

SIZES = (10_000, 100_000, 1_000_000)
READERS = {"few": 10, "some": 1_000, "all": None}
"""How many rows of each table a reader may see; None: all."""

PROJECT = "bench"
ROUNDS = 25
ROUND_S = 0.4
CELL_S = 0.15


@contextlib.asynccontextmanager
async def servers() -> AsyncIterator[dict[str, Any]]:
    """Daypass in one process; the same without authentication; and the same SQL behind a bare handler."""
    async with contextlib.AsyncExitStack() as stack:
        parts = await stack.enter_async_context(open_parts())
        database = await parts.new_database()
        valkey = await stack.enter_async_context(parts.valkey())
        redis = open_client(valkey.url("auth"), name="bench")
        stack.push_async_callback(redis.aclose)
        bus = Bus(redis=redis, service="auth")
        stack.push_async_callback(bus.close)
        guard = Guard(service="auth", redis_url=valkey.url("auth"), resolver=BusResolver(bus))

        def urls(service: str) -> dict[str, Secret]:
            return {"database_url": Secret(database.dsn(service)), "redis_url": Secret(valkey.url(service))}

        key = Secret("a master key for benchmarks only, 0123456789")
        opened = [
            await stack.enter_async_context(open_auth(AuthSettings(**urls("auth")), guard=guard, is_alone=True)),
            await stack.enter_async_context(open_token(TokenSettings(**urls("token"), master_key=key), guard=guard)),
            await stack.enter_async_context(open_data(DataSettings(**urls("data")), guard=guard)),
        ]
        await stack.enter_async_context(running([guard.run()]))
        await guard.reader.until_leased(20)
        app = WebApp([part for service in opened for part in service.parts], guard=guard)
        port = await app.start(("127.0.0.1", 0))
        stack.push_async_callback(app.stop)
        world = await _fill(port, bus, database.dsn("data"))
        pool = await open_pool(database.dsn("data"), name="bench", most=24)
        stack.push_async_callback(pool.close)
        reader = f"user:{world['users']['all']}"
        roles = ("any", "users", "users/unverified", reader, f"{reader}/unverified")
        principal = Principal(project=PROJECT, kind=Kind.JWT, roles=roles, user="all")
        plain = WebApp(opened[2].parts, guard=KnownGuard(principal))
        world["plain"] = await plain.start(("127.0.0.1", 0))
        stack.push_async_callback(plain.stop)
        world["bare"] = await _serve_bare(stack, pool, world, list(principal.roles))
        yield world | {"port": port}


async def _serve_bare(stack: contextlib.AsyncExitStack, pool: Pool, world: dict[str, Any], roles: list[str]) -> int:
    table = await _table(pool, SIZES[0])
    get_text = get_row(table, selected=None, is_open=False)
    list_text, list_values = list_rows(table, parse_row_queries([], table), roles=roles, with_total=False)
    reads = [f'read("{role}")' for role in roles]

    async def handle(request: web.BaseRequest) -> web.Response:
        async with pool.acquire() as connection:
            if request.path.endswith("/rows"):
                found = await connection.fetchrow(list_text, *list_values)
                body = f'{{"total":0,"rows":[{found["rows"]}]}}'  # type: ignore[index] # one row always
            else:
                body = await connection.fetchval(get_text, table.version, world["row"], reads, column=1)
        return web.Response(body=body.encode(), content_type="application/json")

    server = web.Server(handle)
    listener = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
    stack.callback(listener.close)
    return int(listener.sockets[0].getsockname()[1])


async def _table(pool: Pool, size: int) -> Table:
    async with pool.acquire() as connection:
        database = await store.get_database(connection, PROJECT, PROJECT)
        return await store.get_table(connection, database, f"rows{size}")


async def _fill(port: int, bus: Bus, dsn: str) -> dict[str, Any]:
    """Make users with a JWT each, and tables with rows, the latter by SQL."""
    await bus.ask(CreateProject(id=PROJECT, name=PROJECT), timeout_s=15)
    key = (await bus.ask(CreateKey(project=PROJECT, name=PROJECT), timeout_s=15)).keys[0].secret
    headers = {"X-Appwrite-Project": PROJECT, "X-Appwrite-Key": key}
    world: dict[str, Any] = {"users": {}, "jwts": {}}
    async with ClientSession(f"http://127.0.0.1:{port}", headers=headers) as http:

        async def post(path: str, **body: object) -> Any:
            async with http.post("/v1" + path, json=body) as answer:
                assert answer.status in {201, 202}, await answer.text()
                return await answer.json()

        for reader in READERS:
            user = world["users"][reader] = (await post("/users", userId="unique()"))["$id"]
            await post(f"/users/{user}/sessions")
            world["jwts"][reader] = (await post(f"/users/{user}/jwts"))["jwt"]
        await post("/tablesdb", databaseId=PROJECT, name=PROJECT)
        columns = [{"key": "name", "type": "varchar", "size": 64}, {"key": "age", "type": "integer"}]
        for size in SIZES:
            named = {"tableId": f"rows{size}", "name": "rows", "rowSecurity": True, "columns": columns}
            await post(f"/tablesdb/{PROJECT}/tables", **named)
    pool = await open_pool(dsn, name="bench-fill")
    for size in SIZES:
        await _fill_table(pool, await _table(pool, size), size, world["users"])
    await pool.close()
    return world | {"row": "row-5"}


async def _fill_table(pool: Pool, table: Table, size: int, users: dict[str, str]) -> None:
    grants = " || ".join(
        f"CASE WHEN n % {size // (count or size)} = 0 THEN ARRAY['read(\"user:{users[reader]}\")'] ELSE '{{}}' END"
        for reader, count in READERS.items()
    )
    name, age = (column.name for column in table.columns)
    async with pool.acquire() as connection:
        await connection.execute("SET statement_timeout = 0")
        await connection.execute(
            f"INSERT INTO {table.rows} (id, created_at, updated_at, permissions, {name}, {age})"
            f" SELECT 'row-' || n, now(), now(), {grants}, 'name ' || n, n % 100 FROM generate_series(1, {size}) AS n",
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
    headers = {"X-Appwrite-Project": PROJECT, "X-Appwrite-JWT": world["jwts"]["all"]}
    rows = f"/v1/tablesdb/{PROJECT}/tables/rows{SIZES[0]}/rows"
    get = f"{rows}/{world['row']}"
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
                headers = {"X-Appwrite-Project": PROJECT, "X-Appwrite-JWT": world["jwts"][reader]}
                path = f"/v1/tablesdb/{PROJECT}/tables/rows{size}/rows?total={total}"
                targets.append(Target.get(world["port"], path, headers))
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
