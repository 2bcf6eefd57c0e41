"""What a caller may not read changes none of its answers: the ways in which it once did, one by one.

test_hidden_rows.py tries all of it at random.
"""

from dataclasses import replace
from typing import Any

import pytest

from tests.accounts import GUEST, Headers
from tests.answer import Answer
from tests.integration.data.api import OLD_WORDS, Api, Json, TableApi, query
from tests.wire import pairs

COLUMNS: list[Json] = [
    {"key": "salary", "type": "integer", "min": 0, "max": 100_000},
    {"key": "text", "type": "varchar", "size": 64},
    {"key": "code", "type": "varchar", "size": 16},
]
NOT_FOUND = (404, "row_not_found")
UNAUTHORIZED = (401, "user_unauthorized")
LONG_AGO, FAR_AHEAD = "2001-01-01T00:00:00Z", "2101-01-01T00:00:00Z"


@pytest.fixture(scope="module", params=["tablesdb", "databases"])
def api(api: Api, request: pytest.FixtureRequest) -> Api:
    """Data by either API."""
    return replace(api, service=request.param, old_words=OLD_WORDS if request.param == "databases" else {})


@pytest.fixture
async def staff(api: Api) -> TableApi:
    """A table whose rows say who may read them."""
    return await api.new_table(columns=COLUMNS, rowSecurity=True)


async def put(table: TableApi, row: str, body: Json, caller: Headers | None = None) -> Answer:
    return await table.call("PUT", f"/rows/{row}", caller, body)


async def step(table: TableApi, row: str, caller: Headers, column: str = "salary", **body: Any) -> Answer:
    return await table.call("PATCH", f"/rows/{row}/{column}/increment", caller, body)


def same(answers: list[Answer]) -> bool:
    """Say whether all answers are one, to the letter."""
    return all(answer == answers[0] for answer in answers)


@pytest.mark.parametrize("method", ["cursorAfter", "cursorBefore"])
@pytest.mark.parametrize("order", [[], [query("orderAsc", "salary")], [query("orderDesc", "$updatedAt")]], ids=len)
async def test_a_cursor_is_a_row_that_the_caller_may_read(staff: TableApi, method: str, order: list[str]) -> None:
    await staff.new_row({"salary": 50}, 'read("any")')
    hidden = [await staff.new_row({"salary": salary}, 'read("users")') for salary in (1, 99, None)]

    answers = [await staff.list(query(method, None, cursor), *order, caller=GUEST) for cursor in [*hidden, "nothing"]]

    assert same(answers)
    assert answers[0].said == (400, "general_cursor_not_found")


async def test_an_upsert_tells_nothing_of_a_row_that_is_hidden(staff: TableApi) -> None:
    hidden = await staff.new_row({"salary": 42})
    guesses: list[Json] = [{"salary": 41}, {"salary": 42}, {"salary": "x"}, {"nothing": 1}]

    answers = [await put(staff, row, {"data": data}, GUEST) for row in (hidden, "nothing") for data in guesses]

    assert same(answers)
    assert answers[0].said == UNAUTHORIZED
    await staff.call("PUT", "", body={"permissions": [], "rowSecurity": False})
    assert same([*answers, *[await put(staff, hidden, {"data": data}, GUEST) for data in guesses]])


@pytest.mark.parametrize("since", ["", LONG_AGO, FAR_AHEAD])
async def test_a_row_that_is_hidden_is_changed_like_one_that_is_not_there(staff: TableApi, since: str) -> None:
    rows = [await staff.new_row({"salary": 42}), await staff.new_row(None, 'read("users")', 'delete("users")'), "none"]
    caller = {"x-appwrite-timestamp": since} if since else GUEST
    changes: list[Json] = [
        {"data": {"salary": 42}},
        {"data": {"salary": 43}},
        {"data": {"salary": -1}},
        {"data": {"nothing": 1}},
        {"permissions": []},
    ]

    updated = [await staff.update(row, change, caller) for row in rows for change in changes]
    stepped = [
        await step(staff, row, caller, column, **body)
        for row in rows
        for column in ("salary", "text", "nothing")
        for body in ({}, {"max": 42}, {"value": 10**6}, {"value": 0.5})
    ]
    deleted = [await staff.delete(row, caller) for row in rows]

    assert same([*updated, *stepped, *deleted])
    assert updated[0].said == NOT_FOUND
    assert [(await staff.get(row)).status for row in rows] == [200, 200, 404]


async def test_a_caller_who_may_read_a_row_is_told_that_it_may_not_change_it(staff: TableApi) -> None:
    row = await staff.new_row({"salary": 42}, 'read("any")')

    assert (await staff.update(row, {"data": {"salary": 43}}, GUEST)).said == UNAUTHORIZED
    assert (await put(staff, row, {"data": {"salary": 43}}, GUEST)).said == UNAUTHORIZED
    assert (await step(staff, row, GUEST)).said == UNAUTHORIZED
    assert (await staff.delete(row, GUEST)).said == UNAUTHORIZED
    assert (await staff.update(row, {"data": {"salary": 42}}, GUEST)).status == 200


async def test_a_caller_who_may_only_update_is_not_shown_the_row(staff: TableApi) -> None:
    row = await staff.new_row({"salary": 42, "text": "secret"}, 'update("any")')
    changed = {"data": {"code": "a"}}
    sent = [
        await staff.update(row, changed, GUEST),
        await staff.update(row, changed, GUEST),  # which changes nothing
        await put(staff, row, changed, GUEST),
        await put(staff, row, {"data": {"salary": 42, "text": "secret", "code": "a"}}, GUEST),
        await step(staff, row, GUEST),
    ]
    whole = (await staff.get(row)).json

    assert [answer.status for answer in sent] == [200] * 5
    for answer in sent:
        assert answer.json == {
            "$id": row,
            "$sequence": "",
            "$createdAt": whole["$createdAt"],
            "$updatedAt": answer.json["$updatedAt"],
            "$permissions": [],
            "$databaseId": staff.database,
            "$tableId": staff.table,
        }
    assert sent[-1].json["$updatedAt"] == whole["$updatedAt"]
    assert (whole["salary"], whole["text"], whole["code"]) == (43, "secret", "a")
    reader = await staff.new_row({"salary": 42}, 'update("any")', 'read("any")')
    assert (await step(staff, reader, GUEST)).json["salary"] == 43


async def test_a_caller_who_may_only_update_sets_no_condition_on_the_row(staff: TableApi) -> None:
    """They would tell of it. A step beyond the column's range is answered like any other, and does nothing."""
    row = await staff.new_row({"salary": 42}, 'update("any")', 'delete("any")')

    for limit in (41, 42, 43, 10**6):
        assert (await step(staff, row, GUEST, max=limit)).said == UNAUTHORIZED
    for since in (LONG_AGO, FAR_AHEAD):
        caller = {"x-appwrite-timestamp": since}
        assert (await staff.update(row, {"data": {"salary": 1}}, caller)).said == UNAUTHORIZED
        assert (await step(staff, row, caller)).said == UNAUTHORIZED
        assert (await staff.delete(row, caller)).said == UNAUTHORIZED
    assert (await step(staff, row, GUEST, value=99_959)).said == (200, "")
    assert (await staff.get(row)).json["salary"] == 42
    assert (await step(staff, row, GUEST, value=99_958)).said == (200, "")
    assert (await staff.get(row)).json["salary"] == 100_000
    assert (await step(staff, row, GUEST, value=0.5)).said == (400, "row_invalid_structure")
    assert (await step(staff, row, GUEST, column="text")).said == (400, "column_type_invalid")


async def test_a_caller_who_may_only_update_is_not_told_of_values_that_no_longer_fit(staff: TableApi) -> None:
    row = await staff.new_row({"text": "a"}, 'update("any")')
    await staff.add_column("integer", "size", required=True)

    assert (await staff.update(row, {"data": {"text": "b"}}, GUEST)).said == (200, "")
    assert (await staff.update(row, {"data": {"text": "c"}})).said == (400, "row_invalid_structure")


async def test_a_caller_who_may_change_a_row_may_let_itself_read_it(staff: TableApi) -> None:
    """Permissions are part of the row, as Appwrite has it: docs/compatibility.md says so."""
    row = await staff.new_row({"salary": 42}, 'update("any")')

    assert "salary" not in (await staff.update(row, {"permissions": ['read("any")']}, GUEST)).json
    assert (await staff.get(row, GUEST)).json["salary"] == 42


QUERIES = [
    [],
    [query("equal", "salary", 42)],
    [query("equal", "salary", "x")],
    [query("equal", "nothing", 42)],
    [query("search", "text", "x")],
    [query("orderAsc", "salary")],
    [query("orderAsc", "nothing")],
    [query("select", None, "salary")],
    [query("select", None, "nothing")],
    [query("isNull", "salary"), query("isNull", "nothing")],
]


async def test_a_closed_table_answers_before_it_looks_at_what_is_asked(api: Api, staff: TableApi) -> None:
    """And as one that is not there, in a database that is there or not."""
    row = await staff.new_row({"salary": 42}, 'read("any")', 'update("any")', 'delete("any")')
    await staff.call("PUT", "", body={"permissions": ['read("users")'], "rowSecurity": False})
    tables = [staff, replace(staff, table="nothing"), replace(staff, database="nothing")]
    bodies: list[Json] = [{"data": {"salary": "x"}}, {"data": {"nothing": 1}}, {"permissions": ["nonsense"]}]

    listed = [await table.list(*queries, caller=GUEST) for table in tables for queries in QUERIES]
    seen = [
        await table.call("GET", f"/rows/{row}", GUEST, {"queries": queries}) for table in tables for queries in QUERIES
    ]
    written = [
        answer
        for table in tables
        for body in bodies
        for answer in (
            await table.create(body.get("data"), GUEST),
            await table.update(row, body, GUEST),
            await put(table, row, body, GUEST),
            await step(table, row, GUEST),
            await step(table, row, GUEST, column="nothing"),
            await table.delete(row, GUEST),
        )
    ]
    assert same([*listed, *written])
    assert listed[0].said == UNAUTHORIZED
    assert same(seen)
    assert seen[0].said == NOT_FOUND
    for at, table in enumerate(tables):  # a key is told
        expected = [(200, ""), (404, "table_not_found"), (404, "database_not_found")][at]
        assert (await table.list()).said == expected


async def test_a_closed_table_that_is_disabled_is_closed(api: Api, staff: TableApi) -> None:
    await staff.call("PUT", "", body={"permissions": ['read("users")'], "rowSecurity": False, "enabled": False})

    assert (await staff.list(caller=GUEST)).said == UNAUTHORIZED
    assert (await staff.list(caller=api.accounts.sign_in("ada"))).said == (404, "table_not_found")
    await staff.call("PUT", "", body={"permissions": ['read("users")'], "rowSecurity": False})
    await api.call("PUT", f"/{staff.database}", body={"enabled": False})
    assert (await staff.list(caller=GUEST)).said == UNAUTHORIZED
    assert (await staff.list(caller=api.accounts.sign_in("ada"))).said == (404, "database_not_found")


async def test_a_table_of_which_a_caller_may_read_no_row_answers_as_if_it_were_empty(staff: TableApi) -> None:
    """Whatever is asked of its columns; with a row to read, what is wrong with a query is told."""
    hidden = await staff.new_row({"salary": 42}, 'read("users")')

    answers = [await staff.list(*queries, caller=GUEST) for queries in QUERIES]
    assert same(answers)
    assert (answers[0].status, answers[0].json) == (200, {"total": 0, "rows": []})
    for limit in (1, 2_000):
        url = f"{staff.api.urls[0]}/v1/tablesdb/{staff.database}/tables/{staff.table}/rows"
        headers = {"X-Appwrite-Project": "library"}
        shapes = set()
        for queries in QUERIES:
            asked = dict(pairs({"queries": [*queries, query("limit", None, limit)]}))
            async with staff.api.http.get(url, headers=headers, params=asked) as answer:
                shapes.add((answer.headers.get("Transfer-Encoding"), await answer.text()))
        assert len(shapes) == 1, limit
    cursors = [await staff.list(*queries, query("cursorAfter", None, hidden), caller=GUEST) for queries in QUERIES]
    assert same(cursors)
    assert cursors[0].said == (400, "general_cursor_not_found")
    for nonsense in ("nonsense", query("limit", None, 0), query("nothing", "salary", 1)):
        assert same([await staff.list(*queries, nonsense, caller=GUEST) for queries in QUERIES])
        assert (await staff.list(nonsense, caller=GUEST)).said == (400, "general_query_invalid")
    selections = [[], [query("select", None, "salary")], [query("select", None, "nothing")]]
    selected = [await staff.call("GET", f"/rows/{hidden}", GUEST, {"queries": queries}) for queries in selections]
    assert same(selected)
    assert selected[0].said == NOT_FOUND

    shown = await staff.new_row({"salary": 42}, 'read("guests")')
    assert (await staff.list(query("equal", "nothing", 42), caller=GUEST)).said == (400, "general_query_invalid")
    selecting = {"queries": [query("select", None, "nothing")]}
    assert (await staff.call("GET", f"/rows/{shown}", GUEST, selecting)).said == (400, "general_query_invalid")


async def test_a_taken_id_tells_that_a_row_is_there(staff: TableApi) -> None:
    """To who may create: an exception that docs/compatibility.md names."""
    hidden = await staff.new_row({"salary": 42})
    await staff.call("PUT", "", body={"permissions": ['create("any")'], "rowSecurity": True})

    assert (await staff.create({"salary": 1}, GUEST, row_id=hidden)).said == (409, "row_already_exists")
    guesses = [await put(staff, hidden, {"data": {"salary": salary}}, GUEST) for salary in (41, 42, 43)]
    assert same(guesses)
    assert guesses[0].said == UNAUTHORIZED
    assert (await put(staff, "other", {"data": {"salary": 42}}, GUEST)).said == (200, "")


async def test_a_unique_index_tells_that_a_value_is_there(staff: TableApi) -> None:
    """To who may create or change a row: an exception that docs/compatibility.md names."""
    await staff.call("POST", "/indexes", body={"key": "code", "type": "unique", "columns": ["code"]})
    await staff.new_row({"code": "a"})
    await staff.call("PUT", "", body={"permissions": ['create("any")'], "rowSecurity": True})

    assert (await staff.create({"code": "a"}, GUEST)).said == (409, "row_unique_constraint_violation")
    assert (await staff.create({"code": "b"}, GUEST)).said == (201, "")
