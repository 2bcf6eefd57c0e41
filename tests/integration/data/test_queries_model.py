"""Every query helper: PostgreSQL and the evaluator of `shared.queries.matching` agree on random rows and values."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.data.domain.catalogue import Column
from services.data.domain.columns import INLINE
from services.data.domain.columns.kind import Options
from services.data.domain.queries import fields_of
from shared.kernel.clock import now
from shared.queries.matching import matches
from shared.queries.parser import parse_query
from tests.integration.data.api import Api, Json, TableApi, query

COLUMNS: list[Json] = [
    {"key": "text", "type": "varchar", "size": 64},
    {"key": "number", "type": "integer"},
    {"key": "float", "type": "double"},
    {"key": "truth", "type": "boolean"},
    {"key": "texts", "type": "varchar", "size": 64, "array": True},
    {"key": "numbers", "type": "integer", "array": True},
    {"key": "moment", "type": "datetime"},
]
WORDS = ["", "a", "A", "ab", "ba", "b%", "_", "\\", "é", "e\u0301", "日本", "ab ba", "'"]
VALUES: dict[str, list[Any]] = {
    "text": WORDS,
    "number": [-3, -1, 0, 1, 2, 2**31],
    "float": [-0.5, 0, 0.1, 1e300, 3],
    "truth": [True, False],
    "texts": WORDS,
    "numbers": [-3, 0, 1, 2],
    "moment": ["2024-01-01", "2024-01-01T02:00:00+02:00", "1999-12-31T23:59:59.999Z", "2024-01-01T00:00:00.001+00:00"],
}
ROWS = 60

ARRAYS = {"texts", "numbers"}
DEPTHS = 8

COMPARED = ["notEqual", "lessThan", "lessThanEqual", "greaterThan", "greaterThanEqual"]
BOTH_ENDS = ["between", "notBetween"]
OF_TEXT = ["startsWith", "endsWith", "notStartsWith", "notEndsWith"]
SEVERAL = ["contains", "containsAny", "notContains"]
OF_ARRAYS = [*SEVERAL, "containsAll"]


def filters() -> st.SearchStrategy[Json]:
    """Conditions on one column each, or several joined."""
    one = st.sampled_from(sorted(VALUES)).flatmap(_on_column)
    joined = st.recursive(one, lambda inner: _joined(st.lists(inner, min_size=2, max_size=3)), max_leaves=4)
    return joined | st.lists(one, min_size=2, max_size=DEPTHS + 1).flatmap(_deep)


def _joined(parts: st.SearchStrategy[list[Json]]) -> st.SearchStrategy[Json]:
    return st.builds(lambda method, parts: {"method": method, "values": parts}, st.sampled_from(["and", "or"]), parts)


def _deep(leaves: list[Json]) -> st.SearchStrategy[Json]:
    """Return conditions each of which stands one deeper than the one before."""
    deep = st.just(leaves[0])
    for leaf in leaves[1:]:
        deep = _joined(st.tuples(deep, st.just(leaf)).map(list))
    return deep


def _on_column(key: str) -> st.SearchStrategy[Json]:
    value = st.sampled_from(VALUES[key])
    several = st.lists(value, min_size=1, max_size=3)
    values = {"isNull": st.just([]), "isNotNull": st.just([])}
    if key in ARRAYS:
        values |= dict.fromkeys(OF_ARRAYS, several)
    else:
        values |= dict.fromkeys(COMPARED, st.tuples(value).map(list)) | {"equal": several}
        values |= dict.fromkeys(BOTH_ENDS, st.tuples(value, value).map(list))
    if key == "text":
        values |= dict.fromkeys(OF_TEXT, st.tuples(value).map(list)) | dict.fromkeys(SEVERAL, several)
    return st.sampled_from(sorted(values)).flatmap(
        lambda method: values[method].map(lambda found: {"method": method, "attribute": key, "values": found})
    )


FIELDS = fields_of(
    {
        one["key"]: Column(
            n=n,
            key=one["key"],
            kind_name=INLINE[one["type"]],
            options=Options(),
            required=False,
            default=None,
            array=one.get("array", False),
            created_at=now(),
            updated_at=now(),
        )
        for n, one in enumerate(COLUMNS, 1)
    }
)


@pytest.fixture(scope="module")
async def made(api: Api) -> tuple[TableApi, dict[str, Json]]:
    """A table of rows, and what was put into each by its id, in the order of the table."""
    table, rows = await api.new_table(columns=COLUMNS), {}
    for n in range(ROWS):
        row: Json = {}
        for place, (key, values) in enumerate(sorted(VALUES.items())):
            chosen = values[(n * (place + 2) + place) % len(values)]
            if (n + place) % 5:
                row[key] = [chosen, values[n % len(values)]][: n % 3] if key in ARRAYS else chosen
        rows[await table.new_row(row)] = row
    return table, rows


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=st.lists(filters(), min_size=1, max_size=2))
async def test_postgresql_and_the_evaluator_agree_on_what_fits(
    made: tuple[TableApi, dict[str, Json]], asked: list[Json]
) -> None:
    table, rows = made
    queries = [query(one["method"], one.get("attribute"), *one["values"]) for one in asked]

    found = await table.list(*queries, query("limit", None, ROWS))

    assert found.status == 200, found
    parsed = parse_query(queries, FIELDS)
    expected = [id_ for id_, row in rows.items() if matches(row, parsed, FIELDS)]
    assert ([row["$id"] for row in found.json["rows"]], found.json["total"]) == (expected, len(expected))


ORDERED = ["text", "number", "float", "truth"]
ORDERS = st.lists(st.tuples(st.sampled_from(ORDERED), st.booleans()), max_size=3, unique_by=lambda one: one[0])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(orders=ORDERS, limit=st.integers(9, 40))
async def test_pages_join_to_the_order_of_the_model(
    made: tuple[TableApi, dict[str, Json]], orders: list[tuple[str, bool]], limit: int
) -> None:
    table, rows = made
    known = [query("isNotNull", key) for key, _ in orders]  # a row without a value is no cursor
    asked = [*known, *(query("orderDesc" if down else "orderAsc", key) for key, down in orders)]

    pages: list[str] = []
    while page := await table.found(
        *asked, query("limit", None, limit), *([query("cursorAfter", None, pages[-1])] if pages else [])
    ):
        pages += page

    expected = [id_ for id_, row in rows.items() if all(key in row for key, _ in orders)]
    for key, down in reversed(orders):
        expected.sort(key=lambda id_, key=key: rows[id_][key], reverse=down)  # type: ignore[misc]
    assert pages == expected


@pytest.mark.parametrize(("key", "down"), [(key, down) for key in ORDERED for down in (False, True)])
async def test_rows_without_a_value_come_first_or_last(
    made: tuple[TableApi, dict[str, Json]], key: str, *, down: bool
) -> None:
    table, rows = made

    found = await table.found(query("orderDesc" if down else "orderAsc", key), query("limit", None, ROWS))

    have = [key in rows[id_] for id_ in found]
    assert have == sorted(have, reverse=down)


async def test_a_random_order_shows_each_row_once_and_not_always_the_same_first(
    made: tuple[TableApi, dict[str, Json]],
) -> None:
    table, rows = made
    lists = [await table.found(query("orderRandom"), query("limit", None, ROWS)) for _ in range(4)]
    firsts = [await table.found(query("orderRandom"), query("limit", None, 8)) for _ in range(4)]

    assert all(sorted(one) == sorted(rows) for one in lists)
    assert len({tuple(one) for one in [*lists, *firsts]}) > 2
    refused = await table.list(query("orderRandom"), query("cursorAfter", None, lists[0][0]))
    assert refused.said == (400, "general_query_invalid")
