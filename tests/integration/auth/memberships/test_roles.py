"""Roles of members: who changes them, how many there may be, and changes at once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import asyncpg
import pytest

from shared.appwrite.permissions import MOST_ROLES
from tests.eventually import eventually
from tests.integration.auth.conftest import (
    World,
)
from tests.integration.auth.invitations import ADDRESSES, URL, total
from tests.integration.auth.people import a_team, a_user, blocked_by, join, roles_of
from tests.parts import Database


@contextlib.asynccontextmanager
async def held_up(tables: Database, team: str) -> AsyncIterator[asyncpg.Connection]:
    """Let every change of this team wait."""
    connection = await asyncpg.connect(tables.dsn("auth"))
    try:
        async with connection.transaction():
            await connection.execute("SELECT FROM auth.teams WHERE id = $1 FOR UPDATE", team)
            yield connection
    finally:
        await connection.close()


async def test_owners_do_many_things_at_once(world: World) -> None:
    """An entry about the team, of one change, fails no other."""
    _, owner = await a_user(world)
    team = await a_team(owner)
    users = [(await a_user(world))[0] for _ in range(8)]
    memberships = [(await join(world, team, user, "player")).json["$id"] for user in users]
    paths = [f"/teams/{team}/memberships/{membership}" for membership in memberships]

    changed = await asyncio.gather(*[owner.call("PATCH", path, roles=["x"]) for path in paths])
    assert [answer.status for answer in changed] == [200] * 8
    made = await asyncio.gather(*[owner.call("POST", "/teams", teamId="unique()", name="x") for _ in range(8)])
    assert [answer.status for answer in made] == [201] * 8
    deleted = await asyncio.gather(*[owner.call("DELETE", path) for path in paths])
    assert [answer.status for answer in deleted] == [204] * 8
    assert await total(world, team) == 1


async def test_changed_roles_are_in_force_on_return(world: World) -> None:
    _, owner = await a_user(world)
    user, member = await a_user(world)
    jwt = await world.jwt(member)
    team = await a_team(owner)
    path = f"/teams/{team}/memberships/{(await join(world, team, user, 'player')).json['$id']}"
    assert f"team:{team}/player" in await roles_of(world, jwt)

    assert (await member.call("PATCH", path, roles=["owner"])).error == (401, "user_unauthorized")
    changed = await owner.call("PATCH", path, roles=["judge", "judge"])
    assert (changed.status, changed.json["roles"]) == (200, ["judge"])
    assert changed.headers["Daypass-Receipt"].startswith("n=")
    for caller in (member, jwt):
        assert [role for role in await roles_of(world, caller) if role.startswith(f"team:{team}/")] == [
            f"team:{team}/judge"
        ]
    assert (await world.key.call("PATCH", path, roles=[])).json["roles"] == []
    for caller in (owner, world.key):
        nothing = await caller.call("PATCH", f"/teams/{team}/memberships/nothing", roles=[])
        assert nothing.error == (404, "membership_not_found")
        nowhere = await caller.call("PATCH", path.replace(team, "nothing"), roles=[])
        assert nowhere.error == (404, "team_not_found")


@pytest.mark.check("identity 80")
@pytest.mark.check("identity 81")
async def test_a_former_owner_changes_nothing(world: World) -> None:
    _, owner = await a_user(world)
    team = await a_team(owner)
    jwt = await world.jwt(owner)
    own = (await world.key.call("GET", f"/teams/{team}/memberships")).json["memberships"][0]["$id"]
    assert (await jwt.call("PUT", f"/teams/{team}", name="New")).status == 200
    assert (await owner.call("PATCH", f"/teams/{team}/memberships/{own}", roles=["player"])).status == 200

    for method, path, body in (
        ("PUT", "", {"name": "x"}),
        ("PUT", "/prefs", {"prefs": {}}),
        ("PATCH", f"/memberships/{own}", {"roles": ["owner"]}),
        ("POST", "/memberships", {"email": next(ADDRESSES), "roles": [], "url": URL}),
        ("DELETE", "", {}),
    ):
        for caller in (owner, jwt):
            refused = await caller.call(method, f"/teams/{team}{path}", **body)
            assert refused.error == (401, "user_unauthorized"), path


@pytest.mark.parametrize("loss", ["roles", "membership", "session", "user"])
async def test_a_change_that_waits_while_its_caller_loses_the_right_to_it_is_not_made(
    world: World, tables: Database, loss: str
) -> None:
    user, owner = await a_user(world)
    team = await a_team(owner)
    own = (await world.key.call("GET", f"/teams/{team}/memberships")).json["memberships"][0]["$id"]
    member = f"/teams/{team}/memberships/{own}"

    async with held_up(tables, team) as connection:
        renaming = asyncio.create_task(owner.call("PUT", f"/teams/{team}", name="Taken"))
        await eventually(lambda: blocked_by(connection), 1)
        match loss:
            case "roles":
                lost = await world.key.call("PATCH", member, roles=["player"])
            case "membership":
                lost = await world.key.call("DELETE", member)
            case "session":
                lost = await world.key.call("DELETE", f"/users/{user}/sessions")
            case _:
                lost = await world.key.call("PATCH", f"/users/{user}/status", status=False)
        assert lost.status in {200, 204}
    assert (await renaming).error == (503, "principal_unavailable")
    assert (await world.key.call("GET", f"/teams/{team}")).json["name"] == "Team"


@pytest.mark.check("identity 85")
async def test_a_user_has_no_more_roles_than_can_be_checked(world: World) -> None:
    user, session = await a_user(world)
    roles = [f"r{number}" for number in range(100)]
    most = MOST_ROLES // 102
    for _ in range(most):
        assert (await join(world, await a_team(world.key), user, *roles)).status == 201
    team = await a_team(world.key)

    assert (await join(world, team, user, *roles)).error == (400, "general_argument_invalid")
    assert await total(world, team) == 0
    refused = await session.call("POST", "/teams", teamId="unique()", name="x", roles=roles)
    assert refused.error == (400, "general_argument_invalid")
    membership = (await join(world, team, user)).json["$id"]
    changed = await world.key.call("PATCH", f"/teams/{team}/memberships/{membership}", roles=roles)
    assert changed.error == (400, "general_argument_invalid")
