"""Memberships and invitations."""

import asyncio
import contextlib
import dataclasses
import json
import stat
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from appwrite.client import Client
from appwrite.id import ID
from appwrite.query import Query
from appwrite.services.teams import Teams

from shared.appwrite.permissions import MOST_ROLES
from shared.contracts.administration import UpdateProject
from shared.guard.feed_reader import LEASE_S
from tests.eventually import eventually
from tests.integration.auth.conftest import (
    PASSWORD,
    PROJECT,
    Answer,
    Caller,
    Hurried,
    World,
    open_world,
)
from tests.integration.auth.invitations import ADDRESSES, URL, accept, invite, invited, letter, signed_in, total
from tests.integration.auth.people import a_team, a_user, blocked_by, join, listed, roles_of, waits
from tests.parts import Database, Parts


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where invitations go."""
    return tmp_path_factory.mktemp("parts") / "invitations"


@pytest.fixture(scope="module")
async def tables(parts: Parts) -> Database:
    """The database of the world."""
    return await parts.new_database()


@pytest.fixture(scope="module")
async def world(parts: Parts, tables: Database, folder: Path) -> AsyncIterator[World]:
    """One in which users can invite others."""
    async with (
        parts.valkey() as valkey,
        open_world(tables, valkey, rate_limits=False, invitations_dir=str(folder)) as world,
    ):
        yield world


@contextlib.asynccontextmanager
async def held_up(tables: Database, team: str) -> AsyncIterator[asyncpg.Connection]:
    """Let whoever changes this team wait."""
    connection = await asyncpg.connect(tables.dsn("auth"))
    try:
        async with connection.transaction():
            await connection.execute("SELECT FROM auth.teams WHERE id = $1 FOR UPDATE", team)
            yield connection
    finally:
        await connection.close()


def teams(caller: Caller) -> Teams:
    """Appwrite's own Python SDK. It blocks: call it by `asyncio.to_thread`."""
    client = Client().set_endpoint(f"http://127.0.0.1:{caller.port}/v1").set_project(PROJECT)
    client.set_key(caller.headers.get("X-Appwrite-Key", ""))
    return Teams(client.set_session(caller.headers.get("X-Appwrite-Session", "")))


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


@pytest.mark.check("identity 29")
async def test_a_guest_who_accepts_is_signed_in(world: World, folder: Path) -> None:
    _, owner = await a_user(world)
    team = await a_team(owner)
    membership = await invited(owner, team, email=next(ADDRESSES))
    accepted = await accept(world.guest, folder, membership)

    assert (accepted.status, accepted.json["confirm"], accepted.json["joined"] != "") == (200, True, True)
    assert accepted.headers["Daypass-Receipt"].startswith("n=")
    assert len(accepted.headers.getall("Set-Cookie")) == 2
    session = signed_in(world, accepted)
    account = (await session.call("GET", "/account")).json
    assert (account["$id"], account["emailVerification"]) == (accepted.json["userId"], True)
    current = (await session.call("GET", "/account/sessions/current")).json
    assert (current["provider"], current["factors"], current["providerUid"]) == ("email", ["email"], account["email"])
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


@pytest.mark.check("identity 77")
async def test_a_membership_that_a_key_made_has_no_secret(world: World) -> None:
    user, _ = await a_user(world)
    team = await a_team(world.key)
    membership = (await join(world, team, user, "player")).json["$id"]

    path = f"/teams/{team}/memberships/{membership}/status"
    answer = await world.guest.call("PATCH", path, userId=user, secret="x")
    assert answer.error == (401, "team_invalid_secret")


async def test_who_is_signed_in_accepts_without_a_new_session(world: World, folder: Path) -> None:
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


async def test_who_is_blocked_accepts_nothing(world: World, folder: Path) -> None:
    _, owner = await a_user(world)
    user, _ = await a_user(world)
    await world.key.call("PATCH", f"/users/{user}/status", status=False)
    membership = await invited(owner, await a_team(owner), userId=user)

    assert (await accept(world.guest, folder, membership)).error == (403, "user_blocked")


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


async def test_whoever_claimed_an_address_without_proof_loses_it_to_who_reads_its_mail(
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


async def test_nobody_signs_up_with_the_id_that_an_invitation_reserves(world: World, folder: Path) -> None:
    _, owner = await a_user(world)
    made = await invite(owner, await a_team(owner), email=next(ADDRESSES))
    taken = await world.guest.call(
        "POST", "/account", userId=made.json["userId"], email=next(ADDRESSES), password=PASSWORD
    )

    assert taken.error == (409, "user_already_exists")


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


async def test_who_has_two_invitations_to_a_team_joins_once(world: World, folder: Path) -> None:
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


async def test_who_accepts_at_once_twice_joins_once(world: World, folder: Path) -> None:
    _, owner = await a_user(world)
    team = await a_team(owner)
    membership = await invited(owner, team, email=next(ADDRESSES))
    answers = await asyncio.gather(*[accept(world.guest, folder, membership) for _ in range(4)])

    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409]


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
async def test_who_is_no_longer_an_owner_changes_nothing(world: World) -> None:
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
async def test_what_waits_while_its_caller_loses_the_right_to_it_is_not_done(
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
async def test_who_is_invited_may_decline(world: World, folder: Path) -> None:
    _, owner = await a_user(world)
    user, session = await a_user(world)
    team = await a_team(owner)
    membership = await invited(owner, team, userId=user)

    assert (await session.call("DELETE", f"/teams/{team}/memberships/{membership}")).status == 204
    assert (await accept(world.guest, folder, membership)).error == (404, "membership_not_found")


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

    async def found(*queries: object, **more: str) -> object:
        answer = await listed(world.key, f"/teams/{team}/memberships", *queries, **more)
        return answer.error if answer.status != 200 else len(answer.json["memberships"])

    def query(method: str, attribute: str, *values: object) -> dict[str, object]:
        return {"method": method, "attribute": attribute, "values": list(values)}

    assert await found() == 3
    assert await found(query("equal", "roles", "player")) == (400, "general_argument_invalid")
    assert await found(query("contains", "roles", "judge", "nothing")) == 1
    assert await found(query("notContains", "roles", "judge")) == 2
    assert await found(query("equal", "confirm", True)) == 2
    assert await found(query("equal", "userId", user)) == 1
    assert await found(query("isNull", "joined")) == 1
    assert await found(search=user) == 1
    assert await found(search=pending) == 1
    assert await found(query("orderAsc", "joined"), query("cursorAfter", "", pending)) == (
        400,
        "database_query_order_null",
    )
    assert await found({"method": "select", "values": ["roles"]}) == (400, "general_argument_invalid")


@pytest.mark.check("identity 83")
async def test_the_memberships_of_a_user(world: World) -> None:
    _, owner = await a_user(world)
    user, session = await a_user(world)
    member_of, invited_to = await a_team(owner), await a_team(owner)
    await join(world, member_of, user, "player")
    await invited(owner, invited_to, userId=user)

    async def found(caller: Caller, path: str) -> list[tuple[str, bool, str]]:
        answer = (await caller.call("GET", path)).json
        assert answer["total"] == len(answer["memberships"])
        return [(one["teamId"], one["confirm"], one["userName"]) for one in answer["memberships"]]

    both = [(member_of, True, "Ada"), (invited_to, False, "Ada")]
    assert await found(world.key, f"/users/{user}/memberships") == both
    assert await found(session, "/account/memberships") == both
    assert (await world.key.call("GET", "/users/nobody/memberships")).error == (404, "user_not_found")
    assert (await session.call("GET", f"/users/{user}/memberships")).error == (401, "general_unauthorized_scope")
    assert (await world.guest.call("GET", "/account/memberships")).error == (401, "general_unauthorized_scope")
    for team in (member_of, invited_to):
        assert (await owner.call("DELETE", f"/teams/{team}")).status == 204
    assert await found(world.key, f"/users/{user}/memberships") == []
    assert await found(session, "/account/memberships") == []


@pytest.mark.check("identity 69")
async def test_a_deleted_user_leaves_all_teams(world: World) -> None:
    user, _ = await a_user(world)
    team = await a_team(world.key)
    await join(world, team, user, "player")
    assert await total(world, team) == 1

    assert (await world.key.call("DELETE", f"/users/{user}")).status == 204
    assert await total(world, team) == 0


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
async def test_without_a_place_to_send_to_nobody_is_invited(limited: World) -> None:
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


@pytest.mark.check("identity 71")
@pytest.mark.check("identity 75")
@pytest.mark.check("identity 76")
@pytest.mark.check("identity 78")
@pytest.mark.check("identity 80")
@pytest.mark.check("identity 83")
async def test_the_official_sdk_reads_every_answer(world: World, folder: Path) -> None:
    """Its models refuse what does not fit."""
    user, owner = await a_user(world)
    other, session = await a_user(world)
    own, backend, guest, invitee = (teams(caller) for caller in (owner, world.key, world.guest, session))

    def story() -> None:
        team = own.create(ID.unique(), "Team", ["player"])
        assert (team.name, team.total, team.prefs.data) == ("Team", 1, {})
        assert own.get(team.id).id == team.id
        assert own.update_name(team.id, "New").name == "New"
        assert own.update_prefs(team.id, {"a": [1]}).data == own.get_prefs(team.id).data == {"a": [1]}
        assert [one.id for one in own.list([Query.equal("name", "New")]).teams] == [team.id]
        invitation = own.create_membership(team.id, ["x"], email=next(ADDRESSES), url=URL, name="Grace")
        assert (invitation.username, invitation.confirm, invitation.joined) == ("Grace", False, "")
        sent = letter(folder, invitation.id)
        joined = guest.update_membership_status(team.id, invitation.id, sent["userId"], sent["secret"])
        assert (joined.username, joined.confirm, joined.joined != "") == ("Grace", True, True)
        made = backend.create_membership(team.id, ["y"], user_id=other, membership_id=ID.unique())
        assert (made.userid, made.roles) == (other, ["y"])
        assert own.update_membership(team.id, made.id, ["z"]).roles == ["z"]
        assert own.get_membership(team.id, made.id).userid == ""
        assert invitee.get_membership(team.id, made.id).userid == other
        assert backend.get_membership(team.id, made.id).userid == other
        members = backend.list_memberships(team.id, [Query.contains("roles", ["owner"])])
        assert (members.total, members.memberships[0].userid) == (1, user)
        assert invitee.list_memberships(team.id, total=False).total == 0
        invitee.delete_membership(team.id, made.id)
        assert own.get(team.id).total == 2
        own.delete(team.id)
        assert backend.list(search=team.id).total == 0

    await asyncio.to_thread(story)


@dataclass(frozen=True)
class Scene:
    """A team: its owner, a member with a membership, a user who is invited, one who is not."""

    team: str
    owner: Caller
    member: Caller
    membership: str
    invited: Caller
    invitation: str
    other: str

    def sent_by(self, hurried: Hurried) -> "Scene":
        """The same, of callers who call another process."""
        callers = {name: hurried(getattr(self, name)) for name in ("owner", "member", "invited")}
        return dataclasses.replace(self, **callers)

    def path(self, membership: str = "") -> str:
        return f"/teams/{self.team}/memberships" + (f"/{membership}" if membership else "")


@pytest.fixture
async def scene(world: World) -> Scene:
    (_, owner), (user, member), (guest, session), (other, _) = [await a_user(world) for _ in range(4)]
    team = await a_team(owner)
    membership = (await join(world, team, user, "player")).json["$id"]
    return Scene(team, owner, member, membership, session, await invited(owner, team, userId=guest), other)


CHANGES = {
    "create": (201, 409),
    "join": (201, 409),
    "roles": (200, 200),
    "accept": (200, 409),
    "leave": (204, 404),
    "remove": (204, 404),
    "delete": (204, 404),
}
"""What may be asked for: the status of the answer, and of that to the same call again."""


async def change(world: World, folder: Path, scene: Scene, what: str) -> Answer:
    match what:
        case "create":
            return await scene.member.call("POST", "/teams", teamId=f"{scene.team}-2", name="Team")
        case "join":
            return await join(world, scene.team, scene.other, "player")
        case "roles":
            return await scene.owner.call("PATCH", scene.path(scene.membership), roles=["judge"])
        case "accept":
            return await accept(scene.invited, folder, scene.invitation)
        case "leave":
            return await scene.member.call("DELETE", scene.path(scene.membership))
        case "remove":
            return await world.key.call("DELETE", scene.path(scene.membership))
    return await world.key.call("DELETE", f"/teams/{scene.team}")


@pytest.mark.parametrize("what", CHANGES)
async def test_what_is_not_in_force_everywhere_is_not_answered_as_if_it_were(
    world: World, folder: Path, scene: Scene, hurried: Hurried, late: asyncio.Event, what: str
) -> None:
    """Not by the call itself, and not by the same call again."""
    unconfirmed = await change(world.sent_by(hurried), folder, scene.sent_by(hurried), what)
    assert unconfirmed.error == (503, "revocation_unconfirmed")
    again = asyncio.create_task(change(world, folder, scene, what))

    assert await waits(again)
    late.set()
    assert (await again).status == CHANGES[what][1]


async def test_a_guest_who_accepts_is_signed_in_though_it_is_not_confirmed(
    world: World, folder: Path, scene: Scene, hurried: Hurried, late: asyncio.Event
) -> None:
    accepted = await accept(hurried(world.guest), folder, scene.invitation)

    assert not late.is_set()
    assert (accepted.status, accepted.headers["Daypass-Receipt"]) == (200, "pending")
    assert (await signed_in(world, accepted).call("GET", f"/teams/{scene.team}")).status == 200


@pytest.mark.parametrize("what", CHANGES)
async def test_without_a_lease_rights_are_taken_and_none_are_given(
    world: World, folder: Path, scene: Scene, what: str
) -> None:
    await world.guard.reader.until_leased(20)
    world.clock.ahead_s = LEASE_S
    try:
        answer = await change(world, folder, scene, what)
    finally:
        world.clock.ahead_s = 0.0
    if what in {"leave", "remove", "delete"}:
        assert answer.status == CHANGES[what][0]
    else:
        assert answer.error == (503, "revocation_unconfirmed")
        assert (await change(world, folder, scene, what)).status == CHANGES[what][0]
