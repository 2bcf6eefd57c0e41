"""Lists of rows over HTTP: filters, orders, pages, cursors, selections and their limits."""

from typing import Any

import pytest

from tests.accounts import GUEST
from tests.integration.data.api import Api, TableApi, query

BAD_QUERY = (400, "general_query_invalid")

COLUMNS = [
    {"key": "title", "type": "varchar", "size": 64},
    {"key": "year", "type": "integer"},
    {"key": "rating", "type": "double"},
    {"key": "seen", "type": "boolean"},
    {"key": "shown", "type": "datetime"},
    {"key": "actors", "type": "varchar", "size": 64, "array": True},
    {"key": "numbers", "type": "integer", "array": True},
]
FILMS: list[dict[str, Any]] = [
    {"title": "Alien", "year": 1979, "rating": 8.5, "seen": True, "shown": "1979-05-25", "actors": ["Weaver", "Hurt"]},
    {"title": "Brazil", "year": 1985, "rating": 7.8, "seen": False, "shown": "1985-02-20", "actors": ["Pryce"]},
    {"title": "Captain America", "year": 2011, "actors": ["Chris Evans", "Tom Holland"], "numbers": [1, 2]},
    {"title": "50% off_x", "year": None, "rating": 1.0, "seen": False, "numbers": [3]},
    {"title": "alien", "year": 1979, "rating": 8.5},
]


def q(method: str, attribute: str | None = None, *values: Any) -> str:
    return query(method, attribute, *values)


@pytest.fixture(scope="module")
async def films(api: Api) -> TableApi:
    """A table of films, open to all; no test changes it."""
    table = await api.new_table(columns=COLUMNS, permissions=['read("any")'])
    for film in FILMS:
        await table.new_row(film)
    return table


def filter_(method: str, attribute: str, *values: Any) -> dict[str, Any]:
    return {"method": method, "attribute": attribute, "values": list(values)}


def one_of(*years: int) -> str:
    return q("or", None, *(filter_("equal", "year", year) for year in years))


async def test_conditions_are_bounded_together(films: TableApi) -> None:
    plain = [q("notEqual", "year", 1)] * 99
    nested = [one_of(*range(49)), one_of(*range(48))]

    assert (await films.list(*plain, q("notEqual", "year", 2))).status == 200
    assert (await films.list(*nested, q("notEqual", "year", 1))).status == 200
    assert (await films.list(*plain, one_of(1, 2))).said == BAD_QUERY
    assert (await films.list(*nested, *plain[:2])).said == BAD_QUERY


async def test_orders_are_bounded_and_a_column_counts_once(films: TableApi) -> None:
    by_year = await films.found(q("orderDesc", "year"), column="title")

    assert await films.found(q("orderDesc", "year"), q("orderAsc", "year"), column="title") == by_year
    assert (await films.list(*[q("orderAsc", "title")] * 32)).status == 200
    assert (await films.list(*[q("orderAsc", "title")] * 33)).said == BAD_QUERY


async def test_rows_are_found_by_their_sequence(films: TableApi) -> None:
    """As text or as number. A row whose first try was not committed leaves a gap, so no number is known beforehand."""
    rows = (await films.call("GET", "/rows")).json["rows"]
    second, third = rows[1]["$sequence"], rows[2]["$sequence"]

    found = await films.found(q("equal", "$sequence", second, int(third)), column="title")
    assert found == [rows[1]["title"], rows[2]["title"]]


@pytest.mark.parametrize(
    ("queries", "expected"),
    [
        ([], [0, 1, 2, 3, 4]),
        ([q("equal", "title", "Alien")], [0]),
        ([q("equal", "year", 1979, 2011)], [0, 2, 4]),
        ([q("equal", "seen", False)], [1, 3]),
        ([q("equal", "rating", 1)], [3]),
        ([q("equal", "shown", "1985-02-20T00:00:00Z")], [1]),
        ([q("notEqual", "year", 1979)], [1, 2]),
        ([q("lessThan", "year", 1985)], [0, 4]),
        ([q("lessThanEqual", "year", 1985)], [0, 1, 4]),
        ([q("greaterThan", "rating", 7.8)], [0, 4]),
        ([q("greaterThanEqual", "rating", 7.8)], [0, 1, 4]),
        ([q("greaterThan", "shown", "1980-01-01")], [1]),
        ([q("greaterThan", "title", "Brazil")], [2, 4]),
        ([q("between", "year", 1979, 1985)], [0, 1, 4]),
        ([q("between", "shown", "1979-05-25", "1985-02-20")], [0, 1]),
        ([q("isNull", "year")], [3]),
        ([q("isNotNull", "shown")], [0, 1]),
        ([q("isNull", "numbers")], [0, 1, 4]),
        ([q("startsWith", "title", "Al")], [0]),
        ([q("startsWith", "title", "")], [0, 1, 2, 3, 4]),
        ([q("endsWith", "title", "rica")], [2]),
        ([q("contains", "title", "li")], [0, 4]),
        ([q("contains", "title", "%")], [3]),
        ([q("contains", "title", "f_")], [3]),
        ([q("contains", "title", "Braz", "Captain")], [1, 2]),
        ([q("contains", "actors", "Tom")], []),
        ([q("contains", "actors", "Tom Holland")], [2]),
        ([q("contains", "actors", "Tom Holland", "Pryce")], [1, 2]),
        ([q("contains", "numbers", 1)], [2]),
        ([q("containsAny", "actors", "Hurt", "Pryce")], [0, 1]),
        ([q("containsAny", "title", "Braz", "Captain")], [1, 2]),
        ([q("containsAll", "actors", "Weaver", "Hurt")], [0]),
        ([q("containsAll", "actors", "Weaver", "Pryce")], []),
        ([q("notContains", "actors", "Hurt", "Pryce")], [2]),
        ([q("notContains", "numbers", 1)], [3]),
        ([q("notContains", "title", "li", "off")], [1, 2]),
        ([q("notBetween", "year", 1980, 1990)], [0, 2, 4]),
        ([q("notStartsWith", "title", "Al")], [1, 2, 3, 4]),
        ([q("notEndsWith", "title", "en")], [1, 2, 3]),
        ([q("notBetween", "shown", "1979-05-25", "1980-01-01")], [1]),
        ([q("equal", "year", 1979), q("contains", "title", "A")], [0]),
        ([q("or", None, filter_("equal", "year", 2011), filter_("equal", "seen", True))], [0, 2]),
        ([q("and", None, filter_("equal", "year", 1979), filter_("isNull", "seen"))], [4]),
        (
            [
                q(
                    "or",
                    None,
                    filter_("equal", "title", "Brazil"),
                    {"method": "and", "values": [filter_("equal", "year", 1979), filter_("equal", "seen", True)]},
                )
            ],
            [0, 1],
        ),
        ([q("greaterThan", "$createdAt", "2020-01-01")], [0, 1, 2, 3, 4]),
        ([q("lessThan", "$updatedAt", "2020-01-01")], []),
        ([q("orderDesc", "title")], [4, 2, 1, 0, 3]),
        ([q("orderAsc", "year")], [3, 0, 4, 1, 2]),
        ([q("orderDesc", "year")], [2, 1, 0, 4, 3]),
        ([q("orderDesc", "year"), q("orderDesc", "title")], [2, 1, 4, 0, 3]),
        ([q("orderDesc", "")], [4, 3, 2, 1, 0]),
        ([q("orderDesc", "$createdAt")], [4, 3, 2, 1, 0]),
        ([q("orderDesc", "$sequence"), q("limit", None, 2)], [4, 3]),
        ([q("limit", None, 2), q("offset", None, 1)], [1, 2]),
        ([q("limit", None, 2), q("limit", None, 1)], [0, 1]),
        ([q("offset", None, 0)], [0, 1, 2, 3, 4]),
        ([q("offset", None, 9)], []),
    ],
    ids=str,
)
@pytest.mark.check("data 81", "data 85", "data 86", "data 87", "data 89", "data 90", "data 92", "data 96")
async def test_a_query_finds_exactly_what_it_says(films: TableApi, queries: list[str], expected: list[int]) -> None:
    assert await films.found(*queries, column="title") == [FILMS[place]["title"] for place in expected]


@pytest.mark.parametrize(
    "bad",
    [
        "nonsense",
        "[]",
        "{}",
        "\x00",
        '"text"',
        '{"method": 1}',
        '{"method": "equal", "attribute": 1, "values": ["a"]}',
        '{"method": "equal", "attribute": "title", "values": "a"}',
        '{"method": "equal", "attribute": "title", "values": ["\\u0000"]}',
        '{"method": "equal", "attribute": "title", "values": ["\\ud800"]}',
        q("equal", "title"),
        q("equal", "unknown", "a"),
        q("equal", "$permissions", "a"),
        q("equal", "$unknown", "a"),
        q("equal", "title", 1),
        q("equal", "title", None),
        q("equal", "title", ["a"]),
        q("equal", "year", "1979"),
        q("equal", "year", 1.5),
        q("equal", "year", 10**30),
        q("equal", "rating", "8.5"),
        q("equal", "rating", 10**400),
        q("equal", "seen", 1),
        q("equal", "shown", "yesterday"),
        q("equal", "$sequence", "x"),
        q("equal", "$id", 1),
        q("equal", "$createdAt", 5),
        q("equal", "title", *(str(n) for n in range(501))),
        q("equal", "actors", "Hurt"),
        q("startsWith", "actors", "H"),
        q("contains", "year", 1),
        q("contains", "numbers", "1"),
        q("contains", "title"),
        q("startsWith", "year", "1"),
        q("between", "year", 1979),
        q("between", "year", 1, 2, 3),
        q("notEqual", "year", 1, 2),
        q("isNull", "unknown"),
        q("regex", "title", "a"),
        q("search", "title", "alien"),
        q("exists", "title"),
        q("equals", "title", "a"),
        q("or", None, filter_("equal", "year", 1)),
        q("or", None, filter_("equal", "year", 1), {"method": "limit", "values": [1]}),
        q("and", None, filter_("equal", "year", 1), "text"),
        q("limit", None, 0),
        q("limit", None, -1),
        q("limit", None, "5"),
        q("limit", None, True),
        q("limit", None, 10**30),
        q("limit"),
        q("offset", None, -1),
        q("cursorAfter", None, "_"),
        q("cursorAfter", None, 5),
        q("orderAsc", "unknown"),
        q("orderDesc", "title.sub"),
        q("select", None, "unknown"),
        q("select", None, "title", "title"),
        q("select", None, 1),
        q("select"),
    ],
    ids=lambda bad: bad[:60],
)
@pytest.mark.check("data 81", "data 82", "data 83", "data 85", "data 88", "data 91", "data 92", "data 97", "data 98")
async def test_a_bad_query_is_refused(films: TableApi, bad: str) -> None:
    answer = await films.list(bad)

    if "\x00" in bad:
        assert answer.said == (400, "general_argument_invalid")
    else:
        assert answer.said == BAD_QUERY
        assert answer.json["message"].startswith("Invalid query")


def nested(depth: int) -> dict[str, Any]:
    inner = filter_("equal", "year", 1979)
    return inner if depth == 0 else {"method": "or", "values": [nested(depth - 1), inner]}


@pytest.mark.check("data 83", "data 84")
async def test_queries_have_limits(films: TableApi) -> None:
    assert (await films.list(*[q("limit", None, 1)] * 100)).said == (200, "")
    assert (await films.list(*[q("limit", None, 1)] * 101)).said == (400, "general_argument_invalid")
    assert (await films.list(q("equal", "title", "x" * 4100))).said == (400, "general_argument_invalid")
    assert (await films.list(q("equal", "year", *range(500)))).said == (200, "")


@pytest.mark.check("data 83")
@pytest.mark.parametrize("method", ["and", "or"])
async def test_logical_queries_nest_as_deep_as_eight(films: TableApi, method: str) -> None:
    deepest, deeper = (q(method, None, *nested(depth)["values"]) for depth in (8, 9))

    assert await films.found(deepest, column="title") == ["Alien", "alien"]
    refused = await films.list(deeper)
    assert refused.said == BAD_QUERY
    assert "nested at most 8 deep" in refused.json["message"]


@pytest.mark.check("data 97")
async def test_ids_can_be_asked_for(films: TableApi) -> None:
    ids = await films.found()

    assert await films.found(q("equal", "$id", ids[3], ids[1], "unknown")) == [ids[1], ids[3]]
    assert await films.found(q("notEqual", "$id", ids[0])) == ids[1:]


@pytest.mark.check("data 81", "data 99")
async def test_a_page_has_25_rows_and_a_total(api: Api) -> None:
    table = await api.new_table()
    for place in range(30):
        await table.new_row({"text": str(place)})

    page = await table.list()
    one = await table.list(q("limit", None, 1))
    uncounted = await table.call("GET", "/rows", body={"total": False})

    assert (len(page.json["rows"]), page.json["total"]) == (25, 30)
    assert (len(one.json["rows"]), one.json["total"]) == (1, 30)
    assert (len(uncounted.json["rows"]), uncounted.json["total"]) == (25, 0)


async def test_a_list_shows_what_is_selected(films: TableApi) -> None:
    system = {"$id", "$sequence", "$createdAt", "$updatedAt", "$permissions", "$databaseId", "$tableId"}
    rows = (await films.list(q("select", None, "title", "$id"), q("select", None, "year"))).json["rows"]

    assert {frozenset(row) for row in rows} == {frozenset(system | {"title", "year"})}


ORDERS = [
    [],
    [q("orderDesc", "")],
    [q("orderDesc", "$createdAt")],
    [q("orderAsc", "$createdAt")],
    [q("orderAsc", "$updatedAt")],
    [q("orderDesc", "$id")],
    [q("orderDesc", "rating")],
    [q("orderAsc", "rating"), q("orderDesc", "title")],
    [q("orderDesc", "rating"), q("orderAsc", "$id")],
]


@pytest.fixture(scope="module")
async def rated(api: Api) -> TableApi:
    """A table whose rows each have a rating, all readable by guests, by row or by table."""
    table = await api.new_table(columns=COLUMNS, rowSecurity=True)
    for place in range(12):
        data = {"title": f"film {place:02}", "rating": place % 3}
        await table.new_row(data, 'read("any")', 'read("guests")')
    await table.new_row({"title": "hidden", "rating": 1})
    return table


@pytest.mark.parametrize("orders", ORDERS, ids=str)
@pytest.mark.parametrize("caller", ["guest", "key"])
@pytest.mark.check("data 93", "data 95")
async def test_cursors_go_on_where_a_page_ends(rated: TableApi, orders: list[str], caller: str) -> None:
    """Forwards and backwards, pages join without gap or overlap."""
    who = GUEST if caller == "guest" else None
    everything = await rated.found(*orders, q("limit", None, 100), caller=who)
    forwards: list[str] = []
    while True:
        after = [q("cursorAfter", None, forwards[-1])] if forwards else []
        page = await rated.list(*orders, *after, q("limit", None, 5), caller=who)
        assert page.json["total"] == len(everything)
        if not page.json["rows"]:
            break
        forwards += [row["$id"] for row in page.json["rows"]]
    before = await rated.found(*orders, q("cursorBefore", None, everything[6]), q("limit", None, 2), caller=who)
    skipped = await rated.found(
        *orders, q("cursorAfter", None, everything[1]), q("offset", None, 2), q("limit", None, 3), caller=who
    )

    assert forwards == everything
    assert len(everything) == (12 if caller == "guest" else 13)
    assert before == everything[4:6]
    assert skipped == everything[4:7]


@pytest.mark.check("data 94")
async def test_a_cursor_must_lead_somewhere(films: TableApi) -> None:
    yearless = (await films.found(q("isNull", "year")))[0]

    assert (await films.list(q("cursorAfter", None, "unknown"))).said == (400, "general_cursor_not_found")
    answer = await films.list(q("orderAsc", "year"), q("cursorAfter", None, yearless))
    assert answer.said == (400, "database_query_order_null")


@pytest.mark.parametrize("method", ["cursorAfter", "cursorBefore"])
@pytest.mark.parametrize("second", ["", "orderAsc", "orderDesc"])
@pytest.mark.parametrize("first", ["orderAsc", "orderDesc"])
async def test_rows_without_a_value_are_paged_too(films: TableApi, first: str, second: str, method: str) -> None:
    """Nulls come first ascending, last descending."""
    orders = [q(first, "year"), *([q(second, "shown")] if second else [])]
    everything = await films.found(*orders)
    ordered = ["year", "shown"] if second else ["year"]
    known = await films.found(*(q("isNotNull", column) for column in ordered))
    for id_ in known:
        at = everything.index(id_)
        expected = everything[at + 1 :] if method == "cursorAfter" else everything[:at]
        assert await films.found(*orders, q(method, None, id_)) == expected


@pytest.mark.parametrize("caller", ["guest", "key"])
@pytest.mark.check("data 100")
async def test_a_total_stops_at_5000(api: Api, caller: str) -> None:
    table = await api.new_table(rowSecurity=True)
    await fill(api, table, 5_001)

    answer = await table.list(q("limit", None, 1), caller=GUEST if caller == "guest" else None)
    filtered = await table.list(
        q("equal", "text", "many"), q("limit", None, 1), caller=GUEST if caller == "guest" else None
    )

    assert answer.json["total"] == filtered.json["total"] == 5_000


async def fill(api: Api, table: TableApi, number: int) -> None:
    """Write many rows that anyone may read, faster than by HTTP."""
    [(n, schema)] = await api.pool.fetch(
        "SELECT tables.n, 'db_' || databases.n FROM data.tables JOIN data.databases ON databases.n = database_n"
        " WHERE tables.id = $1",
        table.table,
    )
    column = await api.pool.fetchval("SELECT n FROM data.columns WHERE table_n = $1", n)
    async with api.pool.acquire() as connection, connection.transaction():
        await connection.execute(
            f"INSERT INTO {schema}.t_{n} (id, created_at, updated_at, permissions, c_{column})"
            " SELECT 'row-' || i, now(), now(), ARRAY['read(\"any\")'], 'many' FROM generate_series(1, $1::int) AS i",
            number,
        )
        await connection.execute(
            f"INSERT INTO {schema}.p_{n} (action, role, seq, created_at)"
            f" SELECT 'read', 'any', seq, created_at FROM {schema}.t_{n}"
        )
