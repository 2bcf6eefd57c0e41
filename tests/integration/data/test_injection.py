"""Texts that would be SQL, JSON or a template elsewhere: what takes a text takes them as they are, or refuses them."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest

from services.data.domain.columns import INLINE, KINDS
from services.data.domain.naming import old_name
from services.embedded.postgres import SUPERUSER
from shared.web.endpoint import Endpoint
from tests.accounts import GUEST
from tests.declarations import ENDPOINTS
from tests.injection import (
    HEADER_TEXTS,
    Attempt,
    Canary,
    Target,
    attempts,
    chosen_values,
    header_attempts,
    open_canary,
    write,
)
from tests.injection import TEXTS as SQL
from tests.integration.data.api import Api, Json, TableApi
from tests.parts import Database, Parts
from tests.wire import query

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
    assert before.json["total"] == len(TEXTS)
    yield
    assert (await shop.list(query("limit", None, 100))).json == before.json
    assert (await shop.list(caller=GUEST)).json == {"total": 0, "rows": []}


@texts
async def test_values_come_back_as_they_went_in(shop: TableApi, text: str) -> None:
    data = {"text": text, "long": text, "list": [text, text], "one": text}
    made = await shop.create(data, row_id="own")
    changed = await shop.update("own", {"data": data | {"list": [text]}})
    shown = await shop.get("own")
    deleted = await shop.delete("own")

    assert made.json == made.json | data
    assert changed.json == shown.json == made.json | {"list": [text], "$updatedAt": changed.json["$updatedAt"]}
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
        assert made.json["default"] == text
    made = await table.create({"text": "a"})

    assert made.json == made.json | {"text": "a", "own-varchar": text, "own-text": text, "own-enum": text}


@texts
async def test_names_are_shown_and_searched_as_they_are(api: Api, text: str) -> None:
    table = await api.new_table(name=text)
    await api.call("PUT", f"/{table.database}", body={"name": text})
    named = await api.call("GET", "", body={"queries": [query("equal", "name", text)], "search": table.database})
    searched = await api.call("GET", f"/{table.database}/tables", body={"search": text})

    assert (await table.call("GET", "")).json["name"] == text
    assert [one["name"] for one in named.json["databases"]] == [text]
    assert [one["name"] for one in searched.json["tables"]] in ([text], [])


@texts
async def test_an_invalid_id_is_refused_as_one(api: Api, shop: TableApi, text: str) -> None:
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
            if caller is GUEST and answer.json == {"total": 0, "rows": []}:
                continue  # to who may read no row, the table is empty, whatever is asked of its columns
            assert answer.said in (BAD_QUERY, BAD_ARGUMENT), bad
            assert "data.tables" not in answer.json["message"].replace(text, "")


@texts
async def test_lists_of_definitions_name_attributes_only(api: Api, shop: TableApi, text: str) -> None:
    for path in ("", f"/{shop.database}/tables", f"{shop.path}/columns", f"{shop.path}/indexes"):
        for bad in (text, query("equal", text, "a"), query("orderAsc", text), query("cursorAfter", None, text)):
            assert (await api.call("GET", path, body={"queries": [bad]})).said == BAD_ARGUMENT, (path, bad)


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
    assert row.json == row.json | data
    assert await named.found(*queries, column=word, caller=GUEST) == ["a"]
    assert (await named.update(word, {"data": {word: "b"}})).json[word] == "b"
    assert (await named.create({word: "b"})).said == (409, "row_unique_constraint_violation")
    assert (await named.call("DELETE", f"/columns/{word}")).status == 204
    assert word not in (await named.get(word)).json


OWN = [one for one in ENDPOINTS if one.service in {"tablesDB", "databases"}]

UNLIKE = [
    one for one in OWN if one.service == "tablesDB" and ("/columns/" not in one.paths[0] or "/varchar" in one.paths[0])
]
"""Those whose handlers are no others': the columns of all kinds have one, and the older API has those of the newer."""

DATA: Json = dict.fromkeys(KINDS, "a") | {
    "integer": 1,
    "bigint": 1,
    "float": 1.5,
    "boolean": True,
    "datetime": "2024-01-01T00:00:00.000+00:00",
    "email": "ada@example.org",
    "ip": "127.0.0.1",
    "url": "https://example.org",
}
"""A row with a column of each kind, by the kind's name."""

OPTIONS: dict[str, Json] = {"string": {"size": 64}, "varchar": {"size": 64}, "enum": {"elements": ["a", "b"]}}

ROW_QUERIES = [
    query("equal", "varchar", "a", "b"),
    query("between", "datetime", "2024-01-01", "2025-01-01"),
    query(
        "or", None, {"method": "isNull", "attribute": "url"}, {"method": "equal", "attribute": "ip", "values": ["::1"]}
    ),
    query("orderDesc", "varchar"),
    query("select", None, "$id", "varchar"),
    query("limit", None, 5),
    query("cursorAfter", None, "row"),
]


@dataclass(frozen=True)
class Stage:
    """A table with a column of each kind, an index and a row, which requests name."""

    table: TableApi

    @classmethod
    async def of(cls, api: Api) -> "Stage":
        types = {kind: name for name, kind in INLINE.items()}
        columns: list[Json] = [{"key": kind, "type": types[kind]} | OPTIONS.get(kind, {}) for kind in KINDS]
        table = await api.new_table(columns=columns)
        made = await table.call("POST", "/indexes", body={"key": "index", "type": "key", "columns": ["integer"]})
        assert made.status == 202, made
        assert (await table.create(DATA, row_id="row")).status == 201
        return cls(table)

    async def send(self, target: Target, attempt: Attempt, headers: Mapping[str, str] | None = None) -> int:
        """Make a request with a key; a column or index that it makes is deleted again: a table has room for a few."""
        status = await target.send(attempt, {**self.table.api.key, "X-Appwrite-Project": "library", **(headers or {})})
        if status == 202 and attempt.body:
            noun = "indexes" if "/indexes" in attempt.path else "columns"
            assert (await self.table.call("DELETE", f"/{noun}/{attempt.body['key']}")).status == 204
        return status

    def requests(self, endpoint: Endpoint) -> list[Json]:
        """Return values for all parameters of an endpoint, in the words of its API; of many rows, and of one."""
        known = self._known(endpoint)
        values = chosen_values(endpoint, known | {old_name(name): value for name, value in known.items()})
        if endpoint.name not in {"tables_db.create_row", "databases.create_document"}:
            return [values]
        one = {"data", "rowId", "documentId", "permissions"}
        many = {"rows", "documents"}
        return [
            {name: None if name in left_out else value for name, value in values.items()} for left_out in (one, many)
        ]

    def _known(self, endpoint: Endpoint) -> Json:
        path = endpoint.paths[0]
        kind = next((one for one in KINDS if f"/{one}" in f"{path}/"), "varchar")
        options = dict.fromkeys(("size", "min", "max", "elements")) | OPTIONS.get(kind, {})
        is_table = path.endswith(("/tables", "/collections"))
        inline = {"type": "varchar", "size": 64, "default": "a"}, {"type": "enum", "elements": ["a"]}
        permissions = ['read("user:a")']
        new = self.table.api.new_id
        return options | {
            "databaseId": self.table.database,
            "tableId": self.table.table,
            "rowId": "row",
            "transactionId": None,
            "name": "Name",
            "enabled": True,
            "rowSecurity": True,
            "purge": True,
            "key": new("k") if endpoint.method == "POST" else "index" if "/indexes" in path else kind,
            "newKey": kind,
            "required": False,
            "default": DATA[kind],
            "array": False,
            "encrypt": False,
            "type": "key",
            "columns": [{"key": one["type"], **one} for one in inline] if is_table else ["varchar"],
            "indexes": [{"key": "own", "type": "unique", "attributes": ["varchar"], "orders": ["ASC"]}],
            "orders": ["ASC"],
            "lengths": [None],
            "permissions": permissions,
            "rows": [{"$id": new("r"), "$permissions": permissions} | DATA],
            "data": json.dumps(DATA) if endpoint.method == "PATCH" else DATA,
            "queries": self._queries(endpoint),
            "search": "name",
            "total": True,
            "ttl": 0,
            "column": "integer",
            "value": 1,
            "min": options["min"],
            "max": options["max"],
        }

    def _queries(self, endpoint: Endpoint) -> list[str]:
        last = endpoint.paths[0].rpartition("/")[2]
        if endpoint.method != "GET":
            found = "row" if endpoint.method == "PATCH" else "none"
            return [query("equal", "$id", found), query("orderAsc", "varchar"), query("limit", None, 5)]
        if last.startswith("{"):
            return [query("select", None, "$id", "varchar")]
        if last in {"rows", "documents"}:
            return ROW_QUERIES
        cursor = {"columns": "varchar", "attributes": "varchar", "indexes": "index", "tables": self.table.table}
        cursor |= {"collections": self.table.table, "tablesdb": self.table.database, "databases": self.table.database}
        attribute = "name" if cursor[last] in {self.table.table, self.table.database} else "key"
        return [
            query("startsWith", attribute, "a"),
            query("orderAsc", attribute),
            query("cursorAfter", None, cursor[last]),
        ]


@pytest.fixture(scope="module")
async def canary(api: Api, parts: Parts) -> AsyncIterator[Canary]:
    database = Database(await api.pool.fetchval("SELECT current_database()"), parts.postgres)
    connection = await asyncpg.connect(database.dsn(SUPERUSER))
    async with open_canary(connection) as canary:
        yield canary
    await connection.close()


@pytest.fixture(scope="module")
async def stage(api: Api) -> Stage:
    return await Stage.of(api)


@pytest.fixture
async def target(api: Api, canary: Canary) -> AsyncIterator[Target]:
    """Where SQL may go, and is never run."""
    yield Target(api.http, api.urls[0], api.guards[0])
    assert not await canary.has_sung()


async def test_values_are_no_sql(stage: Stage, target: Target) -> None:
    for place, endpoint in enumerate(OWN):
        for values in stage.requests(endpoint) if endpoint.method != "DELETE" else ():
            attempt = write(endpoint, values)  # only in a good request each value is read by all that reads it
            assert await stage.send(target, attempt) == endpoint.status, attempt
        for text in SQL if endpoint in UNLIKE else [SQL[place % len(SQL)]]:
            for values in stage.requests(endpoint):
                for attempt in attempts(endpoint, values, text):
                    await stage.send(target, attempt)


async def test_headers_are_no_sql(stage: Stage, target: Target) -> None:
    for place, endpoint in enumerate(one for one in UNLIKE if one.method != "DELETE"):
        for sent in header_attempts(HEADER_TEXTS[place % len(HEADER_TEXTS)]):
            await stage.send(target, write(endpoint, stage.requests(endpoint)[0]), sent)
