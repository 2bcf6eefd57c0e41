"""What an app does with rows all day, each against the same SQL by hand: asyncpg behind a bare handler of aiohttp."""

import contextlib
import itertools
import statistics
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
from aiohttp import web

from services.data.domain.catalogue import Table
from services.data.domain.queries import parse_row_queries
from services.data.store.bulk_rows import insertion
from services.data.store.statements import get_row, list_rows, row_json
from shared.kernel.ids import unique_id
from shared.postgres.pool import Connection
from tests.bench.bare import serve_bare
from tests.bench.load import Target, rounds
from tests.bench.measures import Measure, at_least, median_ratio
from tests.bench.server import serving
from tests.bench.whole import DATABASE, Whole, key_headers, open_whole, user_headers

ROWS = 10_000
BATCH = 100
ROUNDS = 15
ROUND_S = 0.5
GOAL = 0.7

INDEXES = [
    {"key": "by_name", "type": "key", "attributes": ["name"]},
    {"key": "by_age", "type": "key", "attributes": ["age"]},
]
LISTS = {
    "list 25 by an indexed column": ['{"method":"orderAsc","attribute":"name"}'],
    "list 25 with a filter": ['{"method":"equal","attribute":"age","values":[42]}'],
    "list 25 with total": [],
}
"""By what is measured, the queries of a list. The last has its total."""

ByHand = Callable[[Connection, web.BaseRequest], Awaitable[str]]


def path_of(name: str) -> str:
    """Return where a list is asked for; the bare handler knows it by the same path."""
    queries = "".join(f"&queries[{place}]={query}" for place, query in enumerate(LISTS[name]))
    return f"{DATABASE}/tables/rows/rows?total={str(not LISTS[name]).lower()}{queries}".replace('"', "%22")


@contextlib.asynccontextmanager
async def servers() -> AsyncIterator[dict[str, Any]]:
    """Daypass in one process, with a table whose rows one user may read and change; and the bare handler."""
    async with contextlib.AsyncExitStack() as stack:
        whole = await stack.enter_async_context(open_whole(["ada"]))
        table = await whole.make_table("rows", indexes=INDEXES, permissions=['create("users")'])
        await _fill(whole, table)
        yield whole.world | {"bare": await serve_bare(stack, _by_hand(whole, table))}


async def _fill(whole: Whole, table: Table) -> None:
    name, age = (column.name for column in table.columns)
    owned = [f'{action}("user:{whole.users["ada"]}")' for action in ("read", "update", "delete")]
    async with whole.pool.acquire() as connection:
        await connection.execute(
            f"INSERT INTO {table.rows} (id, created_at, updated_at, permissions, {name}, {age})"
            " SELECT 'row-' || n, now(), now(), $1, 'name ' || n, n % 100 FROM generate_series(1, $2::bigint) AS n",
            owned,
            ROWS,
        )
        await connection.execute(
            f"INSERT INTO {table.grants} (action, role, seq, created_at)"
            " SELECT substring(one FROM '^[a-z]+'), substring(one FROM '\"(.*)\"'), seq, created_at"
            f" FROM {table.rows}, unnest(permissions) AS one"
        )
        for relation in (table.rows, table.grants):
            await connection.execute(f"VACUUM ANALYZE {relation}")


def _by_hand(whole: Whole, table: Table) -> Callable[[web.BaseRequest], Awaitable[web.Response]]:
    ada = whole.principal("ada")
    roles, owner = list(ada.roles), f"user:{ada.user_id}"
    reads = [f'read("{role}")' for role in roles]
    owned = [f'{action}("{owner}")' for action in ("read", "update", "delete")]
    name, age = (column.name for column in table.columns)
    json = row_json(table, None)
    hold = f"SELECT version FROM data.tables WHERE n = {table.n} FOR SHARE"
    insert = (
        f"INSERT INTO {table.rows} AS t (id, created_at, updated_at, permissions, {name}, {age})"
        f" VALUES ($1, $2, $2, $3, $4, $5) RETURNING t.seq, {json} AS json"
    )
    many = insertion(table)
    grant = f"INSERT INTO {table.grants} (action, role, seq, created_at) SELECT unnest($1::text[]), $2, $3, $4"
    find = (
        f"SELECT t.seq, {json} AS json, t.permissions && $2::text[] AS may, t.{name} IS NOT DISTINCT FROM $3 AS is_same"
        f" FROM {table.rows} AS t WHERE t.id = $1 FOR UPDATE"
    )
    update = f"UPDATE {table.rows} AS t SET updated_at = $2, {name} = $3 WHERE t.seq = $1 RETURNING {json}"
    get = get_row(table, selected=None, is_open=False)
    lists = {
        path_of(one): list_rows(table, parse_row_queries(queries, table.by_key), roles=roles, with_total=not queries)
        for one, queries in LISTS.items()
    }

    async def create_many(connection: Connection, rows: list[dict[str, Any]]) -> str:
        records = [
            {"place": place, "id": unique_id(), "permissions": [], name: row["name"], age: row["age"]}
            for place, row in enumerate(rows)
        ]
        async with connection.transaction():
            await connection.fetchval(hold)
            shown = await connection.fetchval(many, msgspec.json.encode(records).decode(), datetime.now(UTC))
        return f'{{"total":{len(rows)},"rows":[{shown}]}}'

    async def create(connection: Connection, request: web.BaseRequest) -> str:
        given = msgspec.json.decode(await request.read())
        if "rows" in given:
            return await create_many(connection, given["rows"])
        now = datetime.now(UTC)
        async with connection.transaction():
            await connection.fetchval(hold)
            data = given["data"]
            made = await connection.fetchrow(insert, unique_id(), now, owned, data["name"], data["age"])
            assert made is not None
            await connection.execute(grant, ["read", "update", "delete"], owner, made["seq"], now)
        return str(made["json"])

    async def change(connection: Connection, request: web.BaseRequest) -> str:
        given = msgspec.json.decode(await request.read())["data"]["name"]
        async with connection.transaction():
            await connection.fetchval(hold)
            found = await connection.fetchrow(find, request.path.rpartition("/")[2], reads, given)
            assert found is not None
            return str(await connection.fetchval(update, found["seq"], datetime.now(UTC), given))

    async def read(connection: Connection, request: web.BaseRequest) -> str:
        if request.raw_path in lists:
            text, values = lists[request.raw_path]
            found = await connection.fetchrow(text, *values)
            assert found is not None
            return f'{{"total":{found["total"]},"rows":[{found["rows"]}]}}'
        row = request.path.rpartition("/")[2]
        return str(await connection.fetchval(get, table.version, row, reads, column=1))

    by_method: dict[str, ByHand] = {"POST": create, "PATCH": change, "GET": read}

    async def handle(request: web.BaseRequest) -> web.Response:
        async with whole.pool.acquire() as connection:
            body = await by_method[request.method](connection, request)
        return web.Response(body=body.encode(), content_type="application/json")

    return handle


async def measure() -> list[Measure]:
    """Requests per second of both, by turns, for each of these."""
    async with serving("tests.bench.crud") as world:
        headers = user_headers(world, "ada")
        ports = (world["port"], world["bare"])
        rows = f"{DATABASE}/tables/rows/rows"
        numbers = itertools.count()

        def row_path() -> str:
            return f"{rows}/row-{next(numbers) * 7 % ROWS + 1}"

        def new_row() -> str:
            return f'{{"rowId":"unique()","data":{{"name":"name {next(numbers)}","age":{next(numbers) % 100}}}}}'

        def new_rows() -> str:
            made = (f'{{"name":"name {next(numbers)}","age":{next(numbers) % 100}}}' for _ in range(BATCH))
            return f'{{"rows":[{",".join(made)}]}}'

        def new_name() -> str:
            return f'{{"data":{{"name":"new name {next(numbers)}"}}}}'

        reads = {"get a row": f"{rows}/row-5"} | {name: path_of(name) for name in LISTS}
        measured = [
            await _compare(name, [Target.get(port, path, headers) for port in ports]) for name, path in reads.items()
        ]
        updates = [Target.sending("PATCH", port, headers, row_path, new_name) for port in ports]
        creates = [Target.sending("POST", port, headers, lambda: rows, new_row) for port in ports]
        by_key = key_headers(world)
        batches = [Target.sending("POST", port, by_key, lambda: rows, new_rows) for port in ports]
        return [
            *measured,
            await _compare("update a row", updates),
            await _compare("create a row", creates),
            await _compare(f"create {BATCH} rows at once", batches),
        ]


async def _compare(name: str, targets: list[Target]) -> Measure:
    found = await rounds(targets, count=ROUNDS, seconds=ROUND_S)
    rates = "/".join(f"{statistics.median(column):.0f}" for column in zip(*found, strict=True))
    detail = f"median of {ROUNDS} rounds; {rates} per s"
    return at_least(GOAL, name=f"{name}, over the same SQL by hand", value=median_ratio(found), detail=detail)
