"""Columns, indexes and tables by the official SDK: its models accept every answer, and say what was asked for."""

from dataclasses import dataclass
from typing import Any

import pytest
from appwrite.enums.order_by import OrderBy
from appwrite.enums.tables_db_index_type import TablesDBIndexType
from appwrite.id import ID
from appwrite.models.column_bigint import ColumnBigint
from appwrite.models.column_boolean import ColumnBoolean
from appwrite.models.column_datetime import ColumnDatetime
from appwrite.models.column_email import ColumnEmail
from appwrite.models.column_enum import ColumnEnum
from appwrite.models.column_float import ColumnFloat
from appwrite.models.column_integer import ColumnInteger
from appwrite.models.column_ip import ColumnIp
from appwrite.models.column_longtext import ColumnLongtext
from appwrite.models.column_mediumtext import ColumnMediumtext
from appwrite.models.column_string import ColumnString
from appwrite.models.column_text import ColumnText
from appwrite.models.column_url import ColumnUrl
from appwrite.models.column_varchar import ColumnVarchar
from appwrite.query import Query
from appwrite.services.tables_db import TablesDB

from tests.e2e.instance import Instance
from tests.e2e.sdk import refusal, server


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of column: its model, what it is made with and changed to, and two values, each a default once."""

    model: type
    made: dict[str, Any]
    changed: dict[str, Any]
    values: tuple[Any, Any]


def plain(model: type, *values: Any) -> Kind:
    """Return a kind without options of its own."""
    return Kind(model=model, made={}, changed={}, values=(values[0], values[1]))


SIZES: dict[str, Any] = {"made": {"size": 8}, "changed": {"size": 4}}
BOUNDS: dict[str, Any] = {"made": {"min": 1, "max": 5}, "changed": {"min": 0, "max": 9}}
DATES = "2024-02-29T12:00:00.000+00:00", "1815-12-10T00:00:00.000+00:00"
KINDS = {
    "string": Kind(model=ColumnString, **SIZES, values=("a", "b")),
    "varchar": Kind(model=ColumnVarchar, **SIZES, values=("a", "b")),
    "text": plain(ColumnText, "a", "b"),
    "mediumtext": plain(ColumnMediumtext, "a", "b"),
    "longtext": plain(ColumnLongtext, "a", "b"),
    "integer": Kind(model=ColumnInteger, **BOUNDS, values=(5, 9)),
    "big_int": Kind(model=ColumnBigint, made={"min": 1, "max": 2**60}, changed={"min": 0, "max": 9}, values=(2**60, 9)),
    "float": Kind(model=ColumnFloat, **BOUNDS, values=(1.5, 9)),
    "boolean": plain(ColumnBoolean, True, False),
    "datetime": plain(ColumnDatetime, *DATES),
    "email": plain(ColumnEmail, "ada@example.org", "alan@example.org"),
    "enum": Kind(
        model=ColumnEnum, made={"elements": ["red", "green"]}, changed={"elements": ["blue"]}, values=("red", "blue")
    ),
    "ip": plain(ColumnIp, "127.0.0.1", "::1"),
    "url": plain(ColumnUrl, "https://example.org", "http://localhost:8080/"),
}
"""By the names that the SDK's methods have for them."""

TABLE = "books"


@dataclass(frozen=True)
class Library:
    """A database with one table, as a backend with a key sees it."""

    tables: TablesDB
    database: str

    @property
    def books(self) -> tuple[str, str]:
        return self.database, TABLE

    def keys(self, *queries: str) -> list[str]:
        return [column.key for column in self.tables.list_columns(*self.books, list(queries)).columns]


@pytest.fixture
def library(embedded: Instance) -> Library:
    library = Library(TablesDB(server(embedded)), ID.unique())
    library.tables.create(library.database, "Library")
    library.tables.create_table(*library.books, "Books")
    library.tables.create_varchar_column(*library.books, "title", 64, False)
    return library


@pytest.mark.check("data 38")
@pytest.mark.check("data 47")
@pytest.mark.check("data 50")
@pytest.mark.parametrize("name", KINDS)
def test_a_column_of_each_kind_from_its_making_to_its_end(library: Library, name: str) -> None:
    tables, kind = library.tables, KINDS[name]
    first, second = kind.values
    update = getattr(tables, f"update_{name}_column")

    made = getattr(tables, f"create_{name}_column")(*library.books, "own", required=False, default=first, **kind.made)
    row = tables.create_row(*library.books, ID.unique(), {"title": "A"})
    changed = update(*library.books, "own", required=False, default=second, **kind.changed)
    renamed = update(*library.books, "own", required=True, default=None, new_key="new", **kind.changed)
    shown = tables.get_column(*library.books, "new")

    assert {type(column) for column in (made, changed, renamed, shown)} == {kind.model}
    assert (made.key, made.status.value, made.error) == ("own", "available", "")
    assert (made.required, made.array) == (False, False)
    assert (made.default, changed.default, renamed.default) == (first, second, None)
    for column, options in ((made, kind.made), (changed, kind.changed), (shown, kind.changed)):
        assert {option: getattr(column, option) for option in options} == options
    assert (renamed.key, renamed.required, shown.type, shown.createdat) == ("new", True, made.type, made.createdat)
    assert tables.get_row(*library.books, row.id).data["new"] == first
    assert library.keys() == ["title", "new"]
    assert refusal(tables.get_column, *library.books, "own") == (404, "column_not_found")
    assert tables.create_row(*library.books, ID.unique(), {"new": second}).data["new"] == second
    tables.delete_column(*library.books, "new")
    assert refusal(tables.get_column, *library.books, "new") == (404, "column_not_found")
    assert library.keys() == ["title"]


@pytest.mark.parametrize("name", KINDS)
def test_an_array_of_each_kind(library: Library, name: str) -> None:
    tables, kind = library.tables, KINDS[name]

    make = getattr(tables, f"create_{name}_column")
    made = make(*library.books, "own", required=False, array=True, **kind.made)
    changed = getattr(tables, f"update_{name}_column")(
        *library.books, "own", required=True, default=None, **kind.changed
    )

    assert (made.array, changed.array, changed.required) == (True, True, True)
    row = tables.create_row(*library.books, ID.unique(), {"own": [kind.values[1]] * 2})
    assert row.data["own"] == [kind.values[1]] * 2


@pytest.mark.check("data 49")
def test_columns_are_listed_by_queries(library: Library) -> None:
    library.tables.create_string_column(*library.books, "isbn", 13, True)
    library.tables.create_email_column(*library.books, "author", False)

    assert library.keys(Query.equal("type", "string")) == ["isbn", "author"]
    assert library.keys(Query.order_desc("key"), Query.limit(1)) == ["title"]
    assert library.keys(Query.cursor_after("isbn")) == ["author"]
    assert library.tables.list_columns(*library.books, [Query.equal("required", True)]).total == 1
    for bad in (Query.select(["key"]), Query.equal("none", "x")):
        assert refusal(library.keys, bad) == (400, "general_argument_invalid")


@pytest.mark.check("data 47")
@pytest.mark.check("data 53")
def test_an_index_from_its_making_to_its_end(library: Library) -> None:
    tables = library.tables
    unique, orders = TablesDBIndexType.UNIQUE, [OrderBy.DESC, OrderBy.ASC]
    made = tables.create_index(*library.books, "by_title", unique, ["title"])
    both = tables.create_index(*library.books, "both", TablesDBIndexType.KEY, ["title", "$createdAt"], orders, [32])
    tables.update_varchar_column(*library.books, "title", False, None, new_key="name")

    assert (made.key, made.type, made.status, made.columns) == ("by_title", "unique", "available", ["title"])
    assert (both.columns, both.orders, both.lengths[0]) == (["title", "$createdAt"], ["desc", "asc"], 32)
    assert tables.get_index(*library.books, "by_title").columns == ["name"]
    assert [one.columns for one in tables.list_indexes(*library.books).indexes] == [["name"], ["name", "$createdAt"]]
    assert tables.list_indexes(*library.books, [Query.equal("type", "unique")]).total == 1
    again = refusal(tables.create_index, *library.books, "Both", unique, ["name"])
    assert again == (409, "column_index_already_exists")
    tables.create_row(*library.books, ID.unique(), {"name": "Emma"})
    refused = refusal(tables.create_row, *library.books, ID.unique(), {"name": "Emma"})
    assert refused == (409, "row_unique_constraint_violation")
    tables.delete_index(*library.books, "by_title")
    assert refusal(tables.get_index, *library.books, "by_title") == (404, "column_index_not_found")
    tables.create_row(*library.books, ID.unique(), {"name": "Emma"})


@pytest.mark.check("data 36")
def test_a_table_with_columns_and_indexes_from_its_making_to_its_end(library: Library) -> None:
    tables, people = library.tables, (library.database, "people")
    columns = [{"key": "name", "type": "varchar", "size": 64, "required": True}, {"key": "mail", "type": "email"}]
    indexes = [{"key": "by_mail", "type": "unique", "attributes": ["mail"]}]

    made = tables.create_table(*people, "People", ['read("any")'], True, columns=columns, indexes=indexes)
    changed = tables.update_table(*people, "Persons", purge=True)

    assert [(column.key, column.status.value) for column in made.columns] == [
        ("name", "available"),
        ("mail", "available"),
    ]
    assert [(index.columns, index.status) for index in made.indexes] == [(["mail"], "available")]
    assert (made.rowsecurity, 0 < made.bytesused < made.bytesmax) == (True, True)
    assert (changed.name, changed.rowsecurity, changed.permissions) == ("Persons", False, ['read("any")'])
    assert tables.update_table(*people, enabled=False).enabled is False
    assert tables.get_table(*people).enabled is False
    assert tables.update_table(*people).enabled is True
    assert [table.name for table in tables.list_tables(library.database).tables] == ["Books", "Persons"]
    assert refusal(tables.create_table, *people, "People") == (409, "table_already_exists")
    tables.delete_table(*people)
    assert refusal(tables.get_table, *people) == (404, "table_not_found")
    blob = {"columns": [{"key": "odd", "type": "blob"}]}
    assert refusal(tables.create_table, *people, "People", **blob) == (400, "general_argument_invalid")


@pytest.mark.check("data 34", "data 35")
def test_a_database_from_its_making_to_its_end(library: Library) -> None:
    tables, database = library.tables, ID.unique()

    assert tables.create(database, "Archive", enabled=False).enabled is False
    assert (tables.update(database, "Archives").name, tables.get(database).enabled) == ("Archives", True)
    assert [one.id for one in tables.list([Query.equal("name", "Archives")]).databases] == [database]
    assert refusal(tables.create, database, "Again") == (409, "database_already_exists")
    tables.delete(database)
    assert refusal(tables.get, database) == (404, "database_not_found")
