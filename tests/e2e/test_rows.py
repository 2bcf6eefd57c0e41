"""Rows of TablesDB by the official SDK: its models accept every answer, and say what is in the database."""

from dataclasses import dataclass

import pytest
from appwrite.enums.tables_db_index_type import TablesDBIndexType
from appwrite.id import ID
from appwrite.query import Query
from appwrite.services.tables_db import TablesDB

from tests.e2e.instance import Instance
from tests.e2e.sdk import refusal, server

TABLE = "books"
BOOKS = {"a": ("Emma", 474), "b": ("Persuasion", 249), "c": ("Sense and Sensibility", 409)}
"""By id, title and pages."""


@dataclass(frozen=True)
class Library:
    """A table of books, as a backend with a key sees it."""

    tables: TablesDB
    database: str

    @property
    def books(self) -> tuple[str, str]:
        return self.database, TABLE

    def fill(self) -> None:
        rows = [{"$id": id_, "title": title, "pages": pages} for id_, (title, pages) in BOOKS.items()]
        assert self.tables.create_rows(*self.books, rows).total == len(BOOKS)

    def ids(self, *queries: str) -> str:
        return "".join(row.id for row in self.tables.list_rows(*self.books, list(queries)).rows)

    def pages(self) -> dict[str, int]:
        return {row.id: row.data["pages"] for row in self.tables.list_rows(*self.books).rows}


@pytest.fixture
def library(embedded: Instance) -> Library:
    library = Library(TablesDB(server(embedded)), ID.unique())
    library.tables.create(library.database, "Library")
    columns = [
        {"key": "title", "type": "varchar", "size": 64, "required": True},
        {"key": "pages", "type": "integer", "required": False},
    ]
    library.tables.create_table(*library.books, "Books", columns=columns)
    return library


def test_a_row_from_its_making_to_its_end(library: Library) -> None:
    tables, where = library.tables, (*library.books, "emma")

    made = tables.create_row(*where, {"title": "Emma", "pages": 1}, ['read("any")'])
    assert (made.id, made.tableid, made.databaseid) == ("emma", TABLE, library.database)
    assert made.permissions == ['read("any")']
    changed = tables.update_row(*where, {"pages": 2}, [])
    assert (changed.data["title"], changed.data["pages"], changed.permissions) == ("Emma", 2, [])
    assert changed.createdat == made.createdat
    assert tables.increment_row_column(*where, "pages", 3, 5).data["pages"] == 5
    assert tables.decrement_row_column(*where, "pages").data["pages"] == 4
    assert refusal(tables.increment_row_column, *where, "pages", 2, 5)[0] == 400
    assert refusal(tables.decrement_row_column, *where, "pages", 2, 3)[0] == 400
    assert tables.get_row(*where).data["pages"] == 4
    assert "title" not in tables.get_row(*where, [Query.select(["pages"])]).data
    tables.delete_row(*where)
    assert refusal(tables.get_row, *where) == (404, "row_not_found")


def test_a_row_is_made_by_the_first_upsert_and_changed_by_the_next(library: Library) -> None:
    made = library.tables.upsert_row(*library.books, "emma", {"title": "Emma", "pages": 1})
    changed = library.tables.upsert_row(*library.books, "emma", {"title": "Emma", "pages": 474})

    assert (made.data["pages"], changed.data["pages"], changed.createdat) == (1, 474, made.createdat)
    assert library.pages() == {"emma": 474}


def test_many_rows_from_their_making_to_their_end(library: Library) -> None:
    tables, few = library.tables, [Query.less_than("pages", 450)]
    library.fill()

    upserted = tables.upsert_rows(*library.books, [{"$id": "a", "title": "Emma", "pages": 500}])
    assert [(row.id, row.data["pages"]) for row in upserted.rows] == [("a", 500)]
    changed = tables.update_rows(*library.books, {"pages": 7}, few)
    assert (changed.total, sorted(row.id for row in changed.rows)) == (2, ["b", "c"])
    assert library.pages() == {"a": 500, "b": 7, "c": 7}
    assert tables.delete_rows(*library.books, few).total == 2
    assert library.pages() == {"a": 500}


def test_rows_are_listed_by_queries(library: Library) -> None:
    library.fill()
    library.tables.create_index(*library.books, "words", TablesDBIndexType.FULLTEXT, ["title"])

    assert library.ids() == "abc"
    assert library.ids(Query.equal("title", ["Emma", "Persuasion"])) == "ab"
    assert library.ids(Query.contains("title", "si")) == "bc"
    assert library.ids(Query.search("title", "sensibility")) == "c"
    assert library.ids(Query.between("pages", 249, 409)) == "bc"
    assert library.ids(Query.order_desc("pages")) == "acb"
    assert library.ids(Query.order_asc("pages"), Query.limit(1), Query.offset(1)) == "c"
    assert library.ids(Query.cursor_after("a")) == "bc"
    assert library.ids(Query.order_asc("pages"), Query.cursor_before("a")) == "bc"
    either = Query.or_queries([Query.equal("pages", 249), Query.starts_with("title", "E")])
    assert library.ids(either) == "ab"
    assert (
        library.ids(either, Query.and_queries([Query.greater_than("pages", 1), Query.not_equal("title", "Emma")]))
        == "b"
    )
    (row,) = library.tables.list_rows(*library.books, [Query.select(["pages"]), Query.equal("$id", "a")]).rows
    assert (row.data["pages"], "title" in row.data) == (474, False)
    assert library.tables.list_rows(*library.books, total=False).total == 0
    assert refusal(library.ids, Query.equal("none", 1)) == (400, "general_query_invalid")
