"""Memberships as they are shown and listed, of a team and of a user."""

from typing import Any

import pytest

from shared.contracts.administration import UpdateProject
from tests.integration.auth.conftest import (
    PROJECT,
    Caller,
    World,
)
from tests.integration.auth.invitations import ADDRESSES, invited
from tests.integration.auth.people import a_team, a_user, join, listed


async def test_members_see_what_the_project_shows(world: World) -> None:
    _, owner = await a_user(world)
    (user, _), (fellow, member) = await a_user(world), await a_user(world)
    team = await a_team(owner)
    await join(world, team, fellow, "player")
    path = f"/teams/{team}/memberships/{(await join(world, team, user, 'player')).json['$id']}"
    hidden = ("userId", "userName", "userEmail", "userPhone", "userAccessedAt")

    async def shown(caller: Caller) -> list[dict[str, Any]]:
        one = (await caller.call("GET", path)).json
        (same,) = [m for m in (await listed(caller, f"/teams/{team}/memberships")).json["memberships"] if m == one]
        return [one, same]

    for one in await shown(member):
        assert [one[name] for name in hidden] == [""] * 5
        assert (one["mfa"], one["roles"], one["teamName"]) == (False, ["player"], "Team")
    for one in await shown(world.key):
        assert (one["userId"], one["userName"]) == (user, "Ada")
        assert one["userEmail"].endswith("@example.org")
    await world.bus.ask(
        UpdateProject(id=PROJECT, membership_fields={"userName": True, "userEmail": True}), timeout_s=15
    )
    try:
        for one in await shown(member):
            assert (one["userId"], one["userName"]) == ("", "Ada")
            assert one["userEmail"].endswith("@example.org")
    finally:
        await world.bus.ask(
            UpdateProject(id=PROJECT, membership_fields={"userName": False, "userEmail": False}), timeout_s=15
        )
    for one in await shown(member):
        assert one["userName"] == ""
    assert (await member.call("GET", f"/teams/{team}/memberships/nothing")).error == (404, "membership_not_found")
    assert (await world.guest.call("GET", path)).error == (401, "general_unauthorized_scope")


@pytest.mark.check("identity 84")
async def test_memberships_are_asked_for_by_query(world: World) -> None:
    _, owner = await a_user(world)
    team = await a_team(owner)
    user, _ = await a_user(world)
    await join(world, team, user, "player", "judge")
    pending = await invited(owner, team, email=next(ADDRESSES))

    async def matching(*queries: object, **more: str) -> object:
        answer = await listed(world.key, f"/teams/{team}/memberships", *queries, **more)
        return answer.error if answer.status != 200 else len(answer.json["memberships"])

    def query(method: str, attribute: str, *values: object) -> dict[str, object]:
        return {"method": method, "attribute": attribute, "values": list(values)}

    assert await matching() == 3
    assert await matching(query("equal", "roles", "player")) == (400, "general_argument_invalid")
    assert await matching(query("contains", "roles", "judge", "nothing")) == 1
    assert await matching(query("notContains", "roles", "judge")) == 2
    assert await matching(query("equal", "confirm", True)) == 2
    assert await matching(query("equal", "userId", user)) == 1
    assert await matching(query("isNull", "joined")) == 1
    assert await matching(search=user) == 1
    assert await matching(search=pending) == 1
    assert await matching(query("orderAsc", "joined"), query("cursorAfter", "", pending)) == (
        400,
        "database_query_order_null",
    )
    assert await matching({"method": "select", "values": ["roles"]}) == (400, "general_argument_invalid")


@pytest.mark.check("identity 83")
async def test_the_memberships_of_a_user(world: World) -> None:
    _, owner = await a_user(world)
    user, session = await a_user(world)
    member_of, invited_to = await a_team(owner), await a_team(owner)
    await join(world, member_of, user, "player")
    await invited(owner, invited_to, userId=user)

    async def matching(caller: Caller, path: str) -> list[tuple[str, bool, str]]:
        answer = (await caller.call("GET", path)).json
        assert answer["total"] == len(answer["memberships"])
        return [(one["teamId"], one["confirm"], one["userName"]) for one in answer["memberships"]]

    both = [(member_of, True, "Ada"), (invited_to, False, "Ada")]
    assert await matching(world.key, f"/users/{user}/memberships") == both
    assert await matching(session, "/account/memberships") == both
    assert (await world.key.call("GET", "/users/nobody/memberships")).error == (404, "user_not_found")
    assert (await session.call("GET", f"/users/{user}/memberships")).error == (401, "general_unauthorized_scope")
    assert (await world.guest.call("GET", "/account/memberships")).error == (401, "general_unauthorized_scope")
    for team in (member_of, invited_to):
        assert (await owner.call("DELETE", f"/teams/{team}")).status == 204
    assert await matching(world.key, f"/users/{user}/memberships") == []
    assert await matching(session, "/account/memberships") == []
