"""Texts that would be SQL, JSON or a template elsewhere: what takes a text takes them as they are, or refuses them."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.integration.data.accounts import GUEST
from tests.integration.data.api import Api, Json, TableApi, query

TEXTS = [
    "'; DROP TABLE data.tables CASCADE; --",
    '"; DROP TABLE data.tables CASCADE; --',
    "' OR '1'='1",
    "') OR true --",
    "\\' OR 1=1 --",
    "' UNION SELECT 1, text FROM data.tables --",
    "'||(SELECT version())||'",
    "$1",
    "$$; SELECT 1; $$",
    "{}",
    "{0.__class__}",
    "{table.rows}",
    "%s %(x)s %",
    "/* */ -- ;",
    '","$id":"stolen","x":"',
    '"}],"total":0}',
    "\\u0027\\\\",
    "\u02bc\uff07\u2028",
    "_%",
    "\r\n\t\x1a",
]
"""None of them is an id."""

WORDS = ["select", "NULL", "t.id", "id", "seq", "permissions", "json", "a--b", "c_1", "page", "1", "true", "at", "role"]
"""They are ids, and mean something in SQL."""

LENGTH = 64
BAD_ARGUMENT = (400, "general_argument_invalid")
BAD_QUERY = (400, "general_query_invalid")

texts = pytest.mark.parametrize("text", TEXTS, ids=repr)
words = pytest.mark.parametrize("word", WORDS)


@pytest.fixture(scope="module")
async def shop(api: Api) -> TableApi:
    """A table with a column of each shape of text, readable by row; each test leaves it as it is."""
    columns: list[Json] = [
        {"key": "text", "type": "varchar", "size": LENGTH},
        {"key": "long", "type": "longtext"},
        {"key": "list", "type": "string", "size": LENGTH, "array": True},
        {"key": "one", "type": "enum", "elements": TEXTS},
        {"key": "number", "type": "integer"},
        {"key": "date", "type": "datetime"},
    ]
    table = await api.new_table(columns=columns, rowSecurity=True, permissions=['create("any")'])
    for text in TEXTS:
        await table.new_row({"text": text, "long": text, "list": [text, "other"], "one": text})
    return table


@pytest.fixture(autouse=True)
async def unharmed(shop: TableApi) -> AsyncIterator[None]:
    """After each test everything is there, and guests still see nothing."""
    before = await shop.list(query("limit", None, 100))
    assert before.body["total"] == len(TEXTS)
    yield
    assert (await shop.list(query("limit", None, 100))).body == before.body
    assert (await shop.list(caller=GUEST)).body == {"total": 0, "rows": []}


@texts
async def test_values_come_back_as_they_went_in(shop: TableApi, text: str) -> None:
    data = {"text": text, "long": text, "list": [text, text], "one": text}
    made = await shop.create(data, row_id="own")
    changed = await shop.update("own", {"data": data | {"list": [text]}})
    shown = await shop.get("own")
    deleted = await shop.delete("own")

    assert made.body == made.body | data
    assert changed.body == shown.body == made.body | {"list": [text], "$updatedAt": changed.body["$updatedAt"]}
    assert deleted.status == 204


@texts
async def test_values_of_queries_find_what_holds_them_and_no_more(shop: TableApi, text: str) -> None:
    for column in ("text", "long", "one"):
        for method in ("equal", "startsWith", "endsWith"):
            assert await shop.found(query(method, column, text), column="text") == [text]
        holding = [one for one in TEXTS if text in one]
        assert await shop.found(query("contains", column, text), column="text") == holding
        both = query("contains", column, text, text), query("equal", column, text, text)
        assert await shop.found(*both, column="text") == [text]
        assert len(await shop.found(query("notEqual", column, text))) == len(TEXTS) - 1
        assert await shop.found(query("between", column, text, text), column="text") == [text]
    for values in ([text], [text, "none"]):
        assert await shop.found(query("contains", "list", *values), column="text") == [text]
    assert await shop.found(query("equal", "$id", text)) == []
    assert await shop.found(query("equal", "text", text), caller=GUEST) == []


@texts
async def test_defaults_are_given_as_they_are(api: Api, text: str) -> None:
    table = await api.new_table()
    for kind, options in (("varchar", {"size": LENGTH}), ("text", {}), ("enum", {"elements": ["x", text]})):
        made = await table.add_column(kind, f"own-{kind}", default=text, **options)
        assert made.body["default"] == text
    made = await table.create({"text": "a"})

    assert made.body == made.body | {"text": "a", "own-varchar": text, "own-text": text, "own-enum": text}


@texts
async def test_names_are_shown_and_searched_as_they_are(api: Api, text: str) -> None:
    table = await api.new_table(name=text)
    await api.call("PUT", f"/{table.database}", body={"name": text})
    named = await api.call("GET", "", body={"queries": [query("equal", "name", text)], "search": table.database})
    searched = await api.call("GET", f"/{table.database}/tables", body={"search": text})

    assert (await table.call("GET", "")).body["name"] == text
    assert [one["name"] for one in named.body["databases"]] == [text]
    assert [one["name"] for one in searched.body["tables"]] in ([text], [])


@texts
async def test_what_is_no_id_is_refused_as_one(api: Api, shop: TableApi, text: str) -> None:
    tables = f"/{shop.database}/tables"
    index = {"type": "key", "columns": ["text"]}
    inline = {"tableId": "x", "name": "x"}
    for path, body in (
        ("", {"databaseId": text, "name": "x"}),
        (tables, {"tableId": text, "name": "x"}),
        (tables, inline | {"columns": [{"key": text, "type": "boolean"}]}),
        (tables, inline | {"columns": [{"key": "x", "type": text}]}),
        (tables, inline | {"indexes": [{"key": text, "type": "key", "attributes": ["$id"]}]}),
        (f"{shop.path}/columns/boolean", {"key": text, "required": False}),
        (f"{shop.path}/indexes", index | {"key": text}),
        (f"{shop.path}/indexes", index | {"key": "x", "type": text}),
        (f"{shop.path}/indexes", index | {"key": "x", "orders": [text]}),
        (f"{shop.path}/rows", {"rowId": text, "data": {"text": "a"}}),
    ):
        assert (await api.call("POST", path, body=body)).said == BAD_ARGUMENT, (path, body)
    unknown = await api.call("POST", f"{shop.path}/indexes", body=index | {"key": "x", "columns": [text]})
    assert unknown.said == (400, "column_unknown")


@texts
async def test_what_is_no_id_leads_nowhere_in_a_path(api: Api, shop: TableApi, text: str) -> None:
    part = quote(text, safe="")
    for method, path in (
        ("GET", f"/{part}"),
        ("DELETE", f"/{part}"),
        ("GET", f"/{shop.database}/tables/{part}"),
        ("DELETE", f"/{shop.database}/tables/{part}"),
        ("GET", f"/{shop.database}/tables/{part}/rows"),
        ("GET", f"{shop.path}/columns/{part}"),
        ("DELETE", f"{shop.path}/columns/{part}"),
        ("DELETE", f"{shop.path}/indexes/{part}"),
        ("POST", f"{shop.path}/columns/{part}"),
        ("GET", f"{shop.path}/rows/{part}"),
        ("PATCH", f"{shop.path}/rows/{part}"),
        ("PUT", f"{shop.path}/rows/{part}"),
        ("DELETE", f"{shop.path}/rows/{part}"),
        ("PATCH", f"{shop.path}/rows/{part}/number/increment"),
        ("PATCH", f"{shop.path}/rows/x/{part}/increment"),
        ("PATCH", f"{shop.path}/rows/{part}/number/decrement"),
        ("PATCH", f"{shop.path}/rows/x/{part}/decrement"),
    ):
        assert (await api.call(method, path, body={})).status in {400, 404}, (method, path)


@texts
async def test_permissions_name_roles_only(shop: TableApi, text: str) -> None:
    for permission in (text, f'read("{text}")', f'{text}("any")', f'read("user:{text}")', f'read("team:a/{text}")'):
        made = await shop.create({"text": "a"}, permissions=[permission])
        changed = await shop.call("PUT", "", body={"permissions": [permission], "rowSecurity": True})
        assert made.said == changed.said == BAD_ARGUMENT, permission


@texts
async def test_keys_of_data_are_columns_only(shop: TableApi, text: str) -> None:
    row = (await shop.found())[0]
    assert (await shop.call("POST", "/rows", body={"rowId": "x", "data": text})).said in (
        BAD_ARGUMENT,
        (400, "row_missing_data"),
    )
    for key in (text, f"text{text}", f"${text}"):
        assert (await shop.create({key: "a"})).said == (400, "row_invalid_structure")
        assert (await shop.update(row, {"data": {key: "a"}})).said == (400, "row_invalid_structure")


@texts
async def test_values_of_other_kinds_are_no_texts(shop: TableApi, text: str) -> None:
    for column, value in (("number", text), ("date", text), ("date", f"2024-01-01{text}"), ("one", f"{text}x")):
        assert (await shop.create({column: value})).said == (400, "row_invalid_structure"), value
    for name in ("$createdAt", "$updatedAt"):
        assert (await shop.create({"text": "a", name: text})).status == 400


@texts
async def test_queries_name_methods_and_columns_only(shop: TableApi, text: str) -> None:
    for bad in (
        text,
        query(text),
        query(text, "text", "a"),
        query("equal", text, "a"),
        query("equal", f"text{text}", "a"),
        query("isNull", text),
        query("equal", "number", text),
        query("equal", "date", text),
        query("equal", "$sequence", text),
        query("greaterThan", "$createdAt", text),
        query("orderAsc", text),
        query("orderDesc", text),
        query("limit", None, text),
        query("offset", None, text),
        query("cursorAfter", None, text),
        query("cursorBefore", None, text),
        query("select", None, text),
        query("select", None, "text", text),
        query("or", None, text, text),
        query("and", None, *[{"method": "equal", "attribute": text, "values": [1]}] * 2),
    ):
        for caller in (shop.api.key, GUEST):
            answer = await shop.list(bad, caller=caller)
            assert answer.said in (BAD_QUERY, BAD_ARGUMENT), bad
            assert "data.tables" not in answer.body["message"].replace(text, "")


@texts
async def test_lists_of_definitions_name_attributes_only(api: Api, shop: TableApi, text: str) -> None:
    for path in ("", f"/{shop.database}/tables", f"{shop.path}/columns", f"{shop.path}/indexes"):
        for bad in (text, query("equal", text, "a"), query("orderAsc", text), query("cursorAfter", None, text)):
            assert (await api.call("GET", path, body={"queries": [bad]})).said == BAD_ARGUMENT, (path, bad)


@pytest.mark.parametrize("text", [one for one in TEXTS if one.isascii() and one.isprintable()], ids=repr)
async def test_headers_prove_nothing_by_such_texts(shop: TableApi, text: str) -> None:
    row = (await shop.found())[0]
    for headers in (
        {"X-Appwrite-Project": text},
        {"X-Appwrite-Key": text},
        {"X-Appwrite-Session": text},
        {"X-Appwrite-JWT": text},
        {"Cookie": f"a_session_library={quote(text)}"},
    ):
        answer = await shop.get(row, headers)
        assert answer.status in {400, 401, 404}, headers


@words
async def test_words_of_sql_are_ids_like_others(api: Api, word: str) -> None:
    database = f"{word}-{api.new_id('d')}"[:36]
    columns: list[Json] = [
        {"key": word, "type": "varchar", "size": LENGTH},
        {"key": f"{word}2", "type": "integer", "array": True},
    ]
    indexes = [{"key": word, "type": "unique", "attributes": [word]}]
    table = {"tableId": word, "name": word, "columns": columns, "indexes": indexes, "rowSecurity": True}
    made = [
        await api.call("POST", "", body={"databaseId": database, "name": word}),
        await api.call("POST", f"/{database}/tables", body=table),
    ]
    named = TableApi(api=api, database=database, table=word)
    data: dict[str, Any] = {word: "a", f"{word}2": [1]}
    row = await named.create(data, row_id=word, permissions=['read("any")'])
    queries = [
        query("equal", word, "a"),
        query("contains", f"{word}2", 1),
        query("orderDesc", word),
        query("select", None, word),
    ]

    assert [one.status for one in made] == [201, 201]
    assert row.body == row.body | data
    assert await named.found(*queries, column=word, caller=GUEST) == ["a"]
    assert (await named.update(word, {"data": {word: "b"}})).body[word] == "b"
    assert (await named.create({word: "b"})).said == (409, "row_unique_constraint_violation")
    assert (await named.call("DELETE", f"/columns/{word}")).status == 204
    assert word not in (await named.get(word)).body
