"""Rows over HTTP: create, read, change, delete."""

import json
import random
import re
from typing import Any

import pytest

from tests.accounts import GUEST
from tests.integration.data.api import Api, Json, TableApi, query

DATE = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00\Z"
BAD_STRUCTURE = (400, "row_invalid_structure")
BAD_ARGUMENT = (400, "general_argument_invalid")

COLUMNS = [
    {"key": "name", "type": "varchar", "size": 8, "required": True},
    {"key": "age", "type": "integer", "min": 0, "max": 200},
    {"key": "score", "type": "double"},
    {"key": "active", "type": "boolean"},
    {"key": "colour", "type": "enum", "elements": ["red", "green"], "default": "red"},
    {"key": "tags", "type": "varchar", "size": 8, "array": True},
    {"key": "born", "type": "datetime"},
]


@pytest.fixture
async def people(api: Api) -> TableApi:
    """A table of people."""
    return await api.new_table(columns=COLUMNS)


@pytest.mark.check("data 56", "data 65", "data 66")
async def test_a_row_is_made_and_shown_with_every_field(people: TableApi) -> None:
    made = await people.create({"name": "Ada", "born": "1975-06-12 14:12:55+02:00"})
    row = dict(made.json)

    assert made.status == 201
    assert re.match(r"^[0-9a-f]{20}\Z", row.pop("$id"))
    created = row.pop("$createdAt")
    assert re.match(DATE, created)
    assert row.pop("$updatedAt") == created
    assert row == {
        "$sequence": "1",
        "$permissions": [],
        "$databaseId": people.database,
        "$tableId": people.table,
        "name": "Ada",
        "age": None,
        "score": None,
        "active": None,
        "colour": "red",
        "tags": [],
        "born": "1975-06-12T12:12:55.000+00:00",
    }
    assert (await people.get(made.json["$id"])).json == made.json
    assert (await people.list()).json == {"total": 1, "rows": [made.json]}


@pytest.mark.check("data 57")
async def test_an_id_is_taken_once(people: TableApi) -> None:
    assert (await people.create({"name": "Ada"}, row_id="ada")).json["$id"] == "ada"
    assert (await people.create({"name": "Ada"}, row_id="ada")).said == (409, "row_already_exists")
    assert (await people.create({"name": "Ada"}, row_id="ada\n")).said == BAD_ARGUMENT


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        ({"rowId": "a"}, (400, "row_missing_data")),
        ({"rowId": "a", "data": {}}, (400, "row_missing_data")),
        ({"rowId": "a", "data": "{}"}, (400, "row_missing_data")),
        ({"rowId": "a", "data": None}, (400, "row_missing_data")),
        ({"data": {"name": "Ada"}}, (400, "row_missing_data")),
        ({"rowId": "a", "data": ["name"]}, BAD_ARGUMENT),
        ({"rowId": "a", "data": []}, (400, "row_missing_data")),
        ({"rowId": "a", "data": [1]}, BAD_ARGUMENT),
        ({"rowId": "a", "data": "[]"}, BAD_ARGUMENT),
        ({"rowId": "a", "data": "nonsense"}, BAD_ARGUMENT),
        ({"rowId": "a", "data": 1}, BAD_ARGUMENT),
        ({"rowId": "a", "data": False}, BAD_ARGUMENT),
        ({"rowId": "a", "data": {"name": "Ada"}, "rows": []}, (400, "general_bad_request")),
    ],
    ids=str,
)
@pytest.mark.check("data 59")
async def test_a_row_without_data_is_refused(people: TableApi, body: Json, refused: tuple[int, str]) -> None:
    assert (await people.call("POST", "/rows", body=body)).said == refused


@pytest.mark.check("data 59")
async def test_data_may_be_a_text_that_holds_an_object(people: TableApi) -> None:
    made = await people.call("POST", "/rows", body={"rowId": "unique()", "data": json.dumps({"name": "Ada"})})

    assert made.status == 201
    assert made.json["name"] == "Ada"


@pytest.mark.parametrize(
    "data",
    [
        {"name": "Ada", "unknown": 1},
        {"name": "Ada", "$unknown": 1},
        {"age": 5},
        {"name": None},
        {"name": "Ada", "age": "5"},
        {"name": "Ada", "age": 5.0},
        {"name": "Ada", "age": 201},
        {"name": "Ada", "age": 10**30},
        {"name": "Ada", "active": 1},
        {"name": "Ada", "score": "0.5"},
        {"name": "123456789"},
        {"name": "Ada", "colour": "Red"},
        {"name": "Ada", "tags": "tag"},
        {"name": "Ada", "tags": ["tag", 1]},
        {"name": "Ada", "tags": [["tag"]]},
        {"name": "Ada", "tags": ["x"] * 10_001},
        {"name": "Ada", "born": "16/01/2024 12:00:00AM"},
        {"name": "Ada", "born": "0000-00-00"},
    ],
    ids=lambda data: str(data)[:60],
)
@pytest.mark.check("data 58", "data 62", "data 63", "data 64", "data 65", "data 67")
async def test_data_that_does_not_fit_its_columns_is_refused(people: TableApi, data: Json) -> None:
    made = await people.create(data)

    assert made.said == BAD_STRUCTURE
    assert made.json["message"].startswith("Invalid document structure")
    assert (await people.list()).json["total"] == 0


@pytest.mark.check("data 62", "data 63")
async def test_values_at_the_edge_are_taken(people: TableApi) -> None:
    data = {"name": "日本語日本語日本", "age": 200, "score": 5, "tags": ["a", None], "active": False}
    made = await people.create(data)

    assert made.status == 201
    assert made.json | data == made.json


@pytest.mark.check("data 60", "data 61")
async def test_the_system_fields_of_a_row_are_not_for_clients_to_write(api: Api) -> None:
    table = await api.new_table(permissions=['create("any")', 'update("any")', 'read("any")'])
    written = {"text": "a", "$sequence": "77", "$databaseId": "x", "$tableId": "y", "$id": "z", "$tenant": 1}
    dates = {"$createdAt": "2001-02-03 04:05:06.789", "$updatedAt": "2002-02-03T04:05:06+01:00"}
    by_client = await table.create(written | dates, GUEST)
    by_key = await table.create(written | dates)

    assert by_client.json["$sequence"] == "1"
    assert by_client.json["$databaseId"] == table.database
    assert by_client.json["$id"] != "z"
    assert by_client.json["$createdAt"] == by_client.json["$updatedAt"] > "2026"
    assert by_key.json["$createdAt"] == "2001-02-03T04:05:06.789+00:00"
    assert by_key.json["$updatedAt"] == "2002-02-03T03:05:06.000+00:00"
    assert (await table.create({"text": "a", "$createdAt": "garbage"})).status == 400
    assert (await table.create({"text": "a", "$createdAt": "garbage"}, GUEST)).status == 201
    changed = await table.update(by_key.json["$id"], {"data": {"text": "b", "$updatedAt": "2003-01-01"}})
    assert changed.json["$updatedAt"] == "2003-01-01T00:00:00.000+00:00"
    assert changed.json["$createdAt"] == by_key.json["$createdAt"]


@pytest.mark.check("data 68", "data 69")
async def test_an_update_changes_what_it_names(people: TableApi) -> None:
    before = (await people.create({"name": "Ada", "age": 36, "tags": ["a"], "colour": "green"})).json
    after = (await people.update(before["$id"], {"data": {"age": 37}})).json
    same = (await people.update(before["$id"], {"data": {"age": 37, "tags": ["a"]}, "permissions": []})).json
    cleared = (await people.update(before["$id"], {"data": {"age": None, "tags": None, "colour": None}})).json

    assert after == before | {"age": 37, "$updatedAt": after["$updatedAt"]}
    assert after["$updatedAt"] > before["$updatedAt"]
    assert same == after
    assert cleared == after | {"age": None, "tags": [], "colour": "red", "$updatedAt": cleared["$updatedAt"]}
    assert (await people.get(before["$id"])).json == cleared


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        ({}, (400, "row_missing_payload")),
        ({"data": {}}, (400, "row_missing_payload")),
        ({"data": None, "permissions": None}, (400, "row_missing_payload")),
        ({"data": ["a"]}, BAD_ARGUMENT),
        ({"data": {"unknown": 1}}, BAD_STRUCTURE),
        ({"data": {"name": None}}, BAD_STRUCTURE),
        ({"data": {"age": "5"}}, BAD_STRUCTURE),
    ],
    ids=str,
)
@pytest.mark.check("data 70")
async def test_an_update_that_makes_no_sense_is_refused(people: TableApi, body: Json, refused: tuple[int, str]) -> None:
    row = await people.new_row({"name": "Ada"})

    assert (await people.update(row, body)).said == refused


async def test_a_row_is_refused_for_what_comes_first(api: Api) -> None:
    """In this order: the row exists, then permission, then structure, then uniqueness."""
    table = await api.new_table(rowSecurity=True)
    row = await table.new_row(None, 'read("any")')
    bad: Json = {"data": {"text": 5}}

    assert (await table.update("nothing", bad)).said == (404, "row_not_found")
    assert (await table.update("nothing", bad | {"permissions": ['read("users")']}, GUEST)).said == (
        401,
        "user_unauthorized",
    )
    assert (await table.update(row, bad, GUEST)).said == (401, "user_unauthorized")
    assert (await table.create({"text": 5}, GUEST)).said == (401, "user_unauthorized")
    assert (await table.update(row, bad)).said == BAD_STRUCTURE


async def test_a_row_that_lost_a_required_column_takes_no_update_without_it(people: TableApi) -> None:
    """The merged row is checked whole."""
    row = await people.new_row({"name": "Ada"})
    await people.add_column("integer", "size", required=True)

    assert (await people.update(row, {"data": {"age": 1}})).said == BAD_STRUCTURE
    assert (await people.update(row, {"data": {"age": 1, "size": 2}})).said == (200, "")


@pytest.mark.check("data 71")
async def test_a_deleted_row_is_gone(people: TableApi) -> None:
    row = await people.new_row({"name": "Ada"})
    deleted = await people.delete(row)

    assert (deleted.status, deleted.json) == (204, None)
    assert (await people.delete(row)).said == (404, "row_not_found")
    assert (await people.get(row)).said == (404, "row_not_found")
    assert (await people.update(row, {"data": {"age": 1}})).said == (404, "row_not_found")
    assert (await people.create({"name": "Ada"}, row_id=row)).json["$sequence"] == "2"


@pytest.mark.check("data 72")
async def test_a_unique_index_is_kept(api: Api) -> None:
    """Nulls are all different."""
    table = await api.new_table(indexes=[{"key": "own", "type": "unique", "attributes": ["text"]}])
    await table.new_row({"text": "a"})
    other = await table.new_row({"text": "b"})

    assert (await table.create({"text": "a"})).said == (409, "row_unique_constraint_violation")
    assert (await table.update(other, {"data": {"text": "a"}})).said == (409, "row_unique_constraint_violation")
    assert (await table.update(other, {"data": {"text": "b"}})).said == (200, "")
    await table.new_row({"text": None})
    await table.new_row({"text": None})


@pytest.mark.check("data 80")
async def test_a_row_shows_what_is_selected(people: TableApi) -> None:
    row = await people.new_row({"name": "Ada", "age": 36})
    system = {"$id", "$sequence", "$createdAt", "$updatedAt", "$permissions", "$databaseId", "$tableId"}

    async def shown(*queries: str) -> Any:
        answer = await people.call("GET", f"/rows/{row}", body={"queries": list(queries)})
        return set(answer.json) if answer.status == 200 else answer.said

    assert await shown(query("select", None, "name")) == system | {"name"}
    assert await shown(query("select", None, "name"), query("select", None, "age")) == system | {"name", "age"}
    assert await shown(query("select", None, "$id")) == system
    assert await shown(query("select", None, "*")) == await shown()
    assert await shown(query("limit", None, 1)) == (400, "general_query_invalid")
    assert await shown(query("select", None, "unknown")) == (400, "general_query_invalid")
    assert await shown(query("select")) == (400, "general_query_invalid")
    assert await shown(query("select", None, "name", "name")) == (400, "general_query_invalid")


async def test_a_value_too_long_for_its_index_is_refused(api: Api) -> None:
    """768 characters are the most of an index, and may be more bytes than PostgreSQL's has room for."""
    index = {"key": "own", "type": "key", "attributes": ["text"]}
    table = await api.new_table(columns=[{"key": "text", "type": "varchar", "size": 768}], indexes=[index])
    chance = random.Random(1)
    long = "".join(chr(chance.randrange(0x20000, 0x2A000)) for _ in range(768))

    assert (await table.create({"text": long})).said == BAD_STRUCTURE
    assert (await table.create({"text": "a" * 768})).said == (201, "")


async def test_a_list_that_may_be_old_is_made_anew(people: TableApi) -> None:
    api = people.api
    await people.new_row({"name": "Ada"})
    url, headers = f"{api.urls[0]}/v1/tablesdb{people.path}/rows", api.key | {"X-Appwrite-Project": "library"}

    for ttl, cache in (("60", "miss"), ("0", None)):
        async with api.http.get(url, params={"ttl": ttl}, headers=headers) as answer:
            assert (answer.status, answer.headers.get("X-Appwrite-Cache")) == (200, cache)
            assert (await answer.json())["total"] == 1
    for ttl in ("-1", "86401", "long"):
        async with api.http.get(url, params={"ttl": ttl}, headers=headers) as answer:
            assert answer.status == 400


async def test_sequences_count_insertions(people: TableApi) -> None:
    rows = [(await people.create({"name": "Ada"})).json["$sequence"] for _ in range(3)]

    assert rows == ["1", "2", "3"]


@pytest.mark.parametrize("text", ["'; DROP TABLE x --", '"quoted"', "back\\slash", "\t\n", "{}", "%", "日本", "$1"])
async def test_texts_come_back_as_they_went_in(api: Api, text: str) -> None:
    table = await api.new_table()
    row = await table.new_row({"text": text})

    assert (await table.get(row)).json["text"] == text
    assert await table.found(query("equal", "text", text)) == [row]
