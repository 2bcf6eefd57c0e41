"""Databases, tables, columns and indexes over HTTP."""

from typing import Any

import pytest

from tests.integration.data.api import Api, Json, query

BAD_ARGUMENT = (400, "general_argument_invalid")


@pytest.mark.check("data 34")
@pytest.mark.check("data 35")
async def test_a_database_is_made_shown_changed_and_deleted(api: Api) -> None:
    id_ = api.new_id("database")
    made = await api.call("POST", "", body={"databaseId": id_, "name": "Library"})
    again = await api.call("POST", "", body={"databaseId": id_, "name": "Library"})
    disabled = await api.call("PUT", f"/{id_}", body={"enabled": False})
    enabled = await api.call("PUT", f"/{id_}", body={"name": "Books"})

    assert made.status == 201
    assert set(made.json) == {"$id", "name", "$createdAt", "$updatedAt", "enabled", "type", "status"}
    assert (
        made.json | {"$id": id_, "name": "Library", "enabled": True, "type": "tablesdb", "status": "ready"} == made.json
    )
    assert again.said == (409, "database_already_exists")
    assert (disabled.json["enabled"], disabled.json["name"]) == (False, "Library")
    assert (enabled.json["enabled"], enabled.json["name"]) == (True, "Books")
    assert (await api.call("GET", f"/{id_}")).json == enabled.json

    deleted = await api.call("DELETE", f"/{id_}")
    assert (deleted.status, deleted.json) == (204, None)
    for method in ("GET", "PUT", "DELETE"):
        assert (await api.call(method, f"/{id_}", body={})).said == (404, "database_not_found")


@pytest.mark.check("data 34")
@pytest.mark.parametrize("id_", ["_a", "a" * 37, "", "a b", "é", "a\n", 1, None])
async def test_ids_follow_their_grammar(api: Api, id_: Any) -> None:
    table = await api.new_table()

    assert (await api.call("POST", "", body={"databaseId": id_, "name": "x"})).said == BAD_ARGUMENT
    made = await api.call("POST", f"/{table.database}/tables", body={"tableId": id_, "name": "x"})
    assert made.said == BAD_ARGUMENT
    assert (await table.add_column("boolean", id_)).said == BAD_ARGUMENT


async def test_a_database_belongs_to_its_project(api: Api) -> None:
    id_ = api.new_id("database")
    await api.call("POST", "", body={"databaseId": id_, "name": "Library"})
    elsewhere = await api.call("POST", "", body={"databaseId": id_, "name": "Archive"}, project="archive")

    assert elsewhere.status == 201
    assert (await api.call("GET", f"/{id_}")).json["name"] == "Library"
    assert (await api.call("GET", f"/{id_}", project="archive")).json["name"] == "Archive"


@pytest.mark.check("data 36")
@pytest.mark.check("data 37")
async def test_a_table_is_made_shown_changed_and_deleted(api: Api) -> None:
    table = await api.new_table(permissions=['read("any")'], rowSecurity=True, name="Books")
    shown = await table.call("GET", "")
    again = await api.call("POST", f"/{table.database}/tables", body={"tableId": table.table, "name": "Books"})
    nowhere = await api.call("POST", "/nowhere/tables", body={"tableId": "books", "name": "Books"})
    changed = await table.call("PUT", "", body={"name": "More books"})
    disabled = await table.call("PUT", "", body={"enabled": False, "permissions": []})

    fields = {"$id", "$createdAt", "$updatedAt", "$permissions", "databaseId", "name", "enabled", "rowSecurity"}
    assert set(shown.json) == fields | {"columns", "indexes", "bytesMax", "bytesUsed"}
    assert (shown.json["rowSecurity"], shown.json["$permissions"], shown.json["enabled"]) == (
        True,
        ['read("any")'],
        True,
    )
    assert again.said == (409, "table_already_exists")
    assert nowhere.said == (404, "database_not_found")
    assert (changed.json["rowSecurity"], changed.json["$permissions"]) == (False, ['read("any")'])
    assert changed.json["name"] == "More books"
    assert (disabled.json["enabled"], disabled.json["$permissions"]) == (False, [])
    assert disabled.json["name"] == "More books"
    assert (await table.call("PUT", "", body={})).json["enabled"] is True

    assert (await table.call("DELETE", "")).status == 204
    for method in ("GET", "PUT", "DELETE"):
        assert (await table.call(method, "", body={})).said == (404, "table_not_found")
    assert (await table.list()).said == (404, "table_not_found")


@pytest.mark.check("data 38")
@pytest.mark.check("data 39")
@pytest.mark.check("data 50")
async def test_a_column_is_made_shown_and_deleted(api: Api) -> None:
    table = await api.new_table()
    made = await table.add_column("integer", "age", min=1, max=10)
    row = await table.new_row({"age": 5})

    assert made.status == 202
    assert made.json | {"key": "age", "type": "integer", "required": False, "array": False} == made.json
    assert made.json["status"] == "available"
    assert (await table.add_column("boolean", "Age")).said == (409, "column_already_exists")
    assert (await table.call("GET", "/columns/nothing")).said == (404, "column_not_found")
    assert (await table.call("GET", "/columns/Age")).said == (404, "column_not_found")
    assert (await table.call("DELETE", "/columns/nothing")).said == (404, "column_not_found")

    assert (await table.call("DELETE", "/columns/age")).status == 204
    assert (await table.call("GET", "/columns/age")).said == (404, "column_not_found")
    assert "age" not in (await table.get(row)).json
    assert (await table.add_column("varchar", "age", size=3)).status == 202
    assert (await table.get(row)).json["age"] is None


@pytest.mark.parametrize(
    ("kind", "parameters", "refused"),
    [
        ("varchar", {"size": 9, "required": True, "default": "a"}, (400, "column_default_unsupported")),
        ("varchar", {"size": 9, "array": True, "default": "a"}, (400, "column_default_unsupported")),
        ("string", {"size": 0}, BAD_ARGUMENT),
        ("string", {"size": -1}, BAD_ARGUMENT),
        ("string", {"size": 1_073_741_825}, BAD_ARGUMENT),
        ("string", {}, BAD_ARGUMENT),
        ("string", {"size": "big"}, BAD_ARGUMENT),
        ("varchar", {"size": 16_382}, BAD_ARGUMENT),
        ("varchar", {}, BAD_ARGUMENT),
        ("varchar", {"size": 3, "default": "abcd"}, (400, "column_value_invalid")),
        ("varchar", {"size": 149, "encrypt": True}, (400, "general_bad_request")),
        ("email", {"encrypt": True}, (400, "general_bad_request")),
        ("integer", {"min": 5, "max": 1}, (400, "column_value_invalid")),
        ("integer", {"min": 5, "max": 9, "default": 10}, (400, "column_value_invalid")),
        ("integer", {"min": 10**30}, BAD_ARGUMENT),
        ("integer", {"min": 1.5}, BAD_ARGUMENT),
        ("float", {"min": 5.5, "max": 1}, (400, "column_value_invalid")),
        ("float", {"min": 5.5, "default": 5}, (400, "column_value_invalid")),
        ("enum", {"elements": ["a", "b"], "default": "c"}, (400, "column_value_invalid")),
        ("enum", {"elements": ["a", ""]}, BAD_ARGUMENT),
        ("enum", {"elements": []}, (400, "column_value_invalid")),
        ("enum", {}, BAD_ARGUMENT),
        ("enum", {"elements": ["x" * 256]}, BAD_ARGUMENT),
        ("enum", {"elements": [str(n) for n in range(101)]}, BAD_ARGUMENT),
        ("email", {"default": "not-an-email"}, BAD_ARGUMENT),
        ("url", {"default": "not a url"}, BAD_ARGUMENT),
        ("ip", {"default": "300.1.1.1"}, BAD_ARGUMENT),
        ("datetime", {"default": "yesterday"}, BAD_ARGUMENT),
        ("boolean", {"required": "maybe"}, BAD_ARGUMENT),
        ("boolean", {"required": None}, BAD_ARGUMENT),
        ("text", {"array": [1]}, BAD_ARGUMENT),
    ],
    ids=str,
)
@pytest.mark.check("data 40")
@pytest.mark.check("data 41")
@pytest.mark.check("data 42")
@pytest.mark.check("data 43")
@pytest.mark.check("data 44")
async def test_columns_that_cannot_be_are_refused(
    api: Api, kind: str, parameters: Json, refused: tuple[int, str]
) -> None:
    table = await api.new_table()

    assert (await table.add_column(kind, "own", **parameters)).said == refused
    assert (await table.call("GET", "/columns")).json["total"] == 1


async def test_bounds_and_defaults_are_shown_as_documented(api: Api) -> None:
    table = await api.new_table()
    whole = (await table.add_column("integer", "whole")).json
    real = (await table.add_column("float", "real", default=5)).json
    date = (await table.add_column("datetime", "date", default="1975-06-12 14:12:55+02:00")).json
    big = (await table.add_column("bigint", "big", default=str(2**63 - 1))).json

    assert (whole["min"], whole["max"], whole["default"]) == (-(2**63), 2**63 - 1, None)
    assert (real["min"], real["max"], real["default"]) == (
        pytest.approx(-1.797e308, 1e-3),
        pytest.approx(1.797e308, 1e-3),
        5,
    )
    assert date["default"] == "1975-06-12T12:12:55.000+00:00"
    assert big["default"] == 2**63 - 1
    shown = (await table.call("GET", "/columns")).json["columns"]
    assert shown[1:] == [whole, real, date, big]


@pytest.mark.check("data 55")
async def test_a_wide_row_takes_no_more_columns(api: Api) -> None:
    table = await api.new_table()
    await table.add_column("varchar", "wide", size=15_000)

    assert (await table.add_column("string", "more", size=16_000)).said == (400, "column_limit_exceeded")
    shown = (await table.call("GET", "")).json
    assert shown["bytesMax"] == 65_535
    assert 60_000 < shown["bytesUsed"] < 65_535
    assert (await table.add_column("text", "beside")).status == 202
    await table.add_column("varchar", "rest", size=1046)
    assert (await table.add_column("string", "beside2", size=65_536)).said == (400, "column_limit_exceeded")


async def test_a_purge_of_a_table_is_taken(api: Api) -> None:
    table = await api.new_table()

    assert (await table.call("PUT", "", body={"purge": True})).said == (200, "")
    assert (await table.call("PUT", "", body={"purge": "much"})).said == BAD_ARGUMENT


@pytest.mark.check("data 53")
async def test_indexes_are_made_shown_and_deleted(api: Api) -> None:
    table = await api.new_table()
    await table.add_column("integer", "age")
    made = await table.call(
        "POST",
        "/indexes",
        body={"key": "own", "type": "key", "columns": ["text", "age", "$createdAt"], "orders": ["asc", "DESC"]},
    )

    fields = {"$id", "$createdAt", "$updatedAt", "key", "type", "status", "error", "columns", "lengths", "orders"}
    assert made.status == 202
    assert set(made.json) == fields
    assert made.json["status"] == "available"
    assert (made.json["columns"], made.json["orders"]) == (["text", "age", "$createdAt"], ["asc", "DESC"])
    assert len(made.json["lengths"]) == 3
    again = await table.call("POST", "/indexes", body={"key": "Own", "type": "unique", "columns": ["age"]})
    assert again.said == (409, "column_index_already_exists")
    assert (await table.call("GET", "/indexes/own")).json == made.json
    assert (await table.call("GET", "/indexes")).json == {"total": 1, "indexes": [made.json]}
    assert (await table.call("GET", "")).json["indexes"] == [made.json]

    assert (await table.call("DELETE", "/indexes/own")).status == 204
    assert (await table.call("GET", "/indexes/own")).said == (404, "column_index_not_found")
    assert (await table.call("DELETE", "/indexes/own")).said == (404, "column_index_not_found")


@pytest.mark.parametrize(
    ("parameters", "refused"),
    [
        ({"columns": ["nothing"]}, (400, "column_unknown")),
        ({"columns": ["tags"]}, (400, "index_invalid")),
        ({"columns": []}, (400, "column_index_invalid")),
        ({"columns": ["text", "text"]}, (400, "column_index_invalid")),
        ({"columns": ["long"]}, (400, "column_index_invalid")),
        ({"columns": ["long"], "lengths": [769]}, (400, "column_index_invalid")),
        ({"columns": ["text"], "lengths": [65]}, (400, "column_index_invalid")),
        ({"columns": ["text"], "lengths": [-1]}, (400, "column_index_invalid")),
        ({"columns": ["text"], "lengths": [1, 2]}, (400, "column_index_invalid")),
        ({"columns": ["age"], "lengths": [1]}, (400, "column_index_invalid")),
        ({"columns": ["age"], "type": "fulltext"}, (400, "column_index_invalid")),
        ({"columns": ["text"], "type": "spatial"}, (400, "column_index_invalid")),
        ({"columns": ["text"], "type": "other"}, BAD_ARGUMENT),
        ({"columns": ["text"], "orders": ["up"]}, BAD_ARGUMENT),
        ({"columns": ["text"] * 101}, BAD_ARGUMENT),
        ({"columns": "text"}, BAD_ARGUMENT),
    ],
    ids=str,
)
@pytest.mark.check("data 51")
@pytest.mark.check("data 52")
async def test_indexes_that_cannot_be_are_refused(api: Api, parameters: Json, refused: tuple[int, str]) -> None:
    table = await api.new_table()
    await table.add_column("integer", "age")
    await table.add_column("varchar", "tags", size=9, array=True)
    await table.add_column("varchar", "long", size=1000)

    answer = await table.call("POST", "/indexes", body={"key": "own", "type": "key", **parameters})
    assert answer.said == refused


@pytest.mark.check("data 53")
async def test_an_index_has_as_many_columns_as_postgresql_has_room_for(api: Api) -> None:
    columns = [{"key": f"c{n}", "type": "integer"} for n in range(32)]
    index = {"key": "wide", "type": "key", "attributes": [column["key"] for column in columns]}
    table = await api.new_table(columns=columns, indexes=[index])

    assert (await table.call("GET", "/indexes/wide")).status == 200


async def test_a_table_has_at_most_58_indexes(api: Api) -> None:
    indexes = [{"key": f"i{n}", "type": "key", "attributes": ["text"]} for n in range(58)]
    table = await api.new_table(indexes=indexes)
    more = await table.call("POST", "/indexes", body={"key": "more", "type": "key", "columns": ["text"]})

    assert more.said == (400, "column_index_limit_exceeded")


async def test_deleting_a_column_deletes_the_indexes_over_it(api: Api) -> None:
    table = await api.new_table(indexes=[{"key": "own", "type": "unique", "attributes": ["text"]}])

    await table.call("DELETE", "/columns/text")

    assert (await table.call("GET", "/indexes")).json["total"] == 0


async def test_a_unique_index_over_equal_rows_is_not_made(api: Api) -> None:
    table = await api.new_table()
    await table.new_row({"text": "same"})
    await table.new_row({"text": "same"})

    made = await table.call("POST", "/indexes", body={"key": "own", "type": "unique", "columns": ["text"]})

    assert made.said == (400, "column_index_invalid")
    assert (await table.call("GET", "/indexes")).json["total"] == 0


INLINE: list[Json] = [
    {"key": "s", "type": "string", "size": 8, "required": True},
    {"key": "v", "type": "varchar", "size": 8, "default": "x"},
    {"key": "i", "type": "integer", "min": 1, "max": 9},
    {"key": "d", "type": "double"},
    {"key": "b", "type": "boolean", "array": True},
    {"key": "t", "type": "datetime"},
    {"key": "e", "type": "email"},
    {"key": "n", "type": "enum", "elements": ["a", "b"]},
    {"key": "u", "type": "string", "size": 2000, "format": "url"},
]


@pytest.mark.check("data 54")
async def test_a_table_is_made_with_its_columns_and_indexes(api: Api) -> None:
    table = await api.new_table(columns=INLINE, indexes=[{"key": "own", "type": "unique", "attributes": ["s", "i"]}])
    shown = (await table.call("GET", "")).json

    types = ["string", "varchar", "integer", "double", "boolean", "datetime", "string", "string", "string"]
    assert [column["type"] for column in shown["columns"]] == types
    assert [column.get("format") for column in shown["columns"][5:]] == ["datetime", "email", "enum", "url"]
    assert {part["status"] for part in shown["columns"] + shown["indexes"]} == {"available"}
    await table.new_row({"s": "a", "i": 1})
    assert (await table.create({"s": "a", "i": 1})).said == (409, "row_unique_constraint_violation")


@pytest.mark.parametrize(
    ("columns", "indexes", "refused"),
    [
        ([{"key": "odd", "type": "blob"}], [], BAD_ARGUMENT),
        ([{"key": "odd", "type": "float"}], [], BAD_ARGUMENT),
        ([{"key": "odd", "type": "varchar"}], [], BAD_ARGUMENT),
        ([{"key": "odd", "type": "string", "size": 9, "format": "integer"}], [], BAD_ARGUMENT),
        ([{"key": "$odd", "type": "boolean"}], [], BAD_ARGUMENT),
        ([{"type": "boolean"}], [], BAD_ARGUMENT),
        ([{"key": "a", "type": "boolean"}, {"key": "A", "type": "boolean"}], [], (409, "column_already_exists")),
        ([{"key": f"c{n}", "type": "boolean"} for n in range(101)], [], BAD_ARGUMENT),
        ([], [{"key": "own", "type": "key", "attributes": ["odd"]}], (400, "column_unknown")),
        (INLINE, [{"key": "own", "type": "key", "attributes": ["s"], "orders": ["ASC", "ASC"]}], BAD_ARGUMENT),
    ],
)
@pytest.mark.check("data 54")
async def test_a_table_is_made_whole_or_not_at_all(
    api: Api, columns: list[Json], indexes: list[Json], refused: tuple[int, str]
) -> None:
    table = await api.new_table()
    body = {"tableId": "other", "name": "Other", "columns": columns, "indexes": indexes}
    made = await api.call("POST", f"/{table.database}/tables", body=body)

    assert made.said == refused
    if "odd" in str(columns) and refused == BAD_ARGUMENT and columns[0]["type"] in {"blob", "float"}:
        assert "odd" in made.json["message"]
        assert "Invalid type for attribute" in made.json["message"]
    assert (await api.call("GET", f"/{table.database}/tables/other")).said == (404, "table_not_found")


async def test_databases_are_listed_page_by_page(api: Api) -> None:
    word = api.new_id("word")
    ids = [api.new_id("listed") for _ in range(4)]
    for place, id_ in enumerate(ids):
        await api.call("POST", "", body={"databaseId": id_, "name": f"{word} {place}"})

    async def listed(*queries: str, **more: Any) -> list[str]:
        answer = await api.call("GET", "", body={"search": word, "queries": list(queries), **more})
        assert answer.status == 200, answer
        return [one["$id"] for one in answer.json["databases"]]

    assert await listed() == ids
    assert await listed(query("limit", None, 2), query("offset", None, 1)) == ids[1:3]
    assert await listed(query("cursorAfter", None, ids[1])) == ids[2:]
    assert await listed(query("cursorBefore", None, ids[3]), query("limit", None, 2)) == ids[1:3]
    assert await listed(query("orderDesc", "name")) == ids[::-1]
    assert await listed(query("equal", "$id", ids[0], ids[2])) == [ids[0], ids[2]]
    assert await listed(query("notEqual", "name", f"{word} 0")) == ids[1:]
    assert await listed(query("startsWith", "name", word), query("endsWith", "name", "3")) == ids[3:]
    assert await listed(query("greaterThan", "$createdAt", "2020-01-01")) == ids
    counted = await api.call("GET", "", body={"search": word, "queries": [query("limit", None, 1)]})
    assert counted.json["total"] == 4
    for search, expected in (
        (f'"{word.upper()} 1"', ids[1:2]),
        (f'"{ids[2]}"', ids[2:3]),
        (f'"{word[1:]} 1"', []),
        ('""', []),
    ):
        phrase = await api.call("GET", "", body={"search": search})
        assert [one["$id"] for one in phrase.json["databases"]] == expected, search
    spared = await api.call("GET", "", body={"search": word, "total": False})
    assert (spared.json["total"], len(spared.json["databases"])) == (0, 4)


@pytest.mark.parametrize(
    "bad",
    [
        "nonsense",
        query("select", None, "name"),
        query("equal", "nothing", "a"),
        query("equal", "name"),
        query("orderAsc", "nothing"),
        query("limit", None, 0),
        query("limit", None, "5"),
        query("offset", None, -1),
        query("cursorAfter", None, "_"),
        query("regex", "name", "a"),
        query("equal", "name", *range(501)),
        query("or", None, {"method": "equal", "attribute": "name", "values": ["a"]}),
        query("equal", "enabled", {"a": 1}),
    ],
)
@pytest.mark.check("data 49")
@pytest.mark.parametrize("noun", ["", "/{}/tables", "/{}/tables/{}/columns", "/{}/tables/{}/indexes"])
async def test_lists_of_definitions_refuse_bad_queries(api: Api, noun: str, bad: str) -> None:
    table = await api.new_table()
    path = noun.format(table.database, table.table)

    assert (await api.call("GET", path, body={"queries": [bad]})).said == BAD_ARGUMENT


async def test_a_cursor_of_definitions_must_be_there(api: Api) -> None:
    table = await api.new_table()
    queries = {"queries": [query("cursorAfter", None, "nothing")]}

    for path in ("", f"/{table.database}/tables", f"{table.path}/columns", f"{table.path}/indexes"):
        assert (await api.call("GET", path, body=queries)).said == (400, "general_cursor_not_found")


@pytest.mark.check("data 49")
async def test_columns_are_listed_by_what_they_are(api: Api) -> None:
    table = await api.new_table(columns=INLINE)

    async def listed(*queries: str) -> list[str]:
        answer = await table.call("GET", "/columns", body={"queries": list(queries)})
        assert answer.status == 200, answer
        return [one["key"] for one in answer.json["columns"]]

    assert await listed() == [column["key"] for column in INLINE]
    assert await listed(query("equal", "type", "string")) == ["s", "e", "n", "u"]
    assert await listed(query("equal", "required", True)) == ["s"]
    assert await listed(query("equal", "array", True)) == ["b"]
    assert await listed(query("greaterThan", "size", 1)) == ["s", "v"]
    assert await listed(query("orderDesc", "key"), query("limit", None, 2)) == ["v", "u"]
    assert await listed(query("cursorAfter", None, "n")) == ["u"]
    assert await listed(query("equal", "status", "failed")) == []


async def test_tables_are_listed_by_what_they_are(api: Api) -> None:
    table = await api.new_table()
    await api.call("POST", f"/{table.database}/tables", body={"tableId": "off", "name": "Off", "enabled": False})

    async def listed(*queries: str) -> list[str]:
        answer = await api.call("GET", f"/{table.database}/tables", body={"queries": list(queries)})
        assert answer.status == 200, answer
        return [one["$id"] for one in answer.json["tables"]]

    assert await listed() == [table.table, "off"]
    assert await listed(query("equal", "enabled", False)) == ["off"]
    assert await listed(query("equal", "name", "A table")) == [table.table]
    assert (await api.call("GET", "/nowhere/tables")).said == (404, "database_not_found")
