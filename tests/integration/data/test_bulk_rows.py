"""Many rows at once, created, changed, upserted and deleted by keys."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.accounts import GUEST
from tests.answer import Answer
from tests.integration.data.api import Api, Json, TableApi, query

BAD_ARGUMENT = (400, "general_argument_invalid")
COLUMNS: list[Json] = [
    {"key": "name", "type": "varchar", "size": 64, "required": True},
    {"key": "age", "type": "integer", "default": 7},
    {"key": "tags", "type": "varchar", "size": 16, "array": True},
    {"key": "weight", "type": "double"},
    {"key": "born", "type": "datetime"},
    {"key": "dates", "type": "datetime", "array": True},
    {"key": "big", "type": "bigint"},
]


@pytest.fixture
async def people(api: Api) -> TableApi:
    """A table with row security, that is empty."""
    unique = {"key": "by_big", "type": "unique", "attributes": ["big"]}
    return await api.new_table(columns=COLUMNS, indexes=[unique], rowSecurity=True)


async def create(table: TableApi, *rows: Any) -> Answer:
    return await table.call("POST", "/rows", body={"rows": list(rows)})


async def upsert(table: TableApi, *rows: Any) -> Answer:
    return await table.call("PUT", "/rows", body={"rows": list(rows)})


def names(answer: Answer) -> list[str]:
    return [row["name"] for row in answer.json["rows"]]


@pytest.mark.check("data 76")
async def test_a_hundred_rows_are_made_in_their_order(people: TableApi) -> None:
    made = await create(people, *({"name": f"person {n}", "age": n} for n in range(100)))

    assert (made.status, made.json["total"]) == (201, 100)
    assert names(made) == [f"person {n}" for n in range(100)]
    assert (await people.list(query("limit", None, 200))).json == made.json


@pytest.mark.check("data 76")
async def test_more_than_a_hundred_are_refused_and_so_are_clients(api: Api, people: TableApi) -> None:
    await people.call("PUT", "", body={"permissions": ['create("any")', 'update("any")', 'delete("any")']})
    ada = api.accounts.sign_in("ada")

    assert (await create(people, *[{"name": "one"}] * 101)).said == BAD_ARGUMENT
    assert (await upsert(people, *[{"name": "one"}] * 101)).said == BAD_ARGUMENT
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for caller in (GUEST, ada):
            body = {"rows": [{"name": "one"}]} if method in {"POST", "PUT"} else {"data": {"name": "one"}}
            refused = await people.call(method, "/rows", caller, body=body)
            assert refused.said == (401, "general_unauthorized_scope"), method


@pytest.mark.check("data 77")
@pytest.mark.parametrize(
    ("bad", "refused"),
    [
        ({"$id": "there", "name": "again"}, (409, "row_already_exists")),
        ({"$id": "twice", "name": "again"}, (409, "row_already_exists")),
        ({"name": "other", "big": 1}, (409, "row_unique_constraint_violation")),
        ({"age": 3}, (400, "row_invalid_structure")),
        ({"name": "one", "unknown": 3}, (400, "row_invalid_structure")),
        ({"name": "one", "age": "3"}, (400, "row_invalid_structure")),
        ({"name": "one", "$permissions": ['fly("any")']}, BAD_ARGUMENT),
        ({"name": "one", "$permissions": "any"}, BAD_ARGUMENT),
        ({"name": "one", "$createdAt": "yesterday"}, BAD_ARGUMENT),
        ({"name": "one", "$id": "_bad"}, BAD_ARGUMENT),
        ({"name": "one", "$id": 5}, BAD_ARGUMENT),
        ("text", BAD_ARGUMENT),
        (None, BAD_ARGUMENT),
    ],
    ids=str,
)
async def test_one_bad_row_refuses_all(people: TableApi, bad: Any, refused: tuple[int, str]) -> None:
    assert (await create(people, {"$id": "there", "name": "first", "big": 1})).status == 201

    assert (await create(people, {"$id": "twice", "name": "good"}, bad)).said == refused
    assert (await people.list()).json["total"] == 1


async def test_an_invalid_list_of_rows_is_refused(people: TableApi) -> None:
    row = {"name": "one"}

    assert (await create(people)).said == (400, "row_missing_data")
    assert (await upsert(people)).said == (400, "row_missing_data")
    assert (await people.call("PUT", "/rows", body={})).said == BAD_ARGUMENT
    for other in ({"data": row}, {"rowId": "unique()"}, {"permissions": []}):
        both = await people.call("POST", "/rows", body={"rows": [row], **other})
        assert both.said == (400, "general_bad_request")


async def test_rows_are_upserted(people: TableApi) -> None:
    await create(
        people, {"$id": "a", "name": "Ada", "age": 1, "$permissions": ['read("any")']}, {"$id": "b", "name": "Bob"}
    )
    bob = (await people.get("b")).json

    changed = await upsert(
        people,
        {"$id": "c", "name": "Cleo"},
        {"$id": "a", "name": "Ada L.", "tags": ["x"]},
        {"$id": "b", "name": "Bob"},
    )

    assert (changed.status, changed.json["total"]) == (200, 3)
    assert [(row["$id"], row["name"], row["age"], row["tags"]) for row in changed.json["rows"]] == [
        ("c", "Cleo", 7, []),
        ("a", "Ada L.", 1, ["x"]),
        ("b", "Bob", 7, []),
    ]
    assert (await people.get("b")).json == bob  # nothing of it changed, its date neither
    assert await people.found(caller=GUEST) == ["a"]
    assert (await upsert(people, {"$id": "a", "age": 2})).said == (400, "row_invalid_structure")
    assert (await upsert(people, *[{"$id": "a", "name": "A"}] * 2)).said == (409, "row_already_exists")


async def test_an_upsert_gives_and_takes_permissions(people: TableApi) -> None:
    await create(people, {"$id": "a", "name": "Ada", "$permissions": ['read("any")']}, {"$id": "b", "name": "Bob"})

    await upsert(
        people,
        {"$id": "a", "name": "Ada", "$permissions": []},
        {"$id": "b", "name": "Bob", "$permissions": ['read("any")']},
    )

    assert await people.found(caller=GUEST) == ["b"]
    assert (await people.get("a", GUEST)).said == (404, "row_not_found")


@pytest.mark.check("data 78")
async def test_rows_that_match_are_changed(people: TableApi) -> None:
    await create(people, *({"$id": f"p{n}", "name": f"person {n}", "age": n} for n in range(10)))
    before = (await people.get("p9")).json

    some = await people.call("PATCH", "/rows", body={"data": {"weight": 1.5}, "queries": [query("lessThan", "age", 3)]})
    every = await people.call("PATCH", "/rows", body={"data": '{"tags": ["all"]}'})
    last = await people.call(
        "PATCH",
        "/rows",
        body={"data": {"age": None}, "queries": [query("orderDesc", "age"), query("limit", None, 1)]},
    )
    after = await people.call(
        "PATCH", "/rows", body={"data": {"weight": 9}, "queries": [query("cursorAfter", None, "p7")]}
    )

    assert (some.status, some.json["total"], names(some)) == (200, 3, ["person 0", "person 1", "person 2"])
    assert every.json["total"] == 10
    assert [(row["$id"], row["age"]) for row in last.json["rows"]] == [("p9", None)]  # null, whatever the default
    assert [row["$id"] for row in after.json["rows"]] == ["p8", "p9"]
    found = (await people.get("p9")).json
    assert (found["tags"], found["weight"], found["$createdAt"]) == (["all"], 9, before["$createdAt"])
    assert found["$updatedAt"] > before["$updatedAt"]


async def test_permissions_of_many_rows_are_changed(people: TableApi) -> None:
    await create(people, *({"$id": f"p{n}", "name": "person", "age": n} for n in range(5)))

    queries = [query("greaterThan", "age", 2)]
    await people.call("PATCH", "/rows", body={"data": {"$permissions": ['read("any")']}, "queries": queries})

    assert await people.found(caller=GUEST) == ["p3", "p4"]


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        ({}, (400, "row_missing_payload")),
        ({"data": {}}, (400, "row_missing_payload")),
        ({"data": []}, (400, "row_missing_payload")),
        ({"data": [1]}, BAD_ARGUMENT),
        ({"data": {"name": None}}, (400, "row_invalid_structure")),
        ({"data": {"unknown": 1}}, (400, "row_invalid_structure")),
        ({"data": {"big": 5}}, (409, "row_unique_constraint_violation")),
        ({"data": {"age": 1}, "queries": ["nonsense"]}, (400, "general_query_invalid")),
        ({"data": {"age": 1}, "queries": [query("cursorAfter", None, "nobody")]}, (400, "general_cursor_not_found")),
        ({"data": {"$permissions": ['create("any")']}}, BAD_ARGUMENT),
    ],
    ids=str,
)
async def test_a_bad_change_changes_nothing(people: TableApi, body: Json, refused: tuple[int, str]) -> None:
    await create(people, {"$id": "a", "name": "Ada"}, {"$id": "b", "name": "Bob"})
    before = (await people.list()).json

    assert (await people.call("PATCH", "/rows", body=body)).said == refused
    assert (await people.list()).json == before


@pytest.mark.check("data 79")
async def test_rows_that_match_are_deleted(people: TableApi) -> None:
    await create(people, *({"$id": f"p{n}", "name": "person", "age": n} for n in range(6)))

    none = await people.call("DELETE", "/rows", body={"queries": [query("equal", "age", 99)]})
    some = await people.call("DELETE", "/rows", body={"queries": [query("between", "age", 1, 2)]})
    rest = await people.call("DELETE", "/rows")

    assert (none.status, none.json) == (200, {"total": 0, "rows": []})
    assert [row["$id"] for row in some.json["rows"]] == ["p1", "p2"]
    assert (rest.json["total"], len(rest.json["rows"])) == (4, 4)
    assert (await people.list()).json["total"] == 0


async def test_an_answer_shows_a_hundred_rows_of_those_that_were_written(people: TableApi) -> None:
    for _ in range(2):
        await create(people, *({"name": "person"} for _ in range(60)))

    changed = await people.call("PATCH", "/rows", body={"data": {"age": 1}})
    deleted = await people.call("DELETE", "/rows")

    assert (changed.json["total"], len(changed.json["rows"])) == (120, 100)
    assert (deleted.json["total"], len(deleted.json["rows"])) == (120, 100)


async def test_documents_are_written_many_at_once_too(people: TableApi) -> None:
    databases = replace(people.api, service="databases")
    place = f"/{people.database}/collections/{people.table}/documents"

    made = await databases.call("POST", place, body={"documents": [{"$id": "a", "name": "Ada"}]})
    changed = await databases.call("PATCH", place, body={"data": {"name": "Ada L."}})
    put = await databases.call("PUT", place, body={"documents": [{"$id": "a", "name": "A"}]})
    gone = await databases.call("DELETE", place, body={})

    assert [answer.status for answer in (made, changed, put, gone)] == [201, 200, 200, 200]
    assert made.json["documents"][0]["$collectionId"] == people.table
    assert gone.json["documents"][0]["name"] == "A"


ROW = st.fixed_dictionaries(
    {"name": st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=9)},
    optional={
        "age": st.none() | st.integers(-(2**31), 2**31 - 1),
        "tags": st.none() | st.lists(st.none() | st.sampled_from(["a", '"', "{}", "NULL", ","]), max_size=3),
        "weight": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "born": st.none() | st.datetimes().map(lambda found: f"{found:%Y-%m-%dT%H:%M:%S}.001+01:00".zfill(29)),
        "dates": st.lists(st.just("2024-02-29T12:00:00Z"), max_size=2),
        "big": st.none(),
        "$permissions": st.lists(st.sampled_from(['read("any")', 'write("users")', 'read("label:a")']), max_size=2),
    },
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, min_size=1, max_size=3))
async def test_rows_made_at_once_are_as_those_made_one_by_one(people: TableApi, rows: list[Json]) -> None:
    single = []
    for row in rows:
        data = {key: value for key, value in row.items() if key != "$permissions"}
        body = {"rowId": "unique()", "data": data, "permissions": row.get("$permissions", [])}
        single.append(await people.call("POST", "/rows", body=body))
    many = await create(people, *rows)

    if all(answer.status == 201 for answer in single):
        own = {"$id", "$sequence", "$createdAt", "$updatedAt"}
        shown = [{key: row[key] for key in row.keys() - own} for row in many.json["rows"]]
        assert shown == [{key: one.json[key] for key in one.json.keys() - own} for one in single]
    else:
        assert many.status == 400
    seen = await people.found(query("limit", None, 1_000), caller=GUEST)
    assert len(seen) == len(set(seen))
    await people.call("DELETE", "/rows")
