"""Databases, the older API, by the official SDK: its models accept every answer, and TablesDB shows the same data."""

from dataclasses import dataclass
from typing import Any

import pytest
from appwrite.client import Client
from appwrite.enums.database_type import DatabaseType
from appwrite.enums.databases_index_type import DatabasesIndexType
from appwrite.id import ID
from appwrite.permission import Permission
from appwrite.query import Query
from appwrite.role import Role
from appwrite.services.account import Account
from appwrite.services.databases import Databases
from appwrite.services.tables_db import TablesDB

from tests.e2e.instance import Instance
from tests.e2e.sdk import client, refusal, server, with_session

BOOKS = "books"
ATTRIBUTES: dict[str, tuple[Any, ...]] = {
    "string": (64,),
    "varchar": (64,),
    "text": (),
    "mediumtext": (),
    "longtext": (),
    "integer": (),
    "big_int": (),
    "float": (),
    "boolean": (),
    "datetime": (),
    "email": (),
    "enum": (["red", "green"],),
    "ip": (),
    "url": (),
}
"""By the name of the method that makes one, what it takes between the key and `required`."""

VALUES = {
    "string": "a",
    "varchar": "b",
    "text": "c",
    "mediumtext": "d",
    "longtext": "e",
    "integer": 1,
    "big_int": 2**60,
    "float": 0.5,
    "boolean": True,
    "datetime": "2024-02-29T12:00:00.000+00:00",
    "email": "ada@example.org",
    "enum": "red",
    "ip": "127.0.0.1",
    "url": "https://example.org",
}


@dataclass(frozen=True)
class Library:
    """A collection of books, and both APIs as a backend with a key calls them."""

    instance: Instance
    database: str
    databases: Databases
    tables: TablesDB

    @property
    def books(self) -> tuple[str, str]:
        return self.database, BOOKS

    def add(self, title: str, pages: int, permissions: list[str] | None = None, caller: Client | None = None) -> str:
        """Make a document; return its id."""
        api = self.databases if caller is None else Databases(caller)
        made = api.create_document(*self.books, ID.unique(), {"title": title, "pages": pages}, permissions)
        return str(made.id)

    def titles(self, *queries: str) -> list[str]:
        found = self.databases.list_documents(*self.books, queries=list(queries))
        return [document.data["title"] for document in found.documents]


@pytest.fixture
def library(embedded: Instance) -> Library:
    backend = server(embedded)
    library = Library(embedded, ID.unique(), Databases(backend), TablesDB(backend))
    library.databases.create(library.database, "Library")
    library.databases.create_collection(*library.books, "Books", [Permission.create(Role.any())], True)
    library.databases.create_varchar_attribute(*library.books, "title", 64, True)
    library.databases.create_integer_attribute(*library.books, "pages", False, 0, 1000)
    return library


def test_a_database_and_a_collection_from_their_making_to_their_end(library: Library) -> None:
    databases, database = library.databases, library.database

    assert databases.get(database).type is DatabaseType.LEGACY
    assert databases.update(database, "Books").name == library.tables.get(database).name == "Books"
    assert [one.id for one in databases.list([Query.equal("$id", [database])]).databases] == [database]
    collection = databases.get_collection(*library.books)
    assert collection.documentsecurity is True
    assert [one.key for one in collection.attributes] == ["title", "pages"]
    assert databases.update_collection(*library.books, "Wares", document_security=False).documentsecurity is False
    assert [one.name for one in databases.list_collections(database).collections] == ["Wares"]
    databases.delete_collection(*library.books)
    assert refusal(databases.get_collection, *library.books) == (404, "collection_not_found")
    databases.delete(database)
    assert refusal(library.tables.get, database) == (404, "database_not_found")


def test_a_collection_is_made_with_attributes_and_indexes(library: Library) -> None:
    attributes = [{"key": "name", "type": "varchar", "size": 8}]
    indexes = [{"key": "by_name", "type": "unique", "attributes": ["name"]}]
    made = library.databases.create_collection(
        library.database, "people", "People", attributes=attributes, indexes=indexes
    )

    assert [one.key for one in made.attributes] == ["name"]
    assert [(one.key, one.attributes) for one in made.indexes] == [("by_name", ["name"])]


@pytest.mark.parametrize("kind", ATTRIBUTES)
def test_an_attribute_of_each_kind(library: Library, kind: str) -> None:
    databases, more = library.databases, ATTRIBUTES[kind]

    made = getattr(databases, f"create_{kind}_attribute")(*library.books, "own", *more, False)
    shown = databases.get_attribute(*library.books, "own")
    document = databases.create_document(*library.books, ID.unique(), {"title": "A", "own": VALUES[kind]})

    assert (made.key, made.required, made.status.value) == ("own", False, "available")
    assert (shown.key, shown.type) == (made.key, made.type)
    assert document.data["own"] == VALUES[kind]
    assert databases.list_attributes(*library.books).total == 3
    elements = {"elements": ["red"]} if kind == "enum" else {}
    update = getattr(databases, f"update_{kind}_attribute")
    changed = update(*library.books, key="own", required=False, default=VALUES[kind], new_key="new", **elements)
    assert (type(changed), changed.key, changed.default) == (type(made), "new", VALUES[kind])
    databases.delete_attribute(*library.books, "new")
    assert refusal(databases.get_attribute, *library.books, "own") == (404, "attribute_not_found")


def test_an_index(library: Library) -> None:
    databases = library.databases

    made = databases.create_index(*library.books, "by_title", DatabasesIndexType.UNIQUE, ["title"])
    library.add("A", 1)

    assert (made.key, made.type, made.attributes) == ("by_title", "unique", ["title"])
    assert databases.get_index(*library.books, "by_title").id == made.id
    assert [one.id for one in databases.list_indexes(*library.books).indexes] == [made.id]
    assert refusal(library.add, "A", 2) == (409, "document_unique_constraint_violation")
    databases.delete_index(*library.books, "by_title")
    library.add("A", 2)
    assert refusal(databases.get_index, *library.books, "by_title") == (404, "index_not_found")


def test_a_document_from_its_making_to_its_end(library: Library) -> None:
    databases, id_ = library.databases, ID.unique()

    made = databases.create_document(*library.books, id_, {"title": "A", "pages": 1}, [Permission.read(Role.any())])
    assert (made.id, made.collectionid, made.databaseid) == (id_, BOOKS, library.database)
    assert (made.data["title"], made.permissions) == ("A", ['read("any")'])
    changed = databases.update_document(*library.books, id_, {"pages": 2})
    assert (changed.data["title"], changed.data["pages"]) == ("A", 2)
    assert databases.increment_document_attribute(*library.books, id_, "pages", 3, 5).data["pages"] == 5
    assert databases.decrement_document_attribute(*library.books, id_, "pages").data["pages"] == 4
    assert refusal(databases.increment_document_attribute, *library.books, id_, "pages", 2, 5) == (
        400,
        "attribute_limit_exceeded",
    )
    row = library.tables.get_row(*library.books, id_)
    assert (row.tableid, row.data["pages"], row.permissions) == (BOOKS, 4, ['read("any")'])
    assert databases.get_document(*library.books, id_, [Query.select(["pages"])]).data["pages"] == 4
    databases.delete_document(*library.books, id_)
    assert refusal(databases.get_document, *library.books, id_) == (404, "document_not_found")


@pytest.mark.parametrize("id_", ["emma", "unique()"])
def test_a_document_is_upserted(library: Library, id_: str) -> None:
    made = library.databases.upsert_document(*library.books, id_, {"title": "Emma"})
    changed = library.databases.upsert_document(*library.books, made.id, {"title": "Emma", "pages": 474})

    assert made.id == "emma" or len(made.id) == 20
    assert (changed.id, changed.data["pages"]) == (made.id, 474)
    assert library.titles() == ["Emma"]


def test_many_documents_from_their_making_to_their_end(library: Library) -> None:
    databases, few = library.databases, [Query.less_than("pages", 3)]
    given = [{"$id": id_, "title": id_.upper(), "pages": pages} for id_, pages in (("a", 1), ("b", 2), ("c", 3))]

    assert [one.id for one in databases.create_documents(*library.books, given).documents] == ["a", "b", "c"]
    upserted = databases.upsert_documents(*library.books, [{"$id": "c", "title": "See", "pages": 3}])
    assert [one.data["title"] for one in upserted.documents] == ["See"]
    assert databases.update_documents(*library.books, {"title": "Few"}, few).total == 2
    assert library.titles() == ["Few", "Few", "See"]
    assert databases.delete_documents(*library.books, few).total == 2
    assert library.titles() == ["See"]


def test_documents_are_listed_by_queries(library: Library) -> None:
    ids = [library.add(title, pages) for title, pages in (("A", 3), ("B", 1), ("C", 2))]

    assert library.titles() == ["A", "B", "C"]
    assert library.titles(Query.order_desc("pages"), Query.limit(2)) == ["A", "C"]
    assert library.titles(Query.equal("title", ["A", "B"]), Query.greater_than("pages", 1)) == ["A"]
    assert library.titles(Query.cursor_after(ids[0])) == ["B", "C"]
    assert [row.data["title"] for row in library.tables.list_rows(*library.books).rows] == ["A", "B", "C"]
    unknown = [Query.equal("none", 1)]
    assert refusal(library.databases.list_documents, *library.books, unknown) == (400, "general_query_invalid")


def test_a_user_sees_the_documents_that_it_may_see(library: Library) -> None:
    user = ID.unique()
    Account(client(library.instance)).create(user, f"{user}@x.org", "correct horse battery", "Ada")
    account = Account(server(library.instance))
    session = account.create_email_password_session(f"{user}@x.org", "correct horse battery")
    ada = with_session(library.instance, session.secret)
    own = library.add("Own", 1, caller=ada)
    other = library.add("Other", 1)

    assert [one.id for one in Databases(ada).list_documents(*library.books).documents] == [own]
    assert refusal(Databases(ada).get_document, *library.books, other) == (404, "document_not_found")
    assert refusal(Databases(ada).update_document, *library.books, other, {"pages": 2}) == (404, "document_not_found")
    assert refusal(Databases(ada).get_collection, *library.books) == (401, "general_unauthorized_scope")
    assert [one.id for one in TablesDB(ada).list_rows(*library.books).rows] == [own]
    Account(ada).delete_session("current")
    assert Databases(ada).list_documents(*library.books).total == 0
