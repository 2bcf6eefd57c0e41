"""Columns that change: size, bounds, elements, default, key; what is stored stays as it is."""

from typing import Any

import pytest

from services.data.domain.columns import ALL
from services.data.domain.columns.kind import Kind
from tests.answer import Answer
from tests.integration.data.api import Api, Json, TableApi, declared, query

BAD_ARGUMENT = (400, "general_argument_invalid")
INVALID_ROW = (400, "row_invalid_structure")
OTHER = 1
"""Another replica than the one that changes the column."""


async def change(table: TableApi, kind: str, key: str, **parameters: Any) -> Answer:
    """Change a column, which is to be optional and without a default unless that is said."""
    body: Json = {"required": False, "default": None, **parameters}
    return await table.call("PATCH", f"/columns/{kind}/{key}", body=body)


@pytest.mark.check("data 45")
@pytest.mark.check("data 47")
@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.name)
async def test_a_column_of_each_kind_is_changed_and_renamed(api: Api, kind: Kind) -> None:
    table, example = await api.new_table(), kind.examples[-1]
    made = (await table.add_column(kind.name, "own", **declared(kind))).json
    row = await table.new_row({"own": example})
    assert (await table.get(row, replica=OTHER)).json["own"] == example

    defaulted = await change(table, kind.name, "own", **declared(kind), default=example)
    required = await change(table, kind.name, "own", **declared(kind), required=True)
    renamed = await change(table, kind.name, "own", **declared(kind), newKey="new")

    said = {"$updatedAt": defaulted.json["$updatedAt"], "default": example}
    assert (defaulted.status, defaulted.json) == (200, made | said)
    assert required.json == made | {"$updatedAt": required.json["$updatedAt"], "required": True}
    assert renamed.json == made | {"$updatedAt": renamed.json["$updatedAt"], "key": "new"}
    assert (await table.call("GET", "/columns/own")).said == (404, "column_not_found")
    assert (await table.call("GET", "/columns/new")).json == renamed.json
    shown = (await table.get(row, replica=OTHER)).json
    assert (shown["new"], "own" in shown) == (example, False)
    assert (await table.list(query("equal", "new", example), replica=OTHER)).json == {"total": 1, "rows": [shown]}
    assert (await table.list(query("equal", "own", example), replica=OTHER)).said == (400, "general_query_invalid")
    assert (await table.create({"own": example}, replica=OTHER)).said == INVALID_ROW


@pytest.mark.check("data 47")
async def test_indexes_follow_a_column_that_is_renamed(api: Api) -> None:
    indexes = [{"key": "own", "type": "unique", "attributes": ["$createdAt", "text"]}]
    indexes += [{"key": "other", "type": "unique", "attributes": ["text"]}]
    table = await api.new_table(indexes=indexes)
    await table.new_row({"text": "a"})

    assert (await change(table, "varchar", "text", newKey="Text")).said == (200, "")
    assert (await change(table, "varchar", "Text", newKey="title")).said == (200, "")

    shown = (await table.call("GET", "")).json["indexes"]
    assert [one["columns"] for one in shown] == [["$createdAt", "title"], ["title"]]
    assert (await table.create({"title": "a"})).said == (409, "row_unique_constraint_violation")
    assert (await table.call("DELETE", "/columns/title")).said == (204, "")
    assert (await table.call("GET", "/indexes")).json["total"] == 0


@pytest.mark.check("data 45")
async def test_changes_that_cannot_be_are_refused(api: Api) -> None:
    table = await api.new_table()
    await table.add_column("integer", "age", min=1, max=10)
    await table.add_column("enum", "color", elements=["red", "green"])
    await table.add_column("email", "mail")
    await table.add_column("varchar", "tags", size=9, array=True)
    before = (await table.call("GET", "/columns")).json

    for kind, key, parameters, refused in (
        ("integer", "none", {}, (404, "column_not_found")),
        ("integer", "Age", {}, (404, "column_not_found")),
        ("bigint", "age", {}, (400, "column_type_invalid")),
        ("string", "mail", {"size": 9}, (400, "column_type_invalid")),
        ("string", "text", {"size": 9}, (400, "column_type_invalid")),
        ("integer", "age", {"required": None}, BAD_ARGUMENT),
        ("integer", "age", {"required": True, "default": 5}, (400, "column_default_unsupported")),
        ("varchar", "tags", {"default": "a"}, (400, "column_default_unsupported")),
        ("integer", "age", {"min": 11}, (400, "column_value_invalid")),
        ("integer", "age", {"default": 11}, (400, "column_value_invalid")),
        ("integer", "age", {"min": 1.5}, BAD_ARGUMENT),
        ("integer", "age", {"newKey": "$id"}, BAD_ARGUMENT),
        ("integer", "age", {"newKey": "COLOR"}, (409, "column_already_exists")),
        ("email", "mail", {"default": "nobody"}, BAD_ARGUMENT),
        ("enum", "color", {}, BAD_ARGUMENT),
        ("enum", "color", {"elements": []}, (400, "column_value_invalid")),
        ("enum", "color", {"elements": ["red", ""]}, BAD_ARGUMENT),
        ("enum", "color", {"elements": ["red"], "default": "green"}, (400, "column_value_invalid")),
        ("varchar", "text", {"size": 0}, BAD_ARGUMENT),
        ("varchar", "text", {"size": 16_382}, BAD_ARGUMENT),
        ("varchar", "text", {"size": 16_000}, (400, "column_limit_exceeded")),
        ("varchar", "text", {"size": 2, "default": "abc"}, (400, "column_value_invalid")),
    ):
        assert (await change(table, kind, key, **parameters)).said == refused, (kind, key, parameters)
    without = await table.call("PATCH", "/columns/integer/age", body={"required": False})
    assert without.said == BAD_ARGUMENT
    assert '"default"' in without.json["message"]
    assert (await table.call("GET", "/columns")).json == before


@pytest.mark.check("data 46")
async def test_a_size_grows_and_shrinks_down_to_what_is_there(api: Api) -> None:
    table = await api.new_table()
    await table.add_column("string", "tags", size=9, array=True)
    await table.new_row({"text": "äöü", "tags": ["abcd", None, "a"]})
    await table.new_row({"text": None, "tags": None})

    for kind, key, longest in (("varchar", "text", 3), ("string", "tags", 4)):
        assert (await change(table, kind, key, size=longest - 1)).said == (400, "column_invalid_resize")
        assert (await change(table, kind, key, size=longest)).json["size"] == longest
        assert (await change(table, kind, key)).json["size"] == longest
    assert (await table.create({"text": "abcd"}, replica=OTHER)).said == INVALID_ROW
    assert (await change(table, "varchar", "text", size=1000)).json["size"] == 1000
    assert (await table.create({"text": "a" * 1000}, replica=OTHER)).said == (201, "")


async def test_a_size_must_fit_the_indexes(api: Api) -> None:
    indexes = [{"key": "own", "type": "key", "attributes": ["$id", "text"]}]
    table = await api.new_table(indexes=indexes)
    await table.call("POST", "/indexes", body={"key": "cut", "type": "key", "columns": ["text"], "lengths": [50]})

    assert (await change(table, "varchar", "text", size=768)).said == (400, "column_index_invalid")
    assert (await change(table, "varchar", "text", size=49)).said == (400, "column_index_invalid")
    assert (await change(table, "varchar", "text", size=732, newKey="title")).said == (200, "")


async def test_bounds_that_are_left_out_stay(api: Api) -> None:
    table = await api.new_table()
    for kind in ("integer", "bigint", "float"):
        await table.add_column(kind, kind, min=1, max=10)

        higher = await change(table, kind, kind, max=20, default=15)
        lower = await change(table, kind, kind, min=-5, max=None)

        assert (higher.json["min"], higher.json["max"], higher.json["default"]) == (1, 20, 15)
        assert (lower.json["min"], lower.json["max"], lower.json["default"]) == (-5, 20, None)


@pytest.mark.check("data 48")
async def test_a_value_that_a_column_takes_no_longer_stays_and_must_be_mended_at_the_next_write(api: Api) -> None:
    """So it is with elements, bounds and what is required, of single values and of arrays."""
    for kind, before, after, old, new in (
        ("enum", {"elements": ["red", "green"]}, {"elements": ["green"]}, "red", "green"),
        ("enum", {"elements": ["a", "b"], "array": True}, {"elements": ["b"]}, ["a", None, "b"], ["b", None]),
        ("integer", {}, {"min": 5}, 4, 5),
        ("bigint", {"max": 9}, {"max": 8}, 9, 8),
        ("float", {"array": True}, {"min": 0.5, "max": 2}, [0.5, None, 2.5], [None, 2]),
        ("url", {}, {"required": True}, None, "https://example.org"),
    ):
        table = await api.new_table()
        await table.add_column(kind, "own", **before)
        fits = await table.new_row({"text": "a", "own": new})
        row = await table.new_row({"text": "a", "own": old})
        assert (await table.get(row, replica=OTHER)).json["own"] == old

        assert (await change(table, kind, "own", **after)).said == (200, "")

        assert (await table.get(row, replica=OTHER)).json["own"] == old, kind
        assert (await table.update(row, {"data": {"text": "a"}}, replica=OTHER)).said == (200, ""), kind
        refused = await table.update(row, {"data": {"text": "b"}}, replica=OTHER)
        assert refused.said == INVALID_ROW, kind
        assert '"own"' in refused.json["message"]
        assert (await table.update(row, {"data": {"own": old}})).said == INVALID_ROW, kind
        assert (await table.update(row, {"data": {"text": "b", "own": new}})).json["own"] == new
        assert (await table.update(fits, {"data": {"text": "b"}}, replica=OTHER)).said == (200, ""), kind
        assert (await table.create({"own": old}, replica=OTHER)).said == INVALID_ROW


async def test_a_default_is_for_rows_that_are_to_come(api: Api) -> None:
    table = await api.new_table()
    await table.add_column("integer", "age", default=1)
    first = await table.new_row()
    await change(table, "integer", "age")
    unset = await table.new_row()
    await change(table, "integer", "age", default=2)
    last = (await table.create(replica=OTHER)).json["$id"]

    assert [(await table.get(row)).json["age"] for row in (first, unset, last)] == [1, None, 2]
    cleared = await table.update(first, {"data": {"age": None}})
    assert cleared.json["age"] == 2
    await table.update(unset, {"data": {"text": "b"}})
    assert (await table.get(unset)).json["age"] is None
