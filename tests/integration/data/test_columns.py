"""Every kind of column, with the values that its module names, through create, read, query and index."""

from types import ModuleType
from typing import Any

import msgspec
import pytest

from services.data.domain.columns import MODULES
from tests.integration.data.api import Api, Json, TableApi, query


def declared(module: ModuleType) -> Json:
    """What is sent to make a column of a kind with the options of its examples."""
    given: Json = msgspec.to_builtins(module.OPTIONS)
    return given


kinds = pytest.mark.parametrize("module", MODULES, ids=lambda module: module.KIND.name)


async def table_of(api: Api, module: ModuleType, **parameters: Any) -> TableApi:
    table = await api.new_table()
    made = await table.add_column(module.KIND.name, "own", **declared(module), **parameters)
    assert made.status == 202, made
    return table


@kinds
async def test_a_kind_takes_shows_and_finds_its_examples(api: Api, module: ModuleType) -> None:
    table = await table_of(api, module)
    indexed = await table.call(
        "POST", "/indexes", body={"key": "by-own", "type": "key", "columns": ["own"], "lengths": lengths(module)}
    )
    assert indexed.said == (202, "")
    for example in module.EXAMPLES:
        row = await table.new_row({"own": example})

        assert (await table.get(row)).body["own"] == example
        assert row in await table.found(query("equal", "own", example), query("limit", None, 100))
        assert row in await table.found(query("isNotNull", "own"), query("limit", None, 100))


@kinds
async def test_a_kind_refuses_what_is_no_value_of_it(api: Api, module: ModuleType) -> None:
    table = await table_of(api, module)
    row = await table.new_row({"text": "a"})
    for reject in module.REJECTS:
        made = await table.create({"own": reject})
        changed = await table.update(row, {"data": {"own": reject}})

        nul = isinstance(reject, str) and "\0" in reject
        expected = (400, "general_argument_invalid" if nul else "row_invalid_structure")
        assert made.said == changed.said == expected, (reject, made, changed)
    assert (await table.list()).body["total"] == 1


@kinds
async def test_a_list_of_a_kind_is_kept_in_order_and_found_by_its_elements(api: Api, module: ModuleType) -> None:
    table = await table_of(api, module, array=True)
    row = await table.new_row({"own": module.EXAMPLES})
    empty = await table.new_row({"text": "a"})

    assert (await table.get(row)).body["own"] == module.EXAMPLES
    assert (await table.get(empty)).body["own"] == []
    for example in module.EXAMPLES:
        assert await table.found(query("contains", "own", example)) == [row]
    for reject in module.REJECTS:
        refused = await table.create({"own": [module.EXAMPLES[0], reject]})
        assert refused.status == 400, (reject, refused)
    assert (await table.create({"own": module.EXAMPLES[0]})).said == (400, "row_invalid_structure")


@kinds
async def test_a_default_is_given_to_rows_that_have_no_value(api: Api, module: ModuleType) -> None:
    table = await table_of(api, module, default=module.EXAMPLES[-1])
    column = await table.call("GET", "/columns/own")
    row = await table.new_row({"text": "a"})

    assert column.body["default"] == module.EXAMPLES[-1]
    assert (await table.get(row)).body["own"] == module.EXAMPLES[-1]


@kinds
async def test_a_column_is_shown_as_its_kind_is_documented(api: Api, module: ModuleType) -> None:
    table = await api.new_table()
    made = await table.add_column(module.KIND.name, "own", **declared(module))

    common = {"key", "type", "status", "error", "required", "array", "$createdAt", "$updatedAt", "default"}
    assert set(made.body) == common | MORE.get(module.KIND.name, set())
    assert made.body == (await table.call("GET", "/columns/own")).body
    shown = {"type": TYPES.get(module.KIND.name, module.KIND.name), "status": "available", "error": "", "key": "own"}
    assert made.body == made.body | shown | {"required": False, "array": False, "default": None}


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


def lengths(module: ModuleType) -> list[int]:
    """Long texts are indexed by their beginnings."""
    return [100] if module.KIND.is_text and module.KIND.index_width(module.OPTIONS) > 768 else []
