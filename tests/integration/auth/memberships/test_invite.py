"""Invitations: who may invite, where the link leads, what an invitation tells and reserves, and how long it lasts."""

import json
import stat
from pathlib import Path

import asyncpg
import pytest

from shared.contracts.administration import UpdateProject
from tests.integration.auth.conftest import (
    PASSWORD,
    PROJECT,
    World,
)
from tests.integration.auth.invitations import ADDRESSES, accept, invite, invited, letter, signed_in, total
from tests.integration.auth.people import a_team, a_user, join, listed, roles_of
from tests.parts import Database


async def test_an_owner_chooses_no_id_of_a_membership(world: World) -> None:
    """A permission may still name that of one that has ended."""
    _, owner = await a_user(world)
    user = await world.sign_up(next(ADDRESSES))
    ended = (await invite(world.key, await a_team(world.key), userId=user)).json

    made = await invite(owner, await a_team(owner), userId=user, membershipId="chosen")

    assert made.status == 201
    assert made.json["$id"] not in {"chosen", ended["$id"]}
    by_key = await invite(world.key, await a_team(world.key), userId=user, membershipId="chosen")
    assert by_key.json["$id"] == "chosen"


async def test_an_invitation_needs_an_owner(world: World) -> None:
    """Nobody is made for one that is refused."""
    _, owner = await a_user(world)
    user, member = await a_user(world)
    _, stranger = await a_user(world)
    team, address = await a_team(owner), next(ADDRESSES)
    await join(world, team, user, "player")

    assert (await invite(member, team, email=address)).error == (401, "user_unauthorized")
    assert (await invite(stranger, team, email=address)).error == (404, "team_not_found")
    assert (await invite(world.guest, team, email=address)).error == (401, "general_unauthorized_scope")
    assert (await listed(world.key, "/users", search=address)).json["total"] == 0


@pytest.mark.check("identity 74")
async def test_an_invitation_leads_to_a_page_of_the_project(world: World) -> None:
    _, owner = await a_user(world)
    team, address = await a_team(owner), next(ADDRESSES)

    for url in ("", "http://remotehost/x", "localhost", "javascript://localhost/%0aalert(1)", "https://localhost\\@x"):
        assert (await invite(owner, team, email=address, url=url)).error == (400, "general_argument_invalid"), url
    assert (await invite(world.key, team, email=address, url="http://remotehost/")).status == 400
    assert (await invite(owner, team, email=address, url="https://localhost:3000/x")).status == 201


@pytest.mark.parametrize("header", ["Host", "X_Forwarded_Host"])
async def test_no_header_of_a_request_says_where_an_invitation_may_lead(world: World, header: str) -> None:
    _, owner = await a_user(world)
    team = await a_team(owner)
    liar = owner.with_(**{header: "evil.example"})

    refused = await invite(liar, team, email=next(ADDRESSES), url="https://evil.example/win")
    assert refused.error == (400, "general_argument_invalid")


async def test_an_app_is_opened_by_a_link_only_where_the_operator_has_named_its_scheme(world: World) -> None:
    _, owner = await a_user(world)
    team, schemes = await a_team(owner), ("exp", f"appwrite-callback-{PROJECT}", "shop-app")

    async def answers() -> list[int]:
        return [
            (await invite(owner, team, email=next(ADDRESSES), url=f"{scheme}://evil.example/x")).status
            for scheme in schemes
        ]

    assert await answers() == [400, 400, 400]
    named = ("localhost", *(f"{scheme}://" for scheme in schemes))
    await world.bus.ask(UpdateProject(id=PROJECT, origins=named), timeout_s=15)
    try:
        assert await answers() == [201, 201, 201]
    finally:
        await world.bus.ask(UpdateProject(id=PROJECT, origins=("localhost",)), timeout_s=15)
    assert await answers() == [400, 400, 400]


async def test_an_invitation_ends_after_seven_days(world: World, folder: Path, tables: Database) -> None:
    _, owner = await a_user(world)
    team = await a_team(owner)
    membership = await invited(owner, team, email=next(ADDRESSES))

    async def grow_old(days: float) -> None:
        connection = await asyncpg.connect(tables.dsn("auth"))
        age = "UPDATE auth.memberships SET invited_at = now() - interval '1 day' * $2 WHERE id = $1"
        await connection.execute(age, membership, days)
        await connection.close()

    await grow_old(7.01)
    refused = await accept(world.guest, folder, membership)
    assert refused.error == (401, "team_invalid_secret")
    assert "7 days" in refused.json["message"]
    await grow_old(6.99)
    assert (await accept(world.guest, folder, membership)).status == 200


@pytest.mark.check("identity 75")
async def test_an_invitation_goes_to_the_invited_alone(world: World, folder: Path) -> None:
    _, owner = await a_user(world)
    team, address = await a_team(owner, name="Chess & Go"), next(ADDRESSES)
    made = await invite(owner, team, email=address, name="Grace")

    assert (made.status, made.json["confirm"], made.json["joined"]) == (201, False, "")
    sent = letter(folder, made.json["$id"])
    assert sent["link"].startswith("http://localhost/welcome?from=mail&membershipId=")
    assert sent["link"].endswith("#top")
    assert (sent["to"], sent["teamId"], sent["teamName"]) == (address, team, "Chess & Go")
    shown = await world.key.call("GET", f"/teams/{team}/memberships/{made.json['$id']}")
    assert (shown.json["userName"], shown.json["userEmail"]) == ("Grace", address)
    assert (sent["membershipId"], sent["userId"]) == (made.json["$id"], shown.json["userId"])
    for answer in (made, shown):
        assert sent["secret"] not in json.dumps([answer.json, dict(answer.headers)])
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert await total(world, team) == 1


@pytest.mark.check("identity 76")
async def test_an_invitation_grants_nothing_until_it_is_accepted(world: World) -> None:
    _, owner = await a_user(world)
    user, session = await a_user(world)
    team = await a_team(owner)
    await invited(owner, team, userId=user)

    assert not any(team in role for role in await roles_of(world, session))
    assert (await session.call("GET", f"/teams/{team}")).error == (404, "team_not_found")
    assert (await session.call("GET", "/teams")).json["total"] == 0


async def test_a_second_invitation_replaces_the_first(world: World, folder: Path) -> None:
    _, owner = await a_user(world)
    team, address = await a_team(owner), next(ADDRESSES)
    membership = await invited(owner, team, email=address, roles=["admin"])
    first = letter(folder, membership)["secret"]

    assert await invited(owner, team, email=address, roles=["player"]) == membership
    refused = await accept(world.guest, folder, membership, secret=first)
    assert refused.error == (401, "team_invalid_secret")
    assert (await accept(world.guest, folder, membership)).json["roles"] == ["player"]
    assert (await invite(owner, team, email=address)).error == (409, "membership_already_confirmed")


@pytest.mark.parametrize("accepts_signed_in", [True, False])
async def test_an_invitation_keeps_nobody_from_signing_up_and_is_theirs_then(
    world: World, folder: Path, *, accepts_signed_in: bool
) -> None:
    _, owner = await a_user(world)
    team, address = await a_team(owner), next(ADDRESSES)
    membership = await invited(owner, team, email=address.upper(), name="Guess")
    assert (await listed(world.key, "/users", search=address)).json["total"] == 0

    signed_up = await world.guest.call(
        "POST", "/account", userId="unique()", email=address, password=PASSWORD, name="Grace"
    )
    assert signed_up.status == 201
    user = signed_up.json["$id"]
    session = await world.session(user)
    accepted = await accept(session if accepts_signed_in else world.guest, folder, membership)
    assert (accepted.status, accepted.json["userId"], accepted.json["userName"]) == (200, user, "Grace")
    caller = session if accepts_signed_in else signed_in(world, accepted)
    account = (await caller.call("GET", "/account")).json
    assert (account["$id"], account["name"], account["emailVerification"]) == (user, "Grace", True)
    assert f"team:{team}/player" in await roles_of(world, await world.session(user))
    assert (await accept(world.guest, folder, membership)).error == (409, "membership_already_confirmed")


@pytest.mark.parametrize("is_verified", [True, False])
async def test_an_invitation_to_an_address_is_shown_to_who_has_proven_to_have_it(
    world: World, folder: Path, *, is_verified: bool
) -> None:
    _, owner = await a_user(world)
    team, address = await a_team(owner), next(ADDRESSES)
    membership = await invited(owner, team, email=address)
    claimed = await world.guest.call("POST", "/account", userId="unique()", email=address, password=PASSWORD)
    user = claimed.json["$id"]
    await world.key.call("PATCH", f"/users/{user}/verification", emailVerification=is_verified)
    session = await world.session(user)

    for caller, path in ((session, "/account/memberships"), (world.key, f"/users/{user}/memberships")):
        found = (await caller.call("GET", path)).json["memberships"]
        assert [own["$id"] for own in found] == [membership] * is_verified


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", "/account"), ("DELETE", "membership")],
)
async def test_a_claim_to_an_address_without_proof_ends_no_invitation_to_it(
    world: World, folder: Path, method: str, path: str
) -> None:
    _, owner = await a_user(world)
    team, address = await a_team(owner), next(ADDRESSES)
    membership = await invited(owner, team, email=address)
    claimed = await world.guest.call("POST", "/account", userId="unique()", email=address, password=PASSWORD)
    session = await world.session(claimed.json["$id"])
    await session.call(method, f"/teams/{team}/memberships/{membership}" if path == "membership" else path)

    assert (await accept(world.guest, folder, membership)).status == 200


async def test_a_sign_up_with_the_id_that_an_invitation_reserves_is_refused(world: World, folder: Path) -> None:
    _, owner = await a_user(world)
    made = await invite(owner, await a_team(owner), email=next(ADDRESSES))
    taken = await world.guest.call(
        "POST", "/account", userId=made.json["userId"], email=next(ADDRESSES), password=PASSWORD
    )

    assert taken.error == (409, "user_already_exists")


async def test_an_invitation_does_not_tell_whether_an_address_is_a_user_s(world: World) -> None:
    _, owner = await a_user(world)
    known = next(ADDRESSES)
    user = await world.sign_up(known)
    team = await a_team(owner)

    for address in (known, next(ADDRESSES)):
        made = await invite(owner, team, email=address)
        assert (made.status, made.json["userName"], made.json["userEmail"]) == (201, address, address)
        assert (made.json["userPhone"], made.json["userAccessedAt"]) == ("", "")
        assert made.json["userId"] != user


async def test_invitations_can_be_switched_off(world: World) -> None:
    _, owner = await a_user(world)
    team = await a_team(owner)
    await world.bus.ask(UpdateProject(id=PROJECT, auth_methods={"invites": False}), timeout_s=15)
    try:
        refused = await invite(owner, team, email=next(ADDRESSES))
        assert refused.error == (501, "user_auth_method_unsupported")
        assert (await invite(world.key, team, email=next(ADDRESSES))).status == 201
    finally:
        await world.bus.ask(UpdateProject(id=PROJECT, auth_methods={"invites": True}), timeout_s=15)


@pytest.mark.check("identity 86")
async def test_an_invitation_without_a_place_to_send_to_is_refused(limited: World) -> None:
    _, owner = await a_user(limited)
    team, address = await a_team(owner), next(ADDRESSES)

    assert (await invite(owner, team, email=address)).error == (503, "general_smtp_disabled")
    assert (await listed(limited.key, "/users", search=address)).json["total"] == 0
    assert (await invite(limited.key, team, email=address)).status == 201


async def test_invitations_are_counted(limited: World) -> None:
    _, owner = await a_user(limited)
    team = await a_team(owner)
    answers = [await invite(owner, team, email=next(ADDRESSES)) for _ in range(11)]

    assert [answer.status for answer in answers] == [503] * 10 + [429]
    assert answers[0].headers["X-RateLimit-Limit"] == "10"
    for _ in range(11):
        assert (await invite(limited.key, team, email=next(ADDRESSES))).status == 201
