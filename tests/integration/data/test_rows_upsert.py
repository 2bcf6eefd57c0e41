"""Upserts: whether they create or update a row, what they merge, and which permissions they need."""

import asyncio

import pytest

from tests.accounts import GUEST, Headers
from tests.answer import Answer
from tests.integration.data.api import Api, Json, TableApi, query

BAD_STRUCTURE = (400, "row_invalid_structure")
UNAUTHORIZED = (401, "user_unauthorized")

COLUMNS = [
    {"key": "name", "type": "varchar", "size": 8, "required": True},
    {"key": "age", "type": "integer"},
    {"key": "colour", "type": "enum", "elements": ["red", "green"], "default": "red"},
]


@pytest.fixture
async def people(api: Api) -> TableApi:
    """A table of people."""
    indexes = [{"key": "name", "type": "unique", "attributes": ["name"]}]
    return await api.new_table(columns=COLUMNS, indexes=indexes, rowSecurity=True)


async def upsert(table: TableApi, row: str, body: Json, caller: Headers | None = None, *, replica: int = 0) -> Answer:
    return await table.call("PUT", f"/rows/{row}", caller, body, replica=replica)


@pytest.mark.check("data 73")
async def test_a_row_is_made_and_then_changed(people: TableApi) -> None:
    made = await upsert(people, "ada", {"data": {"name": "Ada", "age": 36}, "permissions": ['read("any")']})
    kept = await upsert(people, "ada", {"data": {"name": "Lady", "colour": "green"}}, replica=1)
    cleared = await upsert(people, "ada", {"data": {"name": "Lady", "age": None}, "permissions": []})

    assert [one.status for one in (made, kept, cleared)] == [200, 200, 200]
    assert made.json == made.json | {"$id": "ada", "name": "Ada", "age": 36, "colour": "red"}
    assert kept.json == made.json | {"name": "Lady", "colour": "green", "$updatedAt": kept.json["$updatedAt"]}
    assert made.json["$updatedAt"] < kept.json["$updatedAt"] < cleared.json["$updatedAt"]
    assert cleared.json == kept.json | {"age": None, "$permissions": [], "$updatedAt": cleared.json["$updatedAt"]}
    assert (await people.get("ada")).json == cleared.json


@pytest.mark.check("data 74")
async def test_required_columns_must_be_named(people: TableApi) -> None:
    await people.create({"name": "Ada"}, row_id="ada")

    for row in ("ada", "new"):
        assert (await upsert(people, row, {"data": {"age": 1}})).said == BAD_STRUCTURE
        assert (await upsert(people, row, {"permissions": []})).said == BAD_STRUCTURE
        assert (await upsert(people, row, {"data": {"name": "Ada", "none": 1}})).said == BAD_STRUCTURE
        for body in ({}, {"data": {}}, {"data": "{}"}, {"data": None, "permissions": None}):
            assert (await upsert(people, row, body)).said == (400, "row_missing_payload")
    assert (await upsert(people, "unique()", {"data": {"name": "B"}})).said == (400, "general_argument_invalid")
    assert await people.found() == ["ada"]


@pytest.mark.check("data 72")
async def test_a_unique_index_holds(people: TableApi) -> None:
    await people.create({"name": "Ada"}, row_id="ada")
    await people.create({"name": "Bob"}, row_id="bob")

    for row in ("new", "bob"):
        said = (await upsert(people, row, {"data": {"name": "Ada"}})).said
        assert said == (409, "row_unique_constraint_violation")


@pytest.mark.check("data 73")
async def test_making_needs_create_and_changing_needs_update(people: TableApi) -> None:
    await people.create({"name": "Ada"}, row_id="closed", permissions=['read("any")', 'delete("any")'])
    await people.create({"name": "Bob"}, row_id="opened", permissions=['update("any")'])

    assert (await upsert(people, "new", {"data": {"name": "New"}}, GUEST)).said == UNAUTHORIZED
    assert (await upsert(people, "closed", {"data": {"name": "New"}}, GUEST)).said == UNAUTHORIZED
    assert (await upsert(people, "closed", {"data": {"age": 1}}, GUEST)).said == UNAUTHORIZED
    assert (await upsert(people, "opened", {"data": {"name": "New"}}, GUEST)).status == 200
    body = {"permissions": ['create("any")'], "rowSecurity": False}
    await people.call("PUT", "", body=body)
    assert (await upsert(people, "made", {"data": {"name": "Made"}}, GUEST)).status == 200
    assert (await upsert(people, "opened", {"data": {"name": "Own"}}, GUEST)).said == UNAUTHORIZED


async def test_an_upsert_that_changes_nothing_for_its_reader_only_reads(people: TableApi) -> None:
    shown = await people.create({"name": "Ada"}, row_id="shown", permissions=['read("any")'])

    assert (await upsert(people, "shown", {"data": {"name": "Ada"}}, GUEST)).json == shown.json


@pytest.mark.check("data 23")
async def test_users_own_what_they_make_and_may_give_it_up(api: Api, people: TableApi) -> None:
    ada = api.accounts.sign_in("ada")
    await people.call("PUT", "", body={"permissions": ['create("users")'], "rowSecurity": True})

    made = await upsert(people, "ada", {"data": {"name": "Ada"}}, ada)
    assert [one.split("(")[0] for one in made.json["$permissions"]] == ["read", "update", "delete"]
    given_up = await upsert(people, "ada", {"data": {"name": "Ada"}, "permissions": []}, ada)
    assert given_up.json["$permissions"] == []
    assert (await people.get("ada", ada)).said == (404, "row_not_found")
    assert (await people.delete("ada", ada)).said == (404, "row_not_found")


async def test_keys_alone_choose_dates(people: TableApi) -> None:
    dates = {"$createdAt": "2001-01-01T00:00:00.000+00:00", "$updatedAt": "2002-01-01T00:00:00.000+00:00"}
    made = await people.create({"name": "Ada"}, row_id="ada", permissions=['read("any")', 'update("any")'])
    later = await people.create({"name": "Bob"}, row_id="bob", permissions=['read("any")'])

    by_guest = await upsert(people, "ada", {"data": {"name": "Guest", **dates}}, GUEST)
    assert by_guest.json["$createdAt"] == made.json["$createdAt"]
    by_key = await upsert(people, "bob", {"data": {"name": "Bob", **dates}})
    assert by_key.json == later.json | dates
    first = query("orderAsc", "$createdAt"), query("limit", None, 1)
    assert await people.found(*first, caller=GUEST) == await people.found(*first) == ["bob"]


async def test_upserts_of_one_new_id_all_succeed(people: TableApi) -> None:
    bodies: list[Json] = [{"data": {"name": "Ada", "age": age}} for age in range(10)]
    answers = await asyncio.gather(
        *(upsert(people, "ada", body, replica=place % 2) for place, body in enumerate(bodies))
    )

    assert [one.said for one in answers] == [(200, "")] * 10
    assert (await people.get("ada")).json in [one.json for one in answers]
    assert await people.found() == ["ada"]
