"""What data says of the roles that permissions name, to auth, which knows who is there."""

import pytest

from services.data.store.errors import StaleTable
from services.data.store.grants import TableGrants, do_rows_name_team, list_row_roles
from shared.contracts.grants import FindTeamGrants, Grantee, ListGrantees
from tests.integration.data.api import Api


async def is_named(api: Api, team: str, project: str = "library") -> bool:
    asked = FindTeamGrants(incarnation=api.accounts.projects[project], team=team)
    return (await api.as_auth.ask(asked)).is_named


@pytest.mark.parametrize("action", ["read", "create", "update", "delete"])
@pytest.mark.parametrize("role", ["team:{}", "team:{}/owner"])
async def test_a_team_that_a_table_names_is_found(api: Api, action: str, role: str) -> None:
    team = api.new_id("team")
    await api.new_table(permissions=[f'{action}("{role.format(team)}")'])

    assert await is_named(api, team)
    assert not await is_named(api, team, project="archive")


@pytest.mark.parametrize("action", ["read", "update", "delete"])
@pytest.mark.parametrize("role", ["team:{}", "team:{}/owner"])
async def test_a_team_that_a_row_names_is_found(api: Api, action: str, role: str) -> None:
    team = api.new_id("team")
    table = await api.new_table(rowSecurity=True)
    made = await table.create(permissions=[f'{action}("{role.format(team)}")'])
    assert made.status == 201, made

    assert await is_named(api, team)
    assert not await is_named(api, team, project="archive")


async def test_a_team_whose_id_only_begins_alike_is_not_found(api: Api) -> None:
    team = api.new_id("team")
    others = [f"{team}x", f"{team}.x", f"{team}-x", f"{team}_x", f"{team}0", team[:-1] + "_"]
    await api.new_table(permissions=[f'read("team:{other}")' for other in others])
    table = await api.new_table(rowSecurity=True)
    assert (await table.create(permissions=[f'read("team:{other}/owner")' for other in others])).status == 201

    assert not await is_named(api, team)
    assert [await is_named(api, other) for other in others] == [True] * len(others)


async def test_grantees_are_listed_once_and_bounded(api: Api) -> None:
    incarnation = api.accounts.projects["library"]
    first, second, third = (api.new_id(prefix) for prefix in ("named", "named", "named"))
    table = await api.new_table(rowSecurity=True, permissions=[f'read("team:{first}")', f'read("team:{first}/x")'])
    for _ in range(3):
        made = await table.create(permissions=[f'read("user:{second}")', f'update("member:{third}")', 'read("any")'])
        assert made.status == 201, made

    found = await api.as_auth.ask(ListGrantees(limit=100_000))

    ours = [one for one in found.grantees if one.id in {first, second, third}]
    assert found.is_complete
    assert sorted((one.kind, one.id) for one in ours) == [("member", third), ("team", first), ("user", second)]
    assert all(isinstance(one, Grantee) and one.incarnation == incarnation for one in ours)
    few = await api.as_auth.ask(ListGrantees(limit=2))
    assert (len(few.grantees), few.is_complete) == (2, False)


@pytest.mark.parametrize("gone", ["data.p_0", "db_0.p_0"], ids=["table", "database"])
async def test_a_table_that_is_deleted_meanwhile_is_said_to_be_so(api: Api, gone: str) -> None:
    table = TableGrants(incarnation=api.accounts.projects["library"], grants=gone)
    async with api.pool.acquire() as connection:
        with pytest.raises(StaleTable):
            await do_rows_name_team(connection, [table], "team")
        with pytest.raises(StaleTable):
            await list_row_roles(connection, table, "team", 1)
