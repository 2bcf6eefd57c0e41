"""Databases, the older API: its own words on the wire, the same things behind them."""

import re
from dataclasses import dataclass, replace
from typing import Any

import pytest

from shared.web.endpoint import PLACEHOLDER, Endpoint
from tests.accounts import GUEST, Headers
from tests.answer import Answer
from tests.declarations import ENDPOINTS, parameter_names
from tests.integration.data.api import Api, Json, TableApi, query

BAD_ARGUMENT = (400, "general_argument_invalid")
TWINS = [endpoint for endpoint in ENDPOINTS if endpoint.service == "databases"]
NEW_WORD = re.compile("table|column|row", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Shop:
    """A database and a collection that were made as Databases makes them."""

    api: Api
    database: str
    collection: str = "goods"

    async def call(self, method: str, path: str, body: Json | None = None, caller: Headers | None = None) -> Answer:
        """Call a path below the collection, as it is."""
        return await databases(self.api, method, f"/{self.database}/collections/{self.collection}{path}", body, caller)

    async def new_document(self, **data: Any) -> Json:
        made = await self.call("POST", "/documents", {"documentId": "unique()", "data": data})
        assert made.status == 201, made
        return dict(made.json)

    @property
    def table(self) -> TableApi:
        """The same by the newer API."""
        return TableApi(api=self.api, database=self.database, table=self.collection)


async def databases(
    api: Api, method: str, path: str, body: Json | None = None, caller: Headers | None = None
) -> Answer:
    """Call `/v1/databases` + path, nothing replaced."""
    return await replace(api, service="databases").call(method, path, caller, body)


@pytest.fixture
async def shop(api: Api) -> Shop:
    shop = Shop(api=api, database=api.new_id("database"))
    made = await databases(api, "POST", "", {"databaseId": shop.database, "name": "A shop"})
    assert made.status == 201, made
    collection = {
        "collectionId": shop.collection,
        "name": "Goods",
        "documentSecurity": True,
        "permissions": ['create("users")'],
        "attributes": [
            {"key": "name", "type": "varchar", "size": 64, "required": True},
            {"key": "price", "type": "integer"},
        ],
        "indexes": [{"key": "by_name", "type": "unique", "attributes": ["name"]}],
    }
    made = await databases(api, "POST", f"/{shop.database}/collections", collection)
    assert made.status == 201, made
    return shop


async def test_a_database_is_of_the_api_that_made_it_and_served_by_both(api: Api, shop: Shop) -> None:
    newer = await api.new_table()

    for database, type_ in ((shop.database, "legacy"), (newer.database, "tablesdb")):
        shown = await databases(api, "GET", f"/{database}")
        assert shown.json["type"] == type_
        assert shown.json == (await api.call("GET", f"/{database}")).json
    renamed = await databases(api, "PUT", f"/{newer.database}", {"name": "Renamed"})
    assert (renamed.json["name"], renamed.json["type"]) == ("Renamed", "tablesdb")
    listed = await databases(api, "GET", f"/{newer.database}/collections")
    assert [one["$id"] for one in listed.json["collections"]] == [newer.table]


async def test_a_collection_is_a_table_in_other_words(shop: Shop) -> None:
    collection = (await shop.call("GET", "")).json
    table = (await shop.table.call("GET", "")).json

    assert set(collection) - set(table) == {"documentSecurity", "attributes"}
    assert set(table) - set(collection) == {"rowSecurity", "columns"}
    assert collection["documentSecurity"] is table["rowSecurity"] is True
    assert collection["attributes"] == table["columns"]
    assert [one["attributes"] for one in collection["indexes"]] == [["name"]]
    changed = await shop.call("PUT", "", {"name": "Wares", "documentSecurity": True})
    assert (changed.json["name"], changed.json["documentSecurity"]) == ("Wares", True)


async def test_attributes_and_indexes_are_made_shown_and_deleted(shop: Shop) -> None:
    made = await shop.call("POST", "/attributes/boolean", {"key": "sold", "required": False, "default": False})
    shown = await shop.call("GET", "/attributes/sold")
    index = await shop.call("POST", "/indexes", {"key": "by_price", "type": "key", "attributes": ["price"]})
    by_attribute = await shop.call("GET", "/indexes", {"queries": [query("contains", "attributes", "price")]})

    assert (made.status, index.status) == (202, 202)
    assert made.json == shown.json
    assert (await shop.call("GET", "/attributes")).json["attributes"][-1] == shown.json
    assert index.json["attributes"] == ["price"]
    assert by_attribute.json == {"total": 1, "indexes": [index.json]}
    assert (await shop.call("DELETE", "/indexes/by_price")).status == 204
    assert (await shop.call("DELETE", "/attributes/sold")).status == 204
    assert (await shop.call("GET", "/attributes/sold")).said == (404, "attribute_not_found")


async def test_an_attribute_is_changed_and_renamed(shop: Shop) -> None:
    await shop.new_document(name="Lamp", price=3)
    change = {"required": False, "default": None}
    changed = await shop.call("PATCH", "/attributes/integer/price", change | {"max": 9, "newKey": "cost"})

    assert (changed.status, changed.json["key"], changed.json["max"]) == (200, "cost", 9)
    assert changed.json == (await shop.call("GET", "/attributes/cost")).json
    assert (await shop.call("GET", "/documents")).json["documents"][0]["cost"] == 3
    for path, body, said in (
        ("/varchar/name", change | {"size": 3}, (400, "attribute_invalid_resize")),
        ("/varchar/name", change | {"newKey": "cost"}, (409, "attribute_already_exists")),
        ("/varchar/name", change | {"size": 1000}, (400, "index_invalid")),
        ("/string/name", change, (400, "attribute_type_invalid")),
        ("/varchar/price", change, (404, "attribute_not_found")),
        ("/integer/cost", {"required": False}, BAD_ARGUMENT),
    ):
        assert (await shop.call("PATCH", f"/attributes{path}", body)).said == said, (path, body)


async def test_a_document_is_a_row_in_other_words(shop: Shop) -> None:
    made = await shop.new_document(name="Lamp", price=3)
    id_ = made["$id"]
    row = (await shop.table.get(id_)).json

    assert row == {name: value for name, value in made.items() if name != "$collectionId"} | {"$tableId": "goods"}
    assert made["$collectionId"] == "goods"
    assert (await shop.call("GET", f"/documents/{id_}")).json == made
    changed = await shop.call("PATCH", f"/documents/{id_}", {"data": {"price": 4, "$collectionId": "other"}})
    assert changed.json == made | {"price": 4, "$updatedAt": changed.json["$updatedAt"]}
    assert (await shop.call("GET", "/documents")).json == {"total": 1, "documents": [changed.json]}
    assert (await shop.table.list()).json["rows"][0]["$tableId"] == "goods"
    more = await shop.call("PATCH", f"/documents/{id_}/price/increment", {"value": 2})
    less = await shop.call("PATCH", f"/documents/{id_}/price/decrement", {})
    assert (more.json["price"], less.json["price"]) == (6, 5)
    selected = [query("select", None, "$collectionId", "price"), query("equal", "$id", id_)]
    found = await shop.call("GET", "/documents", {"queries": selected})
    assert [(one["price"], one["$collectionId"], "name" in one) for one in found.json["documents"]] == [
        (5, "goods", False)
    ]
    assert (await shop.call("DELETE", f"/documents/{id_}")).said == (204, "")
    assert await shop.table.found() == []


async def test_an_upsert_may_leave_the_id_to_the_server(shop: Shop) -> None:
    made = await shop.call("PUT", "/documents/unique()", {"data": {"name": "Lamp"}})
    again = await shop.call("PUT", f"/documents/{made.json['$id']}", {"data": {"name": "Desk"}})

    assert (made.status, again.status) == (200, 200)
    assert re.fullmatch(r"[0-9a-f]{20}", made.json["$id"])
    assert again.json["$id"] == made.json["$id"]
    assert await shop.table.found(column="name") == ["Desk"]
    for method, path in (("PATCH", "/documents/unique()"), ("GET", "/documents/unique()")):
        assert (await shop.call(method, path, {"data": {"name": "x"}})).said == BAD_ARGUMENT
    newer = await shop.table.call("PUT", "/rows/unique()", body={"data": {"name": "x"}})
    assert newer.said == BAD_ARGUMENT


async def test_errors_have_their_older_types(api: Api, shop: Shop) -> None:
    attribute, index = {"key": "name", "required": False}, {"key": "i", "type": "key"}
    unset = {"key": "x", "required": True, "default": True}
    narrow = {"key": "x", "required": False, "min": 2, "max": 1}
    await shop.new_document(name="Lamp")
    await shop.call("POST", "/documents", {"documentId": "desk", "data": {"name": "Desk"}})
    for method, path, body, said in (
        ("GET", "/attributes/none", {}, (404, "attribute_not_found")),
        ("POST", "/attributes/boolean", attribute, (409, "attribute_already_exists")),
        ("POST", "/attributes/boolean", unset, (400, "attribute_default_unsupported")),
        ("POST", "/attributes/integer", narrow, (400, "attribute_value_invalid")),
        ("GET", "/indexes/none", {}, (404, "index_not_found")),
        ("POST", "/indexes", index | {"key": "by_name", "attributes": ["name"]}, (409, "index_already_exists")),
        ("POST", "/indexes", index | {"attributes": ["none"]}, (400, "attribute_unknown")),
        ("POST", "/indexes", index | {"attributes": []}, (400, "index_invalid")),
        ("GET", "/documents/none", {}, (404, "document_not_found")),
        ("POST", "/documents", {"documentId": "x"}, (400, "document_missing_data")),
        ("PATCH", "/documents/desk", {"data": {}}, (400, "document_missing_payload")),
        ("POST", "/documents", {"documentId": "x", "data": {"row": 1}}, (400, "document_invalid_structure")),
        ("POST", "/documents", {"documentId": "desk", "data": {"name": "x"}}, (409, "document_already_exists")),
        ("PATCH", "/documents/desk", {"data": {"name": "Lamp"}}, (409, "document_unique_constraint_violation")),
        ("PATCH", "/documents/desk/name/increment", {}, (400, "attribute_type_invalid")),
        ("PATCH", "/documents/desk/price/increment", {"value": 2, "max": 1}, (400, "attribute_limit_exceeded")),
        ("GET", "/documents", {"queries": [query("equal", "none", 1)]}, (400, "general_query_invalid")),
        ("POST", "/documents", {"rowId": "x", "data": {"name": "x"}}, (400, "document_missing_data")),
    ):  # fmt: skip
        assert (await shop.call(method, path, body)).said == said, (method, path, body)
    collections = f"/{shop.database}/collections"
    new = {"collectionId": shop.collection, "name": "Again"}
    assert (await databases(api, "GET", f"{collections}/none")).said == (404, "collection_not_found")
    assert (await databases(api, "POST", collections, new)).said == (409, "collection_already_exists")
    assert (await databases(api, "GET", "/none/collections")).said == (404, "database_not_found")


async def test_messages_are_in_its_words_but_not_what_they_quote(api: Api, shop: Shop) -> None:
    missing = await shop.call("GET", "/documents/none")
    unknown = await shop.call("POST", "/documents", {"documentId": "x", "data": {"row": 1}})
    unnamed = await databases(api, "POST", f"/{shop.database}/collections", {"name": "x"})
    inline = {"collectionId": "x", "name": "x", "attributes": [{"key": "row", "type": "table"}]}
    invalid = await databases(api, "POST", f"/{shop.database}/collections", inline)

    assert missing.json["message"].startswith("Document ")
    assert '"row"' in unknown.json["message"]
    assert '"collectionId"' in unnamed.json["message"]
    assert invalid.said == BAD_ARGUMENT
    assert "`attributes`" in invalid.json["message"]
    assert "'row'" in invalid.json["message"]


async def test_a_change_by_one_api_is_seen_by_the_other(shop: Shop) -> None:
    """Each remembers the table for itself."""
    id_ = (await shop.new_document(name="Lamp"))["$id"]
    assert (await shop.table.get(id_)).json["name"] == "Lamp"

    await shop.table.add_column("integer", "weight")
    assert "weight" in (await shop.call("GET", f"/documents/{id_}")).json
    await shop.call("POST", "/attributes/integer", {"key": "height", "required": False})
    assert "height" in (await shop.table.get(id_)).json
    await shop.table.call("PUT", "", body={"name": "Goods", "permissions": ['read("any")']})
    assert (await shop.call("GET", f"/documents/{id_}", caller=GUEST)).status == 200
    await shop.call("PUT", "", {"name": "Goods", "enabled": False})
    assert (await shop.table.get(id_, GUEST)).said == (404, "table_not_found")
    assert (await shop.call("GET", f"/documents/{id_}", caller=GUEST)).said == (404, "collection_not_found")


@pytest.mark.parametrize("endpoint", TWINS, ids=lambda endpoint: endpoint.name)
async def test_no_answer_has_a_name_of_the_newer_api(api: Api, shop: Shop, endpoint: Endpoint) -> None:
    """Each endpoint is called with what it needs, as far as that can be told from its parameters."""
    await shop.call("POST", "/documents", {"documentId": "lamp", "data": {"name": "Lamp", "price": 1}})
    path = {
        "databaseId": shop.database,
        "collectionId": shop.collection,
        "documentId": "lamp",
        "attribute": "price",
        "key": "by_name" if "index" in endpoint.name else "price",
    }
    body: Json = {
        "databaseId": api.new_id("database"),
        "collectionId": "other",
        "documentId": "desk",
        "attributes": ["price"] if "index" in endpoint.name else [],
        "key": "new",
        "name": "A name",
        "type": "key",
        "required": False,
        "size": 8,
        "elements": ["red"],
        "default": None,
        "data": {"name": "Desk"},
        "permissions": ['read("any")'],
    }
    names = [name for name in parameter_names(endpoint) if name not in endpoint.placeholders()]
    if "data" not in names:
        body["documents"] = [{"$id": "desk", "name": "Desk"}]
    if changed := re.search("/attributes/([a-z]+)/{key}", endpoint.paths[0]):
        await shop.call("POST", f"/attributes/{changed[1]}", body | {"key": "price-2"})
        path["key"] = "price-2"
    url = PLACEHOLDER.sub(lambda found: path[found[1]], endpoint.paths[0]).removeprefix("/v1/databases")
    sent = {name: value for name, value in body.items() if name in names}

    answer = await databases(api, endpoint.method, url, sent)

    assert answer.status < 300, answer
    assert [name for name in names_in(answer.json) if NEW_WORD.search(name)] == []


def names_in(value: Any) -> list[str]:
    """Return all keys of a JSON value."""
    if isinstance(value, dict):
        return [*value, *(name for one in value.values() for name in names_in(one))]
    return [name for one in value for name in names_in(one)] if isinstance(value, list) else []
