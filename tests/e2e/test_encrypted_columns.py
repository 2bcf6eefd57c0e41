"""Columns with `encrypt: true` by the official SDK, in TablesDB and in Databases."""

from typing import Any

import pytest
from appwrite.id import ID
from appwrite.query import Query
from appwrite.services.databases import Databases
from appwrite.services.tables_db import TablesDB

from tests.e2e.instance import Instance
from tests.e2e.sdk import refusal, server

SECRET = "4111 1111 1111 1111, ünïcode"
KINDS = ("string", "varchar", "text", "mediumtext", "longtext")


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_is_written_read_and_changed_like_any_other(instance: Instance, kind: str) -> None:
    tables = TablesDB(server(instance))
    database = tables.create(ID.unique(), "Vault").id
    table = (database, tables.create_table(database, "cards", "Cards").id)
    size: dict[str, Any] = {"size": 150} if kind in {"string", "varchar"} else {}
    made = getattr(tables, f"create_{kind}_column")(*table, key="number", required=False, encrypt=True, **size)
    row = tables.create_row(*table, ID.unique(), {"number": SECRET})

    changed = tables.update_row(*table, row.id, {"number": "changed"})

    assert (made.key, made.encrypt, made.status.value) == ("number", True, "available")
    assert (row.data["number"], changed.data["number"]) == (SECRET, "changed")
    assert [one.data["number"] for one in tables.list_rows(*table).rows] == ["changed"]
    assert refusal(tables.list_rows, *table, [Query.equal("number", "changed")]) == (400, "general_query_invalid")
    assert refusal(tables.list_rows, *table, [Query.order_asc("number")]) == (400, "general_query_invalid")


def test_it_needs_room_for_150_characters(instance: Instance) -> None:
    tables = TablesDB(server(instance))
    database = tables.create(ID.unique(), "Vault").id
    table = (database, tables.create_table(database, "cards", "Cards").id)

    refused = refusal(tables.create_string_column, *table, "number", 149, False, encrypt=True)

    assert refused == (400, "general_bad_request")


def test_attributes_of_databases_are_encrypted_too(instance: Instance) -> None:
    databases = Databases(server(instance))
    database = databases.create(ID.unique(), "Vault").id
    collection = (database, databases.create_collection(database, "cards", "Cards").id)
    made = databases.create_string_attribute(*collection, "numbers", 200, False, array=True, encrypt=True)

    document = databases.create_document(*collection, ID.unique(), {"numbers": [SECRET, "other"]})

    assert made.encrypt is True
    assert document.data["numbers"] == [SECRET, "other"]
