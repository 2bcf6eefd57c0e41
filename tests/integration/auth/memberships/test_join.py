"""Members whom keys make, and memberships that keys confirm."""

import pytest

from tests.integration.auth.conftest import (
    World,
)
from tests.integration.auth.invitations import ADDRESSES, invite, invited, total
from tests.integration.auth.people import a_team, a_user, join, roles_of


@pytest.mark.check("identity 78")
async def test_a_key_makes_a_member_at_once(world: World) -> None:
    user, session = await a_user(world)
    jwt = await world.jwt(session)
    team = await a_team(world.key)
    await world.key.call("PUT", f"/users/{user}/labels", labels=["x"])  # all before it is applied, too
    for caller in (session, jwt):
        assert f"team:{team}" not in await roles_of(world, caller)  # and is remembered from here on
    made = await join(world, team, user, "player", "player")

    assert (made.status, made.json["confirm"], made.json["roles"]) == (201, True, ["player"])
    assert (made.json["userName"], made.json["teamName"], made.json["joined"] != "") == ("Ada", "Team", True)
    assert made.headers["Daypass-Receipt"].startswith("n=")
    for caller in (session, jwt):
        assert {f"team:{team}", f"team:{team}/player", f"member:{made.json['$id']}"} <= set(
            await roles_of(world, caller)
        )
    assert await total(world, team) == 1
    assert (await join(world, team, user, "player")).error == (409, "membership_already_confirmed")


@pytest.mark.check("identity 79")
async def test_a_key_finds_or_makes_a_user_by_address(world: World) -> None:
    team, known, new, phone = await a_team(world.key), next(ADDRESSES), next(ADDRESSES), "+4930110001"
    user = await world.sign_up(known)

    by_email = await invite(world.key, team, email=known.upper())
    assert (by_email.json["userId"], by_email.json["userEmail"]) == (user, known)
    made = await invite(world.key, team, email=new)
    assert (made.json["userName"], made.json["userEmail"]) == (new, new)
    named = await invite(world.key, team, phone=phone, name="Grace")
    assert (named.json["userName"], named.json["userPhone"]) == ("Grace", phone)
    again = await invite(world.key, await a_team(world.key), phone=phone)
    assert again.json["userId"] == named.json["userId"]
    assert await total(world, team) == 3
    assert (await invite(world.key, team, userId="nobody")).error == (404, "user_not_found")
    assert (await invite(world.key, team, userId=user, email=new)).error == (409, "user_already_exists")
    assert (await invite(world.key, "nothing", userId=user)).error == (404, "team_not_found")
    assert (await invite(world.key, team)).error == (400, "general_argument_invalid")
    other = await world.sign_up(next(ADDRESSES))
    taken = await invite(world.key, team, userId=other, membershipId=named.json["$id"])
    assert taken.error == (409, "resource_already_exists")


@pytest.mark.check("identity 77")
async def test_a_membership_that_a_key_made_has_no_secret(world: World) -> None:
    user, _ = await a_user(world)
    team = await a_team(world.key)
    membership = (await join(world, team, user, "player")).json["$id"]

    path = f"/teams/{team}/memberships/{membership}/status"
    answer = await world.guest.call("PATCH", path, userId=user, secret="x")
    assert answer.error == (401, "team_invalid_secret")


async def test_a_key_confirms_an_invitation_to_an_address(world: World) -> None:
    _, owner = await a_user(world)
    team, address = await a_team(owner), next(ADDRESSES)
    membership = await invited(owner, team, email=address)
    made = await invite(world.key, team, email=address)

    assert (made.status, made.json["$id"], made.json["confirm"]) == (201, membership, True)
    assert (await world.key.call("GET", f"/users/{made.json['userId']}")).json["email"] == address


async def test_a_key_confirms_what_is_pending(world: World) -> None:
    _, owner = await a_user(world)
    user, session = await a_user(world)
    team = await a_team(owner)
    membership = await invited(owner, team, userId=user)
    made = await join(world, team, user, "player")

    assert (made.status, made.json["$id"], made.json["confirm"]) == (201, membership, True)
    assert f"team:{team}" in await roles_of(world, session)
    assert await total(world, team) == 2
