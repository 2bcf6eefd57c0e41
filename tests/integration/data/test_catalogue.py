"""Replicas remember definitions, and never answer by an old one."""

import asyncio

import pytest

from tests.accounts import GUEST
from tests.integration.data.api import Api, TableApi, query

OTHER = 1


async def known_elsewhere(api: Api, **parameters: object) -> tuple[TableApi, str]:
    """Make a table and a row, and have the other replica know them."""
    table = await api.new_table(**parameters)
    row = await table.new_row()
    assert (await table.get(row, replica=OTHER)).status == 200
    assert (await table.list(replica=OTHER)).status == 200
    return table, row


async def test_a_new_column_is_known_everywhere_at_once(api: Api) -> None:
    table, row = await known_elsewhere(api)

    await table.add_column("integer", "age", required=True)

    assert (await table.get(row, replica=OTHER)).json["age"] is None
    assert (await table.create({"age": 1}, replica=OTHER)).said == (201, "")
    assert (await table.create({"text": "a"}, replica=OTHER)).said == (400, "row_invalid_structure")
    assert (await table.list(query("equal", "age", 1), replica=OTHER)).json["total"] == 1


async def test_a_new_column_can_be_asked_for_everywhere_at_once(api: Api) -> None:
    """What an old definition would refuse before any statement is refused by the current one, or not."""
    for ask in (
        query("equal", "age", 1),
        query("orderAsc", "age"),
        query("select", None, "age"),
    ):
        table, _ = await known_elsewhere(api)
        await table.add_column("integer", "age")
        assert (await table.list(ask, replica=OTHER)).said == (200, ""), ask


async def test_a_deleted_column_is_gone_everywhere_at_once(api: Api) -> None:
    table, row = await known_elsewhere(api)

    await table.call("DELETE", "/columns/text")

    assert "text" not in (await table.get(row, replica=OTHER)).json
    assert (await table.list(query("equal", "text", "a"), replica=OTHER)).said == (400, "general_query_invalid")
    assert (await table.create({"text": "a"}, replica=OTHER)).said == (400, "row_invalid_structure")
    assert (await table.update(row, {"data": {"text": "b"}}, replica=OTHER)).said == (400, "row_invalid_structure")


async def test_permissions_of_a_table_are_in_force_everywhere_at_once(api: Api) -> None:
    table, row = await known_elsewhere(api)
    assert (await table.get(row, GUEST, replica=OTHER)).said == (404, "row_not_found")
    assert (await table.list(caller=GUEST, replica=OTHER)).said == (401, "user_unauthorized")

    await table.call("PUT", "", body={"permissions": ['read("any")', 'create("any")']})
    assert (await table.get(row, GUEST, replica=OTHER)).said == (200, "")
    assert (await table.list(caller=GUEST, replica=OTHER)).json["total"] == 1
    assert (await table.create(caller=GUEST, replica=OTHER)).said == (201, "")

    await table.call("PUT", "", body={"permissions": []})
    assert (await table.get(row, GUEST, replica=OTHER)).said == (404, "row_not_found")
    assert (await table.list(caller=GUEST, replica=OTHER)).said == (401, "user_unauthorized")
    assert (await table.create(caller=GUEST, replica=OTHER)).said == (401, "user_unauthorized")


async def test_lists_are_of_current_definitions_too(api: Api) -> None:
    table, _ = await known_elsewhere(api, permissions=['read("any")'])
    assert (await table.list(caller=GUEST, replica=OTHER)).status == 200

    await table.add_column("integer", "age", default=1)
    assert "age" in (await table.list(caller=GUEST, replica=OTHER)).json["rows"][0]
    await table.call("PUT", "", body={"permissions": []})
    assert (await table.list(caller=GUEST, replica=OTHER)).said == (401, "user_unauthorized")


async def test_row_security_is_in_force_everywhere_at_once(api: Api) -> None:
    table, _ = await known_elsewhere(api)
    row = await table.new_row(None, 'read("any")', 'update("any")')
    await table.call("PUT", "", body={"rowSecurity": True})
    assert (await table.get(row, GUEST, replica=OTHER)).said == (200, "")
    await table.call("PUT", "", body={"rowSecurity": False})

    assert (await table.get(row, GUEST, replica=OTHER)).said == (404, "row_not_found")
    assert (await table.update(row, {"data": {"text": "b"}}, GUEST, replica=OTHER)).said == (401, "user_unauthorized")


async def test_disabling_and_enabling_is_in_force_everywhere_at_once(api: Api) -> None:
    table, row = await known_elsewhere(api, permissions=['read("any")'])
    for path, refused in ((table.path, "table_not_found"), (f"/{table.database}", "database_not_found")):
        await api.call("PUT", path, body={"enabled": False})
        assert (await table.get(row, GUEST, replica=OTHER)).said == (404, refused)
        await api.call("PUT", path, body={"enabled": True})
        assert (await table.get(row, GUEST, replica=OTHER)).said == (200, "")


@pytest.mark.parametrize("refused", ["table_not_found", "database_not_found"])
async def test_a_deleted_table_is_gone_everywhere_at_once_and_can_be_created_anew(api: Api, refused: str) -> None:
    table, row = await known_elsewhere(api)
    await api.call("DELETE", table.path if refused == "table_not_found" else f"/{table.database}")

    assert (await table.get(row, replica=OTHER)).said == (404, refused)
    assert (await table.list(replica=OTHER)).said == (404, refused)
    assert (await table.create(replica=OTHER)).said == (404, refused)

    await api.call("POST", "", body={"databaseId": table.database, "name": "again"})
    await api.call("POST", f"/{table.database}/tables", body={"tableId": table.table, "name": "again"})
    assert (await table.list(replica=OTHER)).json == {"total": 0, "rows": []}
    assert (await table.get(row, replica=OTHER)).said == (404, "row_not_found")


async def test_rows_are_read_and_written_while_their_table_changes(api: Api) -> None:
    """Whatever the order, each answer is one of a definition that was current."""
    table = await api.new_table(rowSecurity=True, permissions=['create("any")'])
    row = await table.new_row({"text": "a"}, 'read("any")', 'update("any")')
    statuses: set[tuple[int, str]] = set()
    is_done = asyncio.Event()

    async def change() -> None:
        for place in range(12):
            kind = await table.add_column("integer", f"extra{place}", default=place)
            assert kind.said == (202, "")
            changed = {"required": False, "default": place + 1, "max": 100, "newKey": f"more{place}"}
            renamed = await table.call("PATCH", f"/columns/integer/extra{place}", body=changed)
            assert renamed.said == (200, "")
            body = {"permissions": ['create("any")'], "rowSecurity": True, "name": f"table {place}"}
            assert (await table.call("PUT", "", body=body)).said == (200, "")
            assert (await table.call("DELETE", f"/columns/more{place}")).said == (204, "")
        is_done.set()

    async def use(replica: int) -> None:
        place = 0
        while not is_done.is_set():
            place += 1
            answers = [
                await table.get(row, GUEST, replica=replica),
                await table.list(query("equal", "text", "a"), caller=GUEST, replica=replica),
                await table.create(caller=GUEST, replica=replica),
                await table.update(row, {"data": {"text": f"a{replica}{place}"}}, GUEST, replica=replica),
            ]
            statuses.update(answer.said for answer in answers)

    await asyncio.gather(change(), use(0), use(1))

    assert statuses == {(200, ""), (201, "")}


async def test_rows_are_written_while_their_table_is_deleted(api: Api) -> None:
    """A write is there before the table goes, or finds no table; nobody waits for nobody."""
    for _ in range(5):
        table = await api.new_table()
        is_done = asyncio.Event()
        statuses: set[tuple[int, str]] = set()

        async def use(table: TableApi, replica: int, is_done: asyncio.Event, seen: set[tuple[int, str]]) -> None:
            while not is_done.is_set():
                for answer in (await table.create(replica=replica), await table.list(replica=replica)):
                    seen.add(answer.said)

        users = [asyncio.create_task(use(table, replica, is_done, statuses)) for replica in (0, 1, 0, 1)]
        await table.create()
        deleted = await api.call("DELETE", f"/{table.database}")
        is_done.set()
        await asyncio.gather(*users)

        assert deleted.said == (204, "")
        assert statuses <= {(201, ""), (200, ""), (404, "database_not_found"), (404, "table_not_found")}
        assert (await table.list()).said == (404, "database_not_found")


async def test_tables_and_columns_are_made_by_many_at_once(api: Api) -> None:
    table = await api.new_table()
    made = await asyncio.gather(
        *(table.add_column("boolean", f"b{place}") for place in range(8)),
        *(table.call("POST", "/columns/boolean", body={"key": "same", "required": False}, replica=r) for r in (0, 1)),
        *(
            api.call("POST", f"/{table.database}/tables", body={"tableId": "same", "name": "x"}, replica=replica)
            for replica in (0, 1)
        ),
    )

    said = sorted(answer.said for answer in made)
    assert said == sorted([(202, "")] * 9 + [(409, "column_already_exists"), (201, ""), (409, "table_already_exists")])
    assert (await table.call("GET", "/columns")).json["total"] == 10
