"""Lists of more than 1,000 rows, which are sent in parts."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import urlencode

import aiohttp
import msgspec
import pytest

from services.data.store.catalogue import get_database, get_table
from tests.accounts import GUEST, Headers
from tests.eventually import eventually
from tests.integration.data.api import OLD_WORDS, TEXT, Api, TableApi, query

COUNT = 2_500
KIB = 1024
MANY = query("limit", None, 2**31 - 1)


async def filled(api: Api, *, count: int, size: int, permissions: list[str]) -> TableApi:
    """Make a table with row security, and so many rows, each with a text of so many characters and its place in it."""
    made = await api.new_table(columns=[TEXT | {"type": "longtext"}], rowSecurity=True, permissions=permissions)
    async with api.pool.acquire() as connection:
        database = await get_database(connection, api.accounts.projects["library"], made.database)
        table = await get_table(connection, database, made.table)
        await connection.execute(
            f"INSERT INTO {table.rows} (id, created_at, updated_at, permissions, {table.columns[0].name})"
            " SELECT 'row-' || n, now(), now(), ARRAY['read(\"users\")'], rpad(n || ' ', $2, 'x')"
            " FROM generate_series(1, $1::int) AS n",
            count,
            size,
        )
        await connection.execute(
            f"INSERT INTO {table.grants} (action, role, seq, created_at)"
            f" SELECT 'read', 'users', seq, created_at FROM {table.rows}"
        )
    return made


@pytest.fixture(scope="module")
async def rows(api: Api) -> TableApi:
    """Small rows; no test changes them."""
    return await filled(api, count=COUNT, size=20, permissions=[])


@pytest.fixture(scope="module")
async def large(api: Api) -> TableApi:
    """A page of 40 MiB, more than buffers hold between a service and its client, open to everybody."""
    return await filled(api, count=2_000, size=20 * KIB, permissions=['read("any")'])


@pytest.fixture
def ada(api: Api) -> Headers:
    return api.accounts.sign_in(api.new_id("ada"))


@contextlib.asynccontextmanager
async def begun(table: TableApi, caller: Headers) -> AsyncIterator[aiohttp.ClientResponse]:
    """Ask for all rows, and take no more than the first of them, over a connection of its own."""
    url = f"{table.api.urls[0]}/v1/tablesdb{table.path}/rows?{urlencode({'queries[0]': MANY})}"
    await table.api.guards[0].reader.until_leased(20)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as http:
        answer = await http.get(url, headers={"X-Appwrite-Project": "library"} | caller)
        try:
            yield answer
        finally:
            answer.close()


async def test_a_long_list_may_be_counted_or_not_on_the_same_connection(rows: TableApi, ada: Headers) -> None:
    asked = [{"queries": [query("limit", None, 2_000)], "total": total} for total in (True, False) * 12]
    answers = [await rows.call("GET", "/rows", ada, one) for one in asked]

    assert {answer.status for answer in answers} == {200}


async def test_lists_for_guests_leave_connections_for_others(api: Api, rows: TableApi, ada: Headers) -> None:
    stuck = await filled(api, count=1, size=20, permissions=['read("any")'])
    async with api.pool.acquire() as connection:
        database = await get_database(connection, api.accounts.projects["library"], stuck.database)
        table = await get_table(connection, database, stuck.table)
        async with connection.transaction():
            await connection.execute(f"LOCK TABLE {table.rows}")
            guests = [asyncio.create_task(stuck.list(caller=GUEST)) for _ in range(60)]
            try:
                async with asyncio.timeout(10):
                    assert (await rows.list(caller=ada)).status == 200
            finally:
                for guest in guests:
                    guest.cancel()
                await asyncio.gather(*guests, return_exceptions=True)


SHAPES = [
    [],
    [query("orderDesc", "text")],
    [query("orderDesc", "$createdAt"), query("orderAsc", "text")],
    [query("greaterThan", "text", "2")],
    [query("offset", None, 3)],
    [query("cursorAfter", None, "row-1000")],
    [query("cursorBefore", None, "row-2400")],
    [query("select", None, "text")],
    [query("equal", "text", "none")],
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("by", ["ada", "key"])
async def test_a_long_page_is_what_short_ones_join_to(rows: TableApi, ada: Headers, shape: list[str], by: str) -> None:
    caller = ada if by == "ada" else rows.api.key
    long = await rows.list(*shape, query("limit", None, COUNT + 1), caller=caller)
    short = await rows.list(*shape, query("limit", None, 1000), caller=caller)

    assert long.status == 200
    assert long.json["total"] == short.json["total"]
    if not any("cursorBefore" in one for one in shape):
        assert long.json["rows"][:1000] == short.json["rows"]
        after = short.json["rows"]
        offset = 1000 + (3 if any("offset" in one for one in shape) else 0)
        rest = [one for one in shape if "offset" not in one]
        while len(
            page := (
                await rows.list(*rest, query("limit", None, 1000), query("offset", None, offset), caller=caller)
            ).json["rows"]
        ):
            after, offset = after + page, offset + len(page)
        assert long.json["rows"] == after
    else:
        assert long.json["rows"][-1000:] == short.json["rows"]
        assert len(long.json["rows"]) == 2399


async def test_a_page_is_as_long_as_it_is_said_to_be(rows: TableApi, ada: Headers) -> None:
    for limit in (999, 1000, 1001, 1100, 2047, COUNT, COUNT + 1):
        found = await rows.found(query("limit", None, limit), caller=ada)
        assert found == [f"row-{number}" for number in range(1, min(limit, COUNT) + 1)]


async def test_the_older_api_names_it_in_its_words(rows: TableApi) -> None:
    older = replace(rows, api=replace(rows.api, service="databases", old_words=OLD_WORDS))

    answer = await older.list(MANY)

    assert len(answer.json["rows"]) == COUNT
    assert answer.json["rows"][0]["$collectionId"] == rows.table


@pytest.mark.parametrize(
    ("queries", "error"),
    [
        ([query("cursorAfter", None, "nowhere")], (400, "general_cursor_not_found")),
        ([query("equal", "other", 1)], (400, "general_query_invalid")),
    ],
)
async def test_an_error_of_a_long_list_is_answered_as_that_of_a_short_one(
    rows: TableApi, queries: list[str], error: tuple[int, str]
) -> None:
    assert (await rows.list(*queries, MANY)).said == error
    assert (await rows.list(*queries)).said == error


async def test_no_rows_are_an_empty_page(api: Api) -> None:
    table = await api.new_table(permissions=['read("any")'])

    assert (await table.list(MANY)).json == {"total": 0, "rows": []}


async def test_a_long_list_is_made_by_the_definition_of_now(api: Api) -> None:
    table = await filled(api, count=1_100, size=20, permissions=['read("any")'])
    assert len(await table.found(MANY)) == 1_100
    assert (
        await table.call("POST", "/columns/boolean", body={"key": "more", "required": False}, replica=1)
    ).status == 202

    assert (await table.found(MANY, column="more")) == [None] * 1_100


async def test_a_caller_who_is_revoked_in_mid_list_gets_no_more_of_it(api: Api, large: TableApi, ada: Headers) -> None:
    async with begun(large, ada) as answer:
        await answer.content.readexactly(KIB)
        at = api.guards[0].cache.position
        await api.accounts.tell(api.accounts.session_subject(ada))
        await eventually(lambda: api.guards[0].cache.position > at, True)

        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.read()


async def test_a_list_that_nobody_takes_holds_up_no_change_of_its_table(api: Api, ada: Headers) -> None:
    table = await filled(api, count=2_000, size=20 * KIB, permissions=['read("any")'])
    async with begun(table, ada) as answer:
        first = await answer.content.readexactly(KIB)

        made = await table.call("POST", "/columns/boolean", body={"key": "more", "required": False})
        dropped = await table.call("DELETE", "/columns/text")

        assert (made.status, dropped.status) == (202, 204)
        listed = msgspec.json.decode(first + await answer.read())
        assert len(listed["rows"]) == 2_000


async def test_guests_take_few_long_lists_at_once_and_keep_nobody_else_out(large: TableApi, ada: Headers) -> None:
    async def status(caller: Headers) -> int:
        async with begun(large, caller) as answer:
            return answer.status

    async with contextlib.AsyncExitStack() as stack:
        for _ in range(2):
            answer = await stack.enter_async_context(begun(large, GUEST))
            assert answer.status == 200
        async with begun(large, GUEST) as refused:
            assert refused.status == 503
            assert msgspec.json.decode(await refused.read())["type"] == "general_busy"
        assert await status(ada) == 200

    await eventually(lambda: status(GUEST), 200)
