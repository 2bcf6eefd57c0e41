"""Every kind of column, with the values that it names, through create, read, query and index."""

from typing import Any

import pytest

from services.data.domain.columns import ALL
from services.data.domain.columns.kind import Kind
from tests.integration.data.api import Api, TableApi, declared, query

kinds = pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.name)


async def table_of(api: Api, kind: Kind, **parameters: Any) -> TableApi:
    table = await api.new_table()
    made = await table.add_column(kind.name, "own", **declared(kind), **parameters)
    assert made.status == 202, made
    return table


@kinds
async def test_a_kind_takes_shows_and_finds_its_examples(api: Api, kind: Kind) -> None:
    table = await table_of(api, kind)
    indexed = await table.call(
        "POST", "/indexes", body={"key": "by-own", "type": "key", "columns": ["own"], "lengths": lengths(kind)}
    )
    assert indexed.said == (202, "")
    for example in kind.examples:
        row = await table.new_row({"own": example})

        assert (await table.get(row)).json["own"] == example
        assert row in await table.found(query("equal", "own", example), query("limit", None, 100))
        assert row in await table.found(query("isNotNull", "own"), query("limit", None, 100))


@kinds
async def test_a_kind_refuses_what_is_no_value_of_it(api: Api, kind: Kind) -> None:
    table = await table_of(api, kind)
    row = await table.new_row({"text": "a"})
    for reject in kind.rejects:
        made = await table.create({"own": reject})
        changed = await table.update(row, {"data": {"own": reject}})

        nul = isinstance(reject, str) and "\0" in reject
        expected = (400, "general_argument_invalid" if nul else "row_invalid_structure")
        assert made.said == changed.said == expected, (reject, made, changed)
    assert (await table.list()).json["total"] == 1


@kinds
async def test_a_list_of_a_kind_is_kept_in_order_and_found_by_its_elements(api: Api, kind: Kind) -> None:
    table = await table_of(api, kind, array=True)
    row = await table.new_row({"own": kind.examples})
    empty = await table.new_row({"text": "a"})

    assert (await table.get(row)).json["own"] == kind.examples
    assert (await table.get(empty)).json["own"] == []
    for example in kind.examples:
        assert await table.found(query("contains", "own", example)) == [row]
    for reject in kind.rejects:
        refused = await table.create({"own": [kind.examples[0], reject]})
        assert refused.status == 400, (reject, refused)
    assert (await table.create({"own": kind.examples[0]})).said == (400, "row_invalid_structure")


@kinds
async def test_a_default_is_given_to_rows_that_have_no_value(api: Api, kind: Kind) -> None:
    table = await table_of(api, kind, default=kind.examples[-1])
    column = await table.call("GET", "/columns/own")
    row = await table.new_row({"text": "a"})

    assert column.json["default"] == kind.examples[-1]
    assert (await table.get(row)).json["own"] == kind.examples[-1]


@kinds
async def test_a_column_is_shown_as_its_kind_is_documented(api: Api, kind: Kind) -> None:
    table = await api.new_table()
    made = await table.add_column(kind.name, "own", **declared(kind))

    common = {"key", "type", "status", "error", "required", "array", "$createdAt", "$updatedAt", "default"}
    assert set(made.json) == common | MORE.get(kind.name, set())
    assert made.json == (await table.call("GET", "/columns/own")).json
    shown = {"type": TYPES.get(kind.name, kind.name), "status": "available", "error": "", "key": "own"}
    assert made.json == made.json | shown | {"required": False, "array": False, "default": None}


SIZED, LONG, BOUNDED = {"size", "encrypt"}, {"encrypt"}, {"min", "max"}
MORE = {
    "string": SIZED,
    "varchar": SIZED,
    "text": LONG,
    "mediumtext": LONG,
    "longtext": LONG,
    "integer": BOUNDED,
    "bigint": BOUNDED,
    "float": BOUNDED,
    "datetime": {"format"},
    "email": {"format"},
    "ip": {"format"},
    "url": {"format"},
    "enum": {"format", "elements"},
}
TYPES = {"float": "double", "email": "string", "enum": "string", "ip": "string", "url": "string"}


def lengths(kind: Kind) -> list[int]:
    """Long texts are indexed by their beginnings."""
    return [100] if kind.is_text and kind.index_width(kind.declared) > 768 else []
