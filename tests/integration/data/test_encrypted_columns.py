"""Columns with `encrypt: true`: sealed in PostgreSQL, and shown to callers like any other column."""

import json
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from shared.contracts.ids import ProjectId
from shared.contracts.tables import ListRows, ShowRow, ShowTable
from tests.integration.data.api import OLD_WORDS, Api, query
from tests.integration.data.encrypted import put, stored, table_of

SECRET = 'the crown jewels, "quoted" and ünïcode'
kinds = pytest.mark.parametrize("kind", ["string", "varchar", "text", "mediumtext", "longtext"])


@kinds
async def test_a_value_is_shown_in_the_clear_and_stored_sealed(api: Api, kind: str) -> None:
    table = await table_of(api, kind)
    made = await table.create({"secret": SECRET, "text": "plain"})
    row = made.json["$id"]

    assert made.json["secret"] == (await table.get(row)).json["secret"] == SECRET
    assert await table.found(column="secret") == [SECRET]
    assert (await table.call("GET", "/columns/secret")).json["encrypt"] is True
    (sealed,) = (await stored(table)).values()
    assert sealed is not None
    assert SECRET not in sealed


async def test_equal_values_are_sealed_differently(api: Api) -> None:
    table = await table_of(api)
    for _ in range(2):
        await table.new_row({"secret": SECRET})

    assert len(set((await stored(table)).values())) == 2


async def test_an_array_is_sealed_as_a_whole(api: Api) -> None:
    table = await table_of(api, "varchar", array=True)
    row, empty = await table.new_row({"secret": ["a", None, SECRET]}), await table.new_row({"text": "a"})

    assert (await table.get(row)).json["secret"] == ["a", None, SECRET]
    assert (await table.get(empty)).json["secret"] == []
    assert [value is None for value in (await stored(table)).values()] == [False, True]
    assert (await table.create({"secret": ["x" * 201]})).said == (400, "row_invalid_structure")
    assert (await table.update(row, {"data": {"secret": []}})).json["secret"] == []


async def test_every_way_to_write_seals_and_shows_what_was_written(api: Api) -> None:
    table = await table_of(api)
    row = await table.new_row({"secret": "one"})

    async def shown(method: str, path: str, body: dict[str, Any]) -> Any:
        answer = await table.call(method, path, body=body)
        assert answer.status in {200, 201}, answer
        return [one["secret"] for one in answer.json.get("rows", [answer.json])]

    assert await shown("PATCH", f"/rows/{row}", {"data": {"secret": "two"}}) == ["two"]
    assert await shown("PUT", f"/rows/{row}", {"data": {"secret": "three"}}) == ["three"]
    assert await shown("PUT", "/rows/other", {"data": {"secret": "four"}}) == ["four"]
    rows = [{"$id": f"bulk-{number}", "secret": f"five {number}"} for number in range(3)]
    assert await shown("POST", "/rows", {"rows": rows}) == ["five 0", "five 1", "five 2"]
    rows = [{"$id": "bulk-0", "secret": "six"}, {"$id": "bulk-9", "secret": None}]
    assert await shown("PUT", "/rows", {"rows": rows}) == ["six", None]
    first = [query("startsWith", "$id", "bulk-")]
    assert await shown("PATCH", "/rows", {"data": {"secret": "seven"}, "queries": first}) == ["seven"] * 4
    assert await shown("DELETE", "/rows", {"queries": first}) == ["seven"] * 4
    assert await table.found(column="secret") == ["three", "four"]
    assert not any(word in str(value) for value in (await stored(table)).values() for word in ("three", "four"))


async def test_a_value_that_stays_the_same_changes_nothing(api: Api) -> None:
    table = await table_of(api)
    row = await table.new_row({"secret": "one"})
    before, sealed = (await table.get(row)).json, await stored(table)

    await table.update(row, {"data": {"secret": "one"}})
    await table.call("PUT", f"/rows/{row}", body={"data": {"secret": "one"}})
    await table.call("PUT", "/rows", body={"rows": [{"$id": row, "secret": "one"}]})

    assert (await table.get(row)).json == before
    assert await stored(table) == sealed


async def test_a_value_of_another_row_does_not_open(api: Api) -> None:
    table = await table_of(api)
    mine, theirs = await table.new_row({"secret": "mine"}), await table.new_row({"secret": "theirs"})
    await put(table, mine, (await stored(table))[theirs])

    with capture_logs() as logs:
        read, listed = await table.get(mine), await table.list()

    assert read.said == listed.said == (503, "column_decryption_failed")
    sealed = (await stored(table))[mine]
    said = json.dumps([read.json, listed.json, logs], default=str)
    assert not any(str(word) in said for word in ("theirs", sealed))
    assert [(log["log_level"], log["row"], log["column"]) for log in logs] == [("error", mine, "secret")] * 2
    assert (await table.get(theirs)).json["secret"] == "theirs"
    assert await table.found(query("select", None, "text")) == [mine, theirs]
    assert (await table.update(mine, {"data": {"secret": "again"}})).json["secret"] == "again"


async def test_a_value_of_another_column_or_table_does_not_open(api: Api) -> None:
    one, other = await table_of(api), await table_of(api)
    for table in (one, other):
        assert (await table.create({"secret": SECRET}, row_id="same")).status == 201
    await put(other, "same", (await stored(one))["same"])

    assert (await other.get("same")).said == (503, "column_decryption_failed")


async def test_values_that_changed_their_columns_do_not_open(api: Api) -> None:
    table = await table_of(api)
    assert (await table.add_column("text", "other", encrypt=True)).said == (202, "")
    row = await table.new_row({"secret": "one", "other": "two"})
    definition = await table.definition()
    one, two = (column.name for column in definition.encrypted)
    async with api.pool.acquire() as connection:
        await connection.execute(f"UPDATE {definition.rows} SET {one} = {two}, {two} = {one}")

    assert (await table.get(row)).said == (503, "column_decryption_failed")


@pytest.mark.parametrize("damage", ["", "?", "AQ==", "A" * 80])
async def test_what_was_never_sealed_does_not_open(api: Api, damage: str) -> None:
    table = await table_of(api)
    row = await table.new_row({"secret": SECRET})
    await put(table, row, damage)

    assert (await table.get(row)).said == (503, "column_decryption_failed")
    assert (await table.delete(row)).status == 204


async def test_who_may_change_but_not_read_a_row_learns_nothing_of_its_value(api: Api) -> None:
    table = await table_of(api)
    await table.call("PUT", "", body={"name": "A table", "rowSecurity": True})
    row = await table.new_row({"secret": "mine"}, 'update("any")')
    await put(table, row, "damaged")
    guest: dict[str, str] = {}

    changed = await table.update(row, {"data": {"text": "b"}}, guest)

    assert (changed.status, "secret" in changed.json) == (200, False)


@pytest.mark.parametrize(
    "asked",
    [
        query("equal", "secret", "a"),
        query("isNull", "secret"),
        query("contains", "secret", "a"),
        query("search", "secret", "a"),
        query("orderAsc", "secret"),
        query("orderDesc", "secret"),
    ],
)
async def test_queries_cannot_name_it_but_to_select_it(api: Api, asked: str) -> None:
    table = await table_of(api)
    await table.new_row({"secret": "a"})

    assert (await table.list(asked)).said == (400, "general_query_invalid")
    assert await table.found(query("select", None, "secret"), column="secret") == ["a"]


@pytest.mark.parametrize("type_", ["key", "unique", "fulltext"])
async def test_no_index_can_be_made_over_it(api: Api, type_: str) -> None:
    table = await table_of(api)

    made = await table.call("POST", "/indexes", body={"key": "i", "type": type_, "columns": ["secret"]})

    assert made.said == (400, "column_index_invalid")


@pytest.mark.parametrize("kind", ["string", "varchar"])
async def test_it_must_have_room_for_150_characters(api: Api, kind: str) -> None:
    table = await api.new_table()

    assert (await table.add_column(kind, "a", size=149, encrypt=True)).said == (400, "general_bad_request")
    assert (await table.add_column(kind, "a", size=150, encrypt=True)).said == (202, "")
    shrunk = {"required": False, "default": None, "size": 149}
    assert (await table.call("PATCH", f"/columns/{kind}/a", body=shrunk)).said == (400, "general_bad_request")


async def test_it_can_be_renamed_and_resized(api: Api) -> None:
    table = await table_of(api, "varchar")
    row = await table.new_row({"secret": "ü" * 160})
    change = {"required": False, "default": None}

    async def resized(size: int, **more: str) -> tuple[int, str]:
        return (await table.call("PATCH", "/columns/varchar/secret", body=change | {"size": size} | more)).said

    assert await resized(159) == (400, "column_invalid_resize")
    assert await resized(160) == (200, "")
    assert await resized(300, newKey="renamed") == (200, "")
    assert (await table.get(row)).json["renamed"] == "ü" * 160
    assert (await table.call("GET", "/columns/renamed")).json["encrypt"] is True


async def test_its_default_is_sealed_too(api: Api) -> None:
    table = await table_of(api, default=SECRET)
    row = await table.new_row({"text": "a"})

    assert (await table.get(row)).json["secret"] == SECRET
    assert (await table.call("GET", "/columns/secret")).json["default"] == SECRET
    assert (await table.call("GET", "")).json["columns"][1]["default"] == SECRET
    renamed = {"required": False, "default": "another", "newKey": "renamed"}
    assert (await table.call("PATCH", "/columns/text/secret", body=renamed)).json["default"] == "another"
    assert (await table.get(await table.new_row({"text": "a"}))).json["renamed"] == "another"
    async with api.pool.acquire() as connection:
        kept = await connection.fetchval("SELECT string_agg(columns::text, '') FROM data.columns")
    assert "crown jewels" not in kept
    assert "another" not in kept


async def test_a_table_can_be_made_with_it(api: Api) -> None:
    column = {"key": "secret", "type": "text", "encrypt": True, "default": "a"}
    table = await api.new_table(columns=[column])

    row = await table.new_row({"secret": None})

    assert (await table.get(row)).json["secret"] == "a"
    assert (await stored(table))[row] not in {None, "a"}


async def test_explanations_stand_beside_opened_rows(api: Api) -> None:
    table = await table_of(api)
    row = await table.new_row({"secret": SECRET})
    header = api.key | {"X-Daypass-Explain": "1"}

    read, listed = await table.get(row, header), await table.list(caller=header)

    assert read.json["secret"] == listed.json["rows"][0]["secret"] == SECRET


async def test_many_values_are_opened_while_others_are_answered(api: Api) -> None:
    table = await table_of(api, "longtext")
    values = [f"{number} " + "x" * 5_000 for number in range(100)]
    made = await table.call("POST", "/rows", body={"rows": [{"secret": value} for value in values]})
    assert made.status == 201

    assert await table.found(query("limit", None, 5_000), column="secret") == values
    changed = await table.call("PATCH", "/rows", body={"data": {"secret": "y" * 100_000}})
    assert [row["secret"][-1] + str(len(row["secret"])) for row in changed.json["rows"]] == ["y100000"] * 100
    assert len(set((await stored(table)).values())) == 100


async def test_the_older_api_has_them_too(api: Api) -> None:
    old = replace(api, service="databases", old_words=OLD_WORDS)
    table = replace(await old.new_table(columns=[]), api=old)
    made = await table.call("POST", "/columns/longtext", body={"key": "secret", "required": False, "encrypt": True})
    assert (made.status, made.json["encrypt"]) == (202, True)
    row = (await table.create({"secret": SECRET})).json["$id"]

    assert (await table.get(row)).json["secret"] == SECRET
    await put(table, row, "damaged")
    assert (await table.get(row)).said == (503, "column_decryption_failed")


async def test_the_command_line_reads_what_is_stored_so_that_no_plaintext_is_on_the_bus(api: Api) -> None:
    table = await table_of(api, default=SECRET)
    row = await table.new_row({"text": "plain"})
    named = {"project_id": ProjectId("library"), "database": table.database, "table": table.table}

    (listed,) = json.loads((await api.bus.ask(ListRows(**named))).json)["rows"]
    shown = json.loads((await api.bus.ask(ShowRow(**named, row=row))).json)
    (definition,) = (await api.bus.ask(ShowTable(**named))).tables

    assert (await table.get(row)).json["secret"] == SECRET
    assert listed == shown
    assert shown["text"] == "plain"
    assert [shown["secret"]] == list((await stored(table)).values())
    assert [column.default for column in definition.columns if column.key == "secret"] == [None]
