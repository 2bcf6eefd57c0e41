"""Accepting an invitation: who may, who is signed in by it, and whom it makes."""

import asyncio
from pathlib import Path

import pytest

from shared.contracts.administration import UpdateProject
from tests.integration.auth.conftest import (
    PASSWORD,
    PROJECT,
    World,
)
from tests.integration.auth.invitations import ADDRESSES, accept, invite, invited, letter, signed_in, total
from tests.integration.auth.people import a_team, a_user, join, roles_of


@pytest.mark.check("identity 29")
async def test_a_guest_who_accepts_is_signed_in(world: World, folder: Path) -> None:
    _, owner = await a_user(world)
    team = await a_team(owner)
    membership = await invited(owner, team, email=next(ADDRESSES))
    guest = world.guest.with_(User_Agent="python-requests/2.31.0")
    accepted = await accept(guest, folder, membership)

    assert (accepted.status, accepted.json["confirm"], accepted.json["joined"] != "") == (200, True, True)
    assert accepted.headers["Daypass-Receipt"].startswith("n=")
    assert len(accepted.headers.getall("Set-Cookie")) == 2
    session = signed_in(world, accepted)
    account = (await session.call("GET", "/account")).json
    assert (account["$id"], account["emailVerification"]) == (accepted.json["userId"], True)
    current = (await session.call("GET", "/account/sessions/current")).json
    assert (current["provider"], current["factors"], current["providerUid"]) == ("email", ["email"], account["email"])
    assert current["clientName"] == "Python Requests"
    assert (await session.call("GET", f"/teams/{team}")).json["total"] == 2
    # The first password needs no old one; the second does.
    assert (await session.call("PATCH", "/account/password", password=PASSWORD)).status == 200
    refused = await session.call("PATCH", "/account/password", password=PASSWORD)
    assert refused.error == (401, "user_invalid_credentials")


@pytest.mark.check("identity 76")
async def test_only_the_link_accepts(world: World, folder: Path) -> None:
    _, owner = await a_user(world)
    user, _ = await a_user(world)
    team = await a_team(owner)
    membership = await invited(owner, team, email=next(ADDRESSES))
    sent = letter(folder, membership)

    async def refused(**other: object) -> tuple[int, str]:
        return (await accept(world.guest, folder, membership, **other)).error

    async def elsewhere(team: str, membership: str) -> tuple[int, str]:
        path = f"/teams/{team}/memberships/{membership}/status"
        return (await world.guest.call("PATCH", path, userId=sent["userId"], secret=sent["secret"])).error

    assert await refused(secret="wrong") == (401, "team_invalid_secret")
    assert await refused(userId=user) == (401, "team_invite_mismatch")
    assert await refused(userId="not an id") == (400, "general_argument_invalid")
    assert await refused(secret="") == (400, "general_argument_invalid")
    assert await elsewhere(team, "nothing") == (404, "membership_not_found")
    assert await elsewhere("nothing", membership) == (404, "team_not_found")
    assert await elsewhere(await a_team(owner), membership) == (404, "team_membership_mismatch")
    assert (await accept(world.key, folder, membership)).error == (401, "general_unauthorized_scope")
    assert (await accept(owner, folder, membership)).error == (401, "team_invite_mismatch")
    assert (await accept(world.guest, folder, membership)).status == 200
    assert await refused() == (409, "membership_already_confirmed")
    assert await total(world, team) == 2


async def test_a_signed_in_user_accepts_without_a_new_session(world: World, folder: Path) -> None:
    _, owner = await a_user(world)
    user, session = await a_user(world)
    jwt = await world.jwt(session)
    team = await a_team(owner)
    membership = await invited(owner, team, userId=user)
    assert f"team:{team}" not in await roles_of(world, jwt)
    accepted = await accept(session, folder, membership)

    assert accepted.status == 200
    assert "Set-Cookie" not in accepted.headers
    for caller in (session, jwt):
        assert {f"team:{team}/player", "users/verified"} <= set(await roles_of(world, caller))
    assert (await session.call("GET", "/account/sessions")).json["total"] == 1


@pytest.mark.check("identity 79")
async def test_a_link_to_an_address_that_was_given_up_signs_nobody_in(world: World, folder: Path) -> None:
    _, owner = await a_user(world)
    user, session = await a_user(world)
    membership = await invited(owner, await a_team(owner), userId=user)
    await world.key.call("PATCH", "/project/policies/session-invalidation", enabled=False)
    await world.key.call("PATCH", f"/users/{user}/email", email=next(ADDRESSES))
    await world.key.call("PATCH", "/project/policies/session-invalidation", enabled=True)

    assert (await accept(world.guest, folder, membership)).error == (401, "team_invalid_secret")
    assert (await accept(session, folder, membership)).status == 200
    assert not (await session.call("GET", "/account")).json["emailVerification"]


async def test_a_blocked_user_cannot_accept(world: World, folder: Path) -> None:
    _, owner = await a_user(world)
    user, _ = await a_user(world)
    await world.key.call("PATCH", f"/users/{user}/status", status=False)
    membership = await invited(owner, await a_team(owner), userId=user)

    assert (await accept(world.guest, folder, membership)).error == (403, "user_blocked")


async def test_a_claim_to_an_address_without_proof_gives_way_to_the_user_who_reads_its_mail(
    world: World, folder: Path
) -> None:
    _, owner = await a_user(world)
    team, address = await a_team(owner), next(ADDRESSES)
    membership = await invited(owner, team, email=address)
    claimed = await world.guest.call("POST", "/account", userId="unique()", email=address, password=PASSWORD)
    claimant = await world.session(claimed.json["$id"])
    reader = signed_in(world, await accept(world.guest, folder, membership))

    assert (await reader.call("GET", "/account")).json["emailVerification"] is True
    assert (await claimant.call("GET", "/account")).status == 401
    again = await world.guest.call("POST", "/account/sessions/email", email=address, password=PASSWORD)
    assert again.error == (401, "user_invalid_credentials")


async def test_an_invitation_makes_a_user_when_it_is_accepted(world: World, folder: Path) -> None:
    _, owner = await a_user(world)
    team, address = await a_team(owner), next(ADDRESSES)
    made = await invite(owner, team, email=address, name="Grace")
    membership, reserved = made.json["$id"], made.json["userId"]

    assert (await world.key.call("GET", f"/users/{reserved}")).error == (404, "user_not_found")
    changed = await owner.call("PATCH", f"/teams/{team}/memberships/{membership}", roles=["judge"])
    assert (changed.status, changed.json["userId"], changed.json["userName"]) == (200, "", "")
    shown = (await world.key.call("GET", f"/teams/{team}/memberships/{membership}")).json
    assert (shown["userName"], shown["userEmail"], shown["userPhone"]) == ("Grace", address, "")
    accepted = await accept(world.guest, folder, membership)
    assert (accepted.status, accepted.json["userId"], accepted.json["roles"]) == (200, reserved, ["judge"])
    user = (await world.key.call("GET", f"/users/{reserved}")).json
    assert (user["name"], user["email"], user["emailVerification"]) == ("Grace", address, True)
    assert (await world.key.call("DELETE", f"/users/{reserved}")).status == 204
    assert await total(world, team) == 1


async def test_an_invitation_by_phone_number_makes_a_user_when_it_is_accepted(world: World, folder: Path) -> None:
    _, owner = await a_user(world)
    phone = "+4930110002"
    membership = await invited(owner, await a_team(owner), phone=phone)
    assert letter(folder, membership)["to"] == phone
    taken = await world.key.call("POST", "/users", userId="unique()", phone=phone, name="Grace")
    assert taken.status == 201

    accepted = await accept(world.guest, folder, membership)
    assert (accepted.status, accepted.json["userId"]) == (200, taken.json["$id"])


async def test_an_invitation_makes_nobody_with_the_id_of_a_deleted_user(world: World, folder: Path) -> None:
    _, owner = await a_user(world)
    made = await invite(owner, await a_team(owner), email=next(ADDRESSES))
    reserved = made.json["userId"]
    assert (await world.key.call("POST", "/users", userId=reserved)).status == 201
    assert (await world.key.call("DELETE", f"/users/{reserved}")).status == 204

    accepted = await accept(world.guest, folder, made.json["$id"])

    assert accepted.status == 200
    assert accepted.json["userId"] != reserved


async def test_the_id_in_an_invitation_makes_nobody_the_invited(world: World, folder: Path) -> None:
    _, owner = await a_user(world)
    team = await a_team(owner)
    made = await invite(owner, team, email=next(ADDRESSES))
    membership, reserved = made.json["$id"], made.json["userId"]
    assert (await world.key.call("POST", "/users", userId=reserved)).status == 201
    session = await world.session(reserved)

    assert (await session.call("GET", "/account/memberships")).json["total"] == 0
    assert (await session.call("DELETE", f"/teams/{team}/memberships/{membership}")).error == (404, "team_not_found")
    assert (await accept(session, folder, membership)).error == (401, "team_invite_mismatch")
    accepted = await accept(world.guest, folder, membership)
    assert accepted.status == 200
    assert accepted.json["userId"] != reserved
    assert not any(team in role for role in await roles_of(world, session))


async def test_a_user_with_two_invitations_to_a_team_joins_once(world: World, folder: Path) -> None:
    _, owner = await a_user(world)
    phone, address = "+4930110003", next(ADDRESSES)
    user = (await world.key.call("POST", "/users", userId="unique()", phone=phone, name="Ada")).json["$id"]
    session = await world.session(user)
    team = await a_team(owner)
    by_phone = await invited(owner, team, phone=phone, roles=["a"])
    by_id = await invited(owner, team, userId=user, roles=["b"])
    assert by_id == by_phone  # it is replaced

    by_address = await invited(owner, team, email=address, roles=["c"])
    assert (await world.key.call("PATCH", f"/users/{user}/email", email=address)).status == 200
    assert (await accept(session, folder, by_address)).json["roles"] == ["c"]
    assert (await session.call("GET", "/account/memberships")).json["total"] == 1
    assert (await accept(session, folder, by_id)).error == (404, "membership_not_found")
    assert (await invite(owner, team, email=address)).error == (409, "membership_already_confirmed")
    assert await total(world, team) == 2


async def test_a_member_who_gets_an_invited_address_does_not_join_again(world: World, folder: Path) -> None:
    _, owner = await a_user(world)
    user = (await world.key.call("POST", "/users", userId="unique()", name="Ada")).json["$id"]
    session = await world.session(user)
    team, address = await a_team(owner), next(ADDRESSES)
    membership = await invited(owner, team, email=address)
    await join(world, team, user, "player")
    assert (await world.key.call("PATCH", f"/users/{user}/email", email=address)).status == 200

    assert (await accept(session, folder, membership)).error == (409, "membership_already_confirmed")
    assert await total(world, team) == 2


async def test_a_user_who_accepts_twice_at_once_joins_once(world: World, folder: Path) -> None:
    _, owner = await a_user(world)
    team = await a_team(owner)
    membership = await invited(owner, team, email=next(ADDRESSES))
    answers = await asyncio.gather(*[accept(world.guest, folder, membership) for _ in range(4)])

    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409]


async def test_an_invitation_makes_no_more_users_than_the_project_may_have(world: World, folder: Path) -> None:
    _, owner = await a_user(world)
    user, session = await a_user(world)
    team = await a_team(owner)
    new, known = await invited(owner, team, email=next(ADDRESSES)), await invited(owner, team, userId=user)
    await world.bus.ask(UpdateProject(id=PROJECT, user_limit=1), timeout_s=15)
    try:
        assert (await accept(world.guest, folder, new)).error == (400, "user_count_exceeded")
        assert (await accept(session, folder, known)).status == 200
    finally:
        await world.bus.ask(UpdateProject(id=PROJECT, user_limit=0), timeout_s=15)
    assert (await accept(world.guest, folder, new)).status == 200
