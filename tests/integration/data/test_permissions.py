"""What permissions are given, kept, listed by and refused; who may do what by them is in permissions.yaml."""

from dataclasses import replace

import pytest

from tests.accounts import GUEST, Headers
from tests.integration.data.api import OLD_WORDS, Api, TableApi
from tests.integration.data.people import CALLERS, HOLDERS, sign_in_all

People = dict[str, Headers]


@pytest.fixture(scope="module", params=["tablesdb", "databases"])
def api(api: Api, request: pytest.FixtureRequest) -> Api:
    """Data by either API."""
    return replace(api, service=request.param, old_words=OLD_WORDS if request.param == "databases" else {})


@pytest.fixture(scope="module")
def people(api: Api) -> People:
    """A caller of each kind, all signed in."""
    return sign_in_all(api.accounts) | {"key": api.key}


async def set_up(table: TableApi, permissions: list[str], *, security: bool) -> None:
    body = {"permissions": permissions, "rowSecurity": security}
    assert (await table.call("PUT", "", body=body)).status == 200


@pytest.mark.parametrize("query", [[], ['{"method":"equal","attribute":"text","values":["a"]}']], ids=["all", "some"])
@pytest.mark.check("data 1", "data 2", "data 6")
async def test_a_list_shows_exactly_the_rows_that_a_caller_may_read(api: Api, people: People, query: list[str]) -> None:
    """Under row security the rows of the caller's roles, each once; without it all or a refusal."""
    table = await api.new_table(rowSecurity=True)
    rows = {role: await table.new_row(None, f'read("{role}")') for role in HOLDERS}
    many = await table.new_row(None, *(f'read("{role}")' for role in HOLDERS))
    unreadable = await table.new_row(None, 'update("any")', 'delete("any")')

    for name in CALLERS:
        seen = [row for role, row in rows.items() if name in HOLDERS[role]] + [many]
        answer = await table.list(*query, caller=people[name])
        assert answer.json["total"] == len(seen), name
        assert [row["$id"] for row in answer.json["rows"]] == seen, name
    everything = [*rows.values(), many, unreadable]
    assert await table.found(*query, caller=people["key"]) == everything

    await set_up(table, ['read("users")'], security=True)
    assert await table.found(*query, caller=people["ada"]) == everything
    guests = [row for role, row in rows.items() if "guest" in HOLDERS[role]] + [many]
    assert await table.found(*query, caller=GUEST) == guests

    await set_up(table, ['read("users")'], security=False)
    assert await table.found(*query, caller=people["ada"]) == everything
    assert (await table.list(*query, caller=GUEST)).said == (401, "user_unauthorized")


@pytest.mark.check("data 2")
async def test_a_list_without_readable_rows_is_empty(api: Api) -> None:
    table = await api.new_table(rowSecurity=True)
    await table.new_row(None, 'read("users")')

    assert (await table.list(caller=GUEST)).json == {"total": 0, "rows": []}


@pytest.mark.check("data 5")
async def test_a_missing_row_is_told_apart_from_one_that_may_be_read_and_not_changed(api: Api) -> None:
    table = await api.new_table(rowSecurity=True)
    row = await table.new_row(None, 'read("any")')

    assert (await table.update(row, {"data": {"text": "b"}}, GUEST)).said == (401, "user_unauthorized")
    assert (await table.delete(row, GUEST)).said == (401, "user_unauthorized")
    assert (await table.update("nothing", {"data": {"text": "b"}}, GUEST)).said == (404, "row_not_found")
    assert (await table.delete("nothing", GUEST)).said == (404, "row_not_found")


@pytest.mark.check("data 3", "data 10", "data 11", "data 12")
async def test_a_user_owns_what_it_makes(api: Api) -> None:
    """The defaults of a new row."""
    table = await api.new_table(permissions=['create("any")'], rowSecurity=True)
    ada = api.accounts.sign_in("ada")

    made = await table.create(caller=ada)
    assert made.json["$permissions"] == ['read("user:ada")', 'update("user:ada")', 'delete("user:ada")']
    assert (await table.get(made.json["$id"], ada)).status == 200
    assert (await table.create(caller=GUEST)).json["$permissions"] == []
    assert (await table.create()).json["$permissions"] == []
    nobody_s = await table.create(caller=ada, permissions=[])
    assert nobody_s.json["$permissions"] == []
    assert (await table.get(nobody_s.json["$id"], ada)).said == (404, "row_not_found")

    await set_up(table, ['create("any")'], security=False)
    assert (await table.get(made.json["$id"], ada)).said == (404, "row_not_found")


@pytest.mark.parametrize("role", HOLDERS)
@pytest.mark.check("data 4", "data 13", "data 14", "data 15", "data 16")
async def test_clients_grant_only_to_roles_that_they_hold(api: Api, people: People, role: str) -> None:
    table = await api.new_table(permissions=['create("any")', 'update("any")', 'read("any")'])
    row = await table.new_row()
    for name in CALLERS:
        caller, holds = people[name], name in HOLDERS[role]
        made = await table.create(caller=caller, permissions=[f'read("{role}")'])
        changed = await table.update(row, {"permissions": [f'delete("{role}")']}, caller)

        assert made.said == ((201, "") if holds else (401, "user_unauthorized")), name
        assert changed.said == ((200, "") if holds else (401, "user_unauthorized")), name
        if holds:
            assert made.json["$permissions"] == [f'read("{role}")']
        else:
            assert made.json["message"].startswith("Permissions must be one of:")
    assert (await table.create(permissions=[f'read("{role}")'])).status == 201


@pytest.mark.check("data 17", "data 18", "data 19", "data 20")
async def test_write_stands_for_what_can_be_written_and_repeated_permissions_count_once(api: Api) -> None:
    table = await api.new_table(permissions=['write("any")'], rowSecurity=True)
    ada = api.accounts.sign_in("ada")
    shown = await table.call("GET", "")
    made = await table.create(caller=ada, permissions=['write("user:ada")', 'read("any")', 'read("any")'])
    refused = await table.create(caller=ada, permissions=['create("any")'])

    assert shown.json["$permissions"] == ['create("any")', 'update("any")', 'delete("any")']
    assert made.json["$permissions"] == ['update("user:ada")', 'delete("user:ada")', 'read("any")']
    assert refused.said == (400, "general_argument_invalid")


@pytest.mark.check("data 22", "data 24")
async def test_an_owner_may_give_up_its_row(api: Api) -> None:
    """Permissions are kept unless they are sent, and then they are replaced."""
    table = await api.new_table(permissions=['create("users")'], rowSecurity=True)
    ada = api.accounts.sign_in("ada")
    made = await table.create(caller=ada)
    row = made.json["$id"]

    kept = await table.update(row, {"data": {"text": "b"}}, ada)
    assert kept.json["$permissions"] == made.json["$permissions"]
    given_up = await table.update(row, {"permissions": []}, ada)
    assert given_up.said == (200, "")
    assert given_up.json["$permissions"] == []
    assert (await table.get(row, ada)).said == (404, "row_not_found")
    assert (await table.list(caller=ada)).json["total"] == 0
    assert (await table.delete(row, ada)).said == (404, "row_not_found")
    assert (await table.get(row)).status == 200


async def test_permissions_that_are_replaced_no_longer_list_a_row(api: Api) -> None:
    table = await api.new_table(rowSecurity=True)
    ada, vera = api.accounts.sign_in("ada"), api.accounts.sign_in("vera")
    row = await table.new_row(None, 'read("user:ada")')

    await table.update(row, {"permissions": ['read("user:vera")']})

    assert await table.found(caller=ada) == []
    assert await table.found(caller=vera) == [row]
    await table.delete(row)
    assert await table.found(caller=vera) == []


async def test_an_update_without_a_change_may_be_made_by_a_reader(api: Api) -> None:
    """The same values and permissions demand `read`; to who may not, whether they are the same is not told."""
    table = await api.new_table(rowSecurity=True)
    ada = api.accounts.sign_in("ada")
    only_update = await table.new_row(None, 'update("any")')
    only_read = await table.new_row(None, 'read("any")')

    assert (await table.update(only_update, {"data": {"text": "a"}}, ada)).said == (200, "")
    assert (await table.update(only_read, {"data": {"text": "a"}}, ada)).said == (200, "")
    assert (await table.update(only_read, {"data": {"text": "b"}}, ada)).said == (401, "user_unauthorized")


@pytest.mark.check("data 27", "data 28")
async def test_a_disabled_table_or_database_is_there_for_keys_only(api: Api) -> None:
    everyone = [f'{action}("any")' for action in ("read", "create", "update", "delete")]
    table = await api.new_table(permissions=everyone)
    row = await table.new_row()
    name = {"name": "A name", "permissions": everyone}

    async def refusals(caller: Headers) -> set[tuple[int, str]]:
        return {
            (await table.create(caller=caller)).said,
            (await table.get(row, caller)).said,
            (await table.list(caller=caller)).said,
            (await table.update(row, {"data": {"text": "b"}}, caller)).said,
            (await table.delete(row, caller)).said,
        }

    await table.call("PUT", "", body=name | {"enabled": False})
    assert await refusals(GUEST) == {(404, "table_not_found")}
    assert (await table.get(row)).said == (200, "")
    await table.call("PUT", "", body=name)
    await api.call("PUT", f"/{table.database}", body={"name": "A name", "enabled": False})
    assert await refusals(GUEST) == {(404, "database_not_found")}
    assert (await table.create()).said == (201, "")
    await api.call("PUT", f"/{table.database}", body={"name": "A name"})
    assert await refusals(GUEST) == {(200, ""), (201, ""), (204, "")}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", ""),
        ("GET", ""),
        ("POST", "/x/tables"),
        ("GET", "/x/tables/y"),
        ("GET", "/x/tables/y/columns"),
        ("POST", "/x/tables/y/columns/varchar"),
        ("DELETE", "/x/tables/y/indexes/z"),
    ],
)
@pytest.mark.check("data 29")
async def test_clients_and_keys_without_scope_see_no_definitions(api: Api, method: str, path: str) -> None:
    for caller in (GUEST, api.accounts.sign_in("ada"), api.accounts.make_key("rows.read", "rows.write")):
        answer = await api.call(method, path, caller, {})
        assert answer.said == (401, "general_unauthorized_scope")


@pytest.mark.check("data 30")
async def test_a_key_needs_the_scope_of_rows(api: Api) -> None:
    """And the older names of the scopes."""
    table = await api.new_table()
    reader, older = api.accounts.make_key("rows.read"), api.accounts.make_key("documents.write")

    assert (await table.create(caller=reader)).said == (401, "general_unauthorized_scope")
    assert (await table.list(caller=reader)).said == (200, "")
    assert (await table.create(caller=older)).said == (201, "")
    assert (await table.list(caller=older)).said == (401, "general_unauthorized_scope")


@pytest.mark.parametrize(
    "permissions",
    [
        *(
            [fault]
            for fault in (
                'read("user")',
                'read("any:x")',
                "read(any)",
                'fly("any")',
                'read("label:a-b")',
                'read("any")\n',
                'read("*")',
                'read("role:any")',
                'read("team:a/b/c")',
                'read("any/x")',
                'read("users/other")',
                'read("member:a/b")',
                'read("user:")',
                "",
            )
        ),
        ['read("any")'] * 101,
        [1],
        "read",
        {"read": "any"},
    ],
    ids=repr,
)
@pytest.mark.check("data 31")
async def test_faulty_permissions_are_refused(api: Api, permissions: object) -> None:
    table = await api.new_table()
    row = await table.new_row()

    assert (await table.create(permissions=permissions)).said == (400, "general_argument_invalid")
    assert (await table.update(row, {"permissions": permissions})).said == (400, "general_argument_invalid")
    assert (await table.call("PUT", "", body={"permissions": permissions})).said == (400, "general_argument_invalid")
