"""X-Daypass-Explain, and the request of the command line: why somebody may do something with a row, or may not."""

import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from shared.contracts.explanations import ExplainRow
from shared.kernel.errors import Refusal
from tests.accounts import GUEST, Headers
from tests.answer import Answer
from tests.integration.data.api import OLD_WORDS, Api, TableApi, query

HEADER = "X-Daypass-Explain"


async def ask(table: TableApi, row: str, whom: str = "1", *others: Headers) -> Answer:
    """Read a row, as the key, with the header."""
    headers = table.api.key | {HEADER: whom}
    for other in others:
        headers |= other
    return await table.get(row, headers)


def actions(explained: Any) -> dict[str, Any]:
    return {one.pop("action"): one for one in json.loads(json.dumps(explained["actions"]))}


async def test_an_explanation_names_what_grants_an_action_and_what_would(api: Api) -> None:
    table = await api.new_table(
        permissions=['read("any")', 'create("users")', 'delete("team:board")'], rowSecurity=True
    )
    row = await table.new_row(None, 'read("label:vip")', 'read("user:bob")', 'update("user:bob")')
    ada = api.accounts.sign_in("ada", labels=["vip"])
    plain = await table.get(row)

    explained = await ask(table, row, "1", ada)

    assert explained.status == 200
    told = explained.json.pop("$explain")
    assert explained.json == plain.json
    granted = {"allowed": True, "needs": [], "ignored": []}
    refused = {"allowed": False, "grants": [], "ignored": []}
    by_table, by_row = {"permission": 'read("any")', "of": "table"}, {"permission": 'read("label:vip")', "of": "row"}
    assert actions(told) == {
        "read": granted | {"grants": [by_table, by_row]},
        "create": granted | {"grants": [{"permission": 'create("users")', "of": "table"}]},
        "update": refused | {"needs": ["user:bob"]},
        "delete": refused | {"needs": ["team:board"]},
    }
    del told["actions"]
    roles = sorted(["any", "users", "users/unverified", "user:ada", "user:ada/unverified", "label:vip"])
    assert told == {"user": "ada", "roles": roles, "refusal": "", "rowSecurity": True}


async def test_without_row_security_a_row_s_permissions_are_told_to_be_ignored(api: Api) -> None:
    table = await api.new_table()
    row = await table.new_row(None, 'read("user:ada")', 'read("user:bob")')
    ada = api.accounts.sign_in("ada")

    explained = (await ask(table, row, "1", ada)).json["$explain"]

    expected = {"allowed": False, "grants": [], "needs": [], "ignored": ['read("user:ada")']}
    assert actions(explained)["read"] == expected
    assert actions((await ask(table, row)).json["$explain"])["read"] == expected | {"ignored": []}


async def test_an_explanation_is_about_the_named_user_else_the_one_who_came_along_else_a_guest(api: Api) -> None:
    table = await api.new_table()
    row = await table.new_row()
    ada, _ = api.accounts.sign_in("ada"), api.accounts.sign_in("bob")

    async def about(whom: str, *others: Headers) -> str:
        return str((await ask(table, row, whom, *others)).json["$explain"]["user"])

    assert await about("user:bob", ada) == "bob"
    assert await about("1", ada) == "ada"
    assert await about("1") == ""
    assert "$explain" not in (await ask(table, row, "", ada)).json


@pytest.mark.parametrize("whom", ["0", "true", "ada", "user:", "user:a b", "team:crew", "guests"])
async def test_an_explanation_about_an_unknown_user_is_refused(api: Api, whom: str) -> None:
    table = await api.new_table()
    row = await table.new_row()

    assert (await ask(table, row, whom)).said == (400, "general_argument_invalid")


async def test_naming_a_user_takes_a_key_that_may_read_users(api: Api) -> None:
    table = await api.new_table()
    row = await table.new_row()
    ada = api.accounts.sign_in("ada")
    reader, both = api.accounts.make_key("rows.read"), api.accounts.make_key("rows.read", "users.read")

    assert (await ask(table, row, "1", reader, ada)).said == (200, "")
    assert (await ask(table, row, "user:ada", reader)).said == (401, "general_unauthorized_scope")
    assert (await ask(table, row, "user:ada", both)).said == (200, "")
    assert (await ask(table, row, "user:nobody", both)).said == (404, "user_not_found")
    assert (await ask(table, row, "1", api.accounts.make_key("users.read"))).said == (401, "general_unauthorized_scope")


async def test_clients_are_told_nothing_by_it(api: Api) -> None:
    table = await api.new_table(permissions=['read("users")'], rowSecurity=True)
    row, ada = await table.new_row(), api.accounts.sign_in("ada")

    for caller in (GUEST, ada):
        for whom in ("1", "user:ada", "user:nobody", "garbage"):
            asking = caller | {HEADER: whom}
            assert await table.get(row, asking) == await table.get(row, caller)
            assert await table.get("nothing", asking) == await table.get("nothing", caller)
            assert await table.list(caller=asking) == await table.list(caller=caller)


async def test_a_list_explains_each_row_and_the_table(api: Api) -> None:
    table = await api.new_table(permissions=['create("users")'], rowSecurity=True)
    rows = [await table.new_row(None, *permissions) for permissions in (['read("any")'], ['read("users")'], [])]
    asking = api.key | {HEADER: "1"}

    listed = (await table.list(query("select", None, "$id"), caller=asking)).json
    empty = (await table.list(query("equal", "text", "nothing"), caller=asking)).json

    assert [row["$id"] for row in listed["rows"]] == rows
    assert [actions(row["$explain"])["read"]["allowed"] for row in listed["rows"]] == [True, False, False]
    assert [actions(row["$explain"])["read"]["needs"] for row in listed["rows"]] == [[], ["users"], []]
    assert (empty["total"], empty["rows"]) == (0, [])
    assert listed["$explain"] == empty["$explain"]
    assert actions(empty["$explain"])["create"]["needs"] == ["users"]
    assert [(await ask(table, row)).json["$explain"] for row in rows] == [row["$explain"] for row in listed["rows"]]


async def test_a_page_that_is_explained_is_no_longer_than_a_hundred_rows(api: Api) -> None:
    table = await api.new_table()
    asking = api.key | {HEADER: "1"}

    assert (await table.list(query("limit", None, 100), caller=asking)).said == (200, "")
    assert (await table.list(query("limit", None, 101), caller=asking)).said == (400, "general_query_invalid")
    assert (await table.list(query("limit", None, 101))).said == (200, "")


async def test_an_explanation_says_what_refuses_a_user_altogether(api: Api) -> None:
    table = await api.new_table(permissions=['read("any")'])
    row = await table.new_row()
    api.accounts.sign_in("ada")
    everyone = {"name": "A name", "permissions": ['read("any")']}

    async def told() -> tuple[str, bool, int]:
        explained = (await ask(table, row, "user:ada")).json["$explain"]
        read = actions(explained)["read"]
        return explained["refusal"], read["allowed"], len(read["grants"])

    assert await told() == ("", True, 1)
    api.accounts.blocked.add("ada")
    assert await told() == ("user_blocked", False, 1)
    api.accounts.blocked.remove("ada")
    await table.call("PUT", "", body=everyone | {"enabled": False})
    assert await told() == ("table_not_found", False, 1)
    await api.call("PUT", f"/{table.database}", body={"name": "A name", "enabled": False})
    assert await told() == ("database_not_found", False, 1)


async def test_the_older_api_explains_in_its_words(api: Api) -> None:
    older = replace(api, service="databases", old_words=OLD_WORDS)
    table = await older.new_table(permissions=['read("any")'], rowSecurity=True)
    row = await table.new_row(None, 'read("guests")')
    await table.call("PUT", "", body={"permissions": ['read("any")'], "rowSecurity": True, "enabled": False})

    explained = (await ask(table, row)).json["$explain"]

    assert (explained["documentSecurity"], explained["refusal"]) == (True, "collection_not_found")
    assert [grant["of"] for grant in actions(explained)["read"]["grants"]] == ["collection", "document"]


async def test_the_command_line_is_told_the_same(api: Api) -> None:
    table = await api.new_table(permissions=['create("users")'], rowSecurity=True)
    row = await table.new_row(None, 'read("user:ada")')
    api.accounts.sign_in("ada")

    async def asked(user: str = "", row: str = row, **others: str) -> Any:
        place = {"project_id": "library", "database": table.database, "table": table.table}
        return msgspec.to_builtins(
            await api.bus.ask(ExplainRow(**place | {"row": row, "user_id": user} | others)), str_keys=True
        )

    async def refused(**named: str) -> str:
        with pytest.raises(Refusal) as refusal:
            await asked(**named)
        return refusal.value.type

    assert json.loads(json.dumps(await asked("ada"))) == (await ask(table, row, "user:ada")).json["$explain"]
    assert json.loads(json.dumps(await asked())) == (await ask(table, row)).json["$explain"]
    listed = await table.list(caller=api.key | {HEADER: "1"})
    assert json.loads(json.dumps(await asked(row=""))) == listed.json["$explain"]
    assert await refused(row="nothing") == "row_not_found"
    assert await refused(user="nobody") == "user_not_found"
    assert await refused(table="nothing") == "table_not_found"
    assert await refused(database="nothing") == "database_not_found"
    assert await refused(project_id="nothing") == "project_not_found"
    changed = {"permissions": ['create("guests")'], "rowSecurity": True}
    await table.call("PUT", "", body=changed, replica=1)
    for _ in range(2 * len(api.urls)):  # whichever replica takes it
        assert (await asked(row=""))["actions"][1]["allowed"]
