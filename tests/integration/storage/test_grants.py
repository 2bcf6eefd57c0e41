"""What storage says of the roles that permissions name, to auth, which knows who is there."""

import pytest

from shared.contracts.grants import FindTeamGrantsInFiles, Grantee, ListGranteesInFiles
from tests.integration.storage.api import Api


async def is_named(api: Api, team: str, project: str = "library") -> bool:
    request = FindTeamGrantsInFiles(incarnation=api.accounts.projects[project], team=team)
    return (await api.as_auth.ask(request)).is_named


@pytest.mark.parametrize("action", ["read", "create", "update", "delete"])
@pytest.mark.parametrize("role", ["team:{}", "team:{}/owner"])
async def test_a_team_that_a_bucket_names_is_found(api: Api, action: str, role: str) -> None:
    team = api.new_id("team")
    await api.new_bucket(permissions=[f'{action}("{role.format(team)}")'])

    assert await is_named(api, team)
    assert not await is_named(api, team, project="archive")
    assert not await is_named(api, f"{team}x")


async def test_users_teams_and_memberships_that_buckets_name_are_listed(api: Api) -> None:
    names = {kind: api.new_id(kind) for kind in ("user", "team", "member")}
    named = [f"user:{names['user']}/verified", f"team:{names['team']}/x", f"member:{names['member']}"]
    roles = ["any", "users", "label:a", *named]
    await api.new_bucket(permissions=[f'read("{role}")' for role in roles])
    incarnation = api.accounts.projects["library"]
    listed = await api.as_auth.ask(ListGranteesInFiles(limit=10_000))
    few = await api.as_auth.ask(ListGranteesInFiles(limit=1))

    assert listed.is_complete
    expected = {Grantee(incarnation=incarnation, kind=kind, id=name) for kind, name in names.items()}  # type: ignore[arg-type]
    assert expected <= set(listed.grantees)
    assert (len(few.grantees), few.is_complete) == (1, False)
