"""Counting a row's numbers up and down."""

import asyncio
from typing import Any

import pytest

from tests.accounts import GUEST, Headers
from tests.answer import Answer
from tests.integration.data.api import Api, TableApi

BAD_ARGUMENT = (400, "general_argument_invalid")
BAD_STRUCTURE = (400, "row_invalid_structure")
LIMIT_EXCEEDED = (400, "column_limit_exceeded")
UNAUTHORIZED = (401, "user_unauthorized")
DIRECTIONS = pytest.mark.parametrize("direction", ["increment", "decrement"])

COLUMNS = [
    {"key": "stock", "type": "integer", "min": -20, "max": 20},
    {"key": "big", "type": "bigint"},
    {"key": "price", "type": "double"},
    {"key": "text", "type": "varchar", "size": 8},
    {"key": "numbers", "type": "integer", "array": True},
]


@pytest.fixture
async def shop(api: Api) -> TableApi:
    """A table of numbers."""
    return await api.new_table(columns=COLUMNS, rowSecurity=True)


async def step(
    table: TableApi,
    direction: str,
    row: str,
    column: str,
    caller: Headers | None = None,
    *,
    replica: int = 0,
    **body: Any,
) -> Answer:
    return await table.call("PATCH", f"/rows/{row}/{column}/{direction}", caller, body, replica=replica)


@DIRECTIONS
@pytest.mark.check("data 75")
async def test_a_number_moves_and_the_row_is_shown(shop: TableApi, direction: str) -> None:
    sign = 1 if direction == "increment" else -1
    made = await shop.create({"stock": 5, "price": 0.5, "text": "a"})
    row = made.json["$id"]

    by_one = await step(shop, direction, row, "stock")
    by_more = await step(shop, direction, row, "stock", value=3)
    whole = await step(shop, direction, row, "stock", value=2.0)
    part = await step(shop, direction, row, "price", value=0.25, replica=1)
    unset = await step(shop, direction, row, "big", value=2**53 + 1)

    assert [one.status for one in (by_one, by_more, whole, part, unset)] == [200] * 5
    assert [one.json["stock"] for one in (by_one, by_more, whole)] == [5 + sign, 5 + sign * 4, 5 + sign * 6]
    assert part.json["price"] == 0.5 + sign * 0.25
    assert unset.json["big"] == sign * (2**53 + 1)
    assert made.json["$updatedAt"] < by_one.json["$updatedAt"] < by_more.json["$updatedAt"]
    moved = {name: unset.json[name] for name in ("stock", "big", "price", "$updatedAt")}
    assert (await shop.get(row)).json == unset.json == made.json | moved


@pytest.mark.parametrize(("direction", "bound", "sign"), [("increment", "max", 1), ("decrement", "min", -1)])
@pytest.mark.check("data 75")
async def test_a_number_stops_at_the_bound_of_the_call(shop: TableApi, direction: str, bound: str, sign: int) -> None:
    row = await shop.new_row({"stock": 0, "price": 0.0})

    for column in ("stock", "price"):
        passed = await step(shop, direction, row, column, value=8, **{bound: sign * 7})
        assert passed.said == LIMIT_EXCEEDED
        assert (await shop.get(row)).json[column] == 0
        reached = await step(shop, direction, row, column, value=7, **{bound: sign * 7})
        assert reached.json[column] == sign * 7


@DIRECTIONS
async def test_a_number_stays_a_value_of_its_column(shop: TableApi, direction: str) -> None:
    sign = 1 if direction == "increment" else -1
    made = await shop.create({"stock": 0, "big": sign * (2**63 - 1), "price": sign * 1.7e308})
    row = made.json["$id"]

    for column, value in (("stock", 21), ("stock", 0.5), ("big", 2), ("price", 1.7e308)):
        assert (await step(shop, direction, row, column, value=value)).said == BAD_STRUCTURE, column
    assert (await shop.get(row)).json == made.json


@DIRECTIONS
@pytest.mark.parametrize("value", [0, -1, 0.0, -0.5, "many", True, [1], 10**400], ids=lambda value: repr(value)[:8])
@pytest.mark.check("data 75")
async def test_a_step_is_a_positive_number(shop: TableApi, direction: str, value: object) -> None:
    made = await shop.create({"stock": 0, "price": 0.5})
    for column in ("stock", "price"):
        assert (await step(shop, direction, made.json["$id"], column, value=value)).said == BAD_ARGUMENT
    assert (await shop.get(made.json["$id"])).json == made.json


@DIRECTIONS
@pytest.mark.check("data 75")
async def test_a_missing_column_or_one_without_numbers_is_not_incremented(shop: TableApi, direction: str) -> None:
    row = await shop.new_row({"stock": 0, "text": "1", "numbers": [1]})

    assert (await step(shop, direction, row, "text")).said == (400, "column_type_invalid")
    assert (await step(shop, direction, row, "numbers")).said == (400, "column_type_invalid")
    assert (await step(shop, direction, row, "none")).said == (404, "column_not_found")
    assert (await step(shop, direction, "none", "stock")).said == (404, "row_not_found")


@DIRECTIONS
async def test_a_step_needs_the_update_permission_of_the_table_or_row(shop: TableApi, direction: str) -> None:
    closed = await shop.new_row({"stock": 0}, 'read("any")', 'delete("any")')
    opened = await shop.new_row({"stock": 0}, 'update("any")')

    assert (await step(shop, direction, closed, "stock", GUEST)).said == UNAUTHORIZED
    assert (await shop.get(closed)).json["stock"] == 0
    assert (await step(shop, direction, opened, "stock", GUEST)).status == 200
    await shop.call("PUT", "", body={"permissions": [], "rowSecurity": False})
    assert (await step(shop, direction, opened, "stock", GUEST)).said == UNAUTHORIZED
    await shop.call("PUT", "", body={"permissions": ['update("any")'], "enabled": True})
    assert (await step(shop, direction, closed, "stock", GUEST)).status == 200
    await shop.call("PUT", "", body={"permissions": ['update("any")'], "enabled": False})
    assert (await step(shop, direction, closed, "stock", GUEST)).said == (404, "table_not_found")


async def test_no_step_is_lost_between_replicas(shop: TableApi) -> None:
    row = await shop.new_row({"stock": 0})

    steps = [step(shop, "increment", row, "stock", max=10, replica=place % 2) for place in range(14)]
    answers = await asyncio.gather(*steps)

    assert sorted(one.json["stock"] for one in answers if one.status == 200) == list(range(1, 11))
    assert [one.said for one in answers if one.status != 200] == [LIMIT_EXCEEDED] * 4
    assert (await shop.get(row)).json["stock"] == 10
