"""The end of a membership: members leave, owners remove, the invited decline, users are deleted."""

from pathlib import Path

import pytest

from tests.answer import Answer
from tests.integration.auth.conftest import Caller, World
from tests.integration.auth.invitations import accept, invited, total
from tests.integration.auth.people import a_team, a_user, join, roles_of


async def test_members_leave_and_owners_remove(world: World) -> None:
    _, owner = await a_user(world)
    team = await a_team(owner)
    own = (await world.key.call("GET", f"/teams/{team}/memberships")).json["memberships"][0]["$id"]
    (leaver, leaving), (removed, staying) = await a_user(world), await a_user(world)
    jwts = [await world.jwt(leaving), await world.jwt(staying)]
    left, gone = [(await join(world, team, user, "player")).json["$id"] for user in (leaver, removed)]
    for jwt in jwts:
        assert f"team:{team}" in await roles_of(world, jwt)

    async def delete(caller: Caller, membership: str) -> Answer:
        return await caller.call("DELETE", f"/teams/{team}/memberships/{membership}")

    assert (await delete(leaving, own)).error == (401, "user_unauthorized")
    assert (await delete(leaving, gone)).error == (401, "user_unauthorized")
    assert (await delete(owner, "nothing")).error == (404, "team_invite_not_found")
    for caller, membership in ((leaving, left), (owner, gone)):
        answer = await delete(caller, membership)
        assert answer.status == 204
        assert answer.headers["Daypass-Receipt"].startswith("n=")
    for jwt in jwts:
        assert not any(team in role or left in role or gone in role for role in await roles_of(world, jwt))
    assert await total(world, team) == 1
    assert (await delete(leaving, left)).error == (404, "team_not_found")
    assert (await delete(world.key, left)).error == (404, "team_invite_not_found")
    assert (await delete(owner, own)).status == 204  # the last owner may leave, too
    assert await total(world, team) == 0


@pytest.mark.check("identity 82")
async def test_an_invited_user_may_decline(world: World, folder: Path) -> None:
    _, owner = await a_user(world)
    user, session = await a_user(world)
    team = await a_team(owner)
    membership = await invited(owner, team, userId=user)

    assert (await session.call("DELETE", f"/teams/{team}/memberships/{membership}")).status == 204
    assert (await accept(world.guest, folder, membership)).error == (404, "membership_not_found")


@pytest.mark.check("identity 69")
async def test_a_deleted_user_leaves_all_teams(world: World) -> None:
    user, _ = await a_user(world)
    team = await a_team(world.key)
    await join(world, team, user, "player")
    assert await total(world, team) == 1

    assert (await world.key.call("DELETE", f"/users/{user}")).status == 204
    assert await total(world, team) == 0
