"""What users change of themselves."""

import itertools

import pytest

from tests.integration.auth.conftest import PASSWORD, World
from tests.integration.auth.people import roles_of, sign_in

NAMES = map("changing{}@example.org".format, itertools.count())
OTHER = "another password"


@pytest.mark.check("identity 24")
@pytest.mark.check("identity 25")
async def test_a_name_is_checked_after_the_caller(world: World) -> None:
    session = await world.session(await world.sign_up(next(NAMES)))

    assert (await world.guest.call("PATCH", "/account/name")).error == (401, "general_unauthorized_scope")
    assert (await session.call("PATCH", "/account/name")).error == (400, "general_argument_invalid")
    assert (await session.call("PATCH", "/account/name", name="n" * 129)).error == (400, "general_argument_invalid")
    assert (await session.call("PATCH", "/account/name", name="Grace")).json["name"] == "Grace"
    assert (await session.call("GET", "/account")).json["name"] == "Grace"


@pytest.mark.check("identity 26")
async def test_a_new_password_ends_all_other_sessions(world: World) -> None:
    email = next(NAMES)
    user = await world.sign_up(email)
    mine, other = await world.session(user), await world.session(user)
    jwt, others_jwt = await world.jwt(mine), await world.jwt(other)
    changed = await mine.call("PATCH", "/account/password", password=OTHER, oldPassword=PASSWORD)

    assert changed.status == 200
    assert changed.headers["Daypass-Receipt"].startswith("n=")
    found = [(await caller.call("GET", "/account")).status for caller in (mine, jwt, other, others_jwt)]
    assert found == [200, 200, 401, 401]
    assert await sign_in(world.guest, email) == (401, "user_invalid_credentials")
    assert await sign_in(world.guest, email, OTHER) == (201, "")


@pytest.mark.check("identity 28")
async def test_a_password_that_a_jwt_changes_leaves_the_session_that_the_jwt_was_made_from(world: World) -> None:
    user = await world.sign_up(next(NAMES))
    mine, other = await world.session(user), await world.session(user)
    jwt = await world.jwt(mine)

    assert (await jwt.call("PATCH", "/account/password", password=OTHER, oldPassword=PASSWORD)).status == 200
    assert [(await caller.call("GET", "/account")).status for caller in (jwt, mine, other)] == [200, 200, 401]


async def test_a_password_is_changed_by_who_knows_the_old_one(world: World) -> None:
    session = await world.session(await world.sign_up(next(NAMES)))

    for old in ({"oldPassword": "not the password"}, {"oldPassword": ""}, {}):
        refused = await session.call("PATCH", "/account/password", password=OTHER, **old)
        assert refused.error == (401, "user_invalid_credentials")


@pytest.mark.check("identity 29")
async def test_a_first_password_needs_no_old_one_and_the_second_does(world: World) -> None:
    made = await world.key.call("POST", "/users", userId="unique()", email=next(NAMES))
    session = await world.session(made.json["$id"])

    assert (await session.call("PATCH", "/account/password", password=PASSWORD)).status == 200
    again = await session.call("PATCH", "/account/password", password=OTHER)
    assert again.error == (401, "user_invalid_credentials")


@pytest.mark.check("identity 30")
async def test_an_address_is_changed_by_who_knows_the_password_and_only_to_a_free_one(world: World) -> None:
    ada, grace, new = next(NAMES), next(NAMES), next(NAMES)
    await world.sign_up(grace)
    session = await world.session(await world.sign_up(ada))

    async def change(email: str, password: str = PASSWORD) -> tuple[int, str]:
        answer = await session.call("PATCH", "/account/email", email=email, password=password)
        return answer.status, answer.json.get("type") or answer.json["email"]

    assert await change(new, "not the password") == (401, "user_invalid_credentials")
    assert await change(grace) == await change(grace.upper()) == (409, "user_target_already_exists")
    assert await change(ada) == (409, "user_target_already_exists")
    assert await change("no address") == (400, "general_argument_invalid")
    assert await change(new.upper()) == (200, new)
    assert (await world.guest.call("POST", "/account", userId="unique()", email=ada, password=PASSWORD)).status == 201
    assert (await session.call("GET", "/account")).status == 200


@pytest.mark.check("identity 31")
@pytest.mark.check("identity 32")
async def test_an_anonymous_user_becomes_one_with_a_password(world: World) -> None:
    made = await world.key.call("POST", "/account/sessions/anonymous")
    session = world.guest.with_(X_Appwrite_Session=made.json["secret"])
    email = next(NAMES)
    before = (await session.call("GET", "/account")).json
    refused = await session.call("PATCH", "/account/email", email=email, password="")
    after = await session.call("PATCH", "/account/email", email=email, password=PASSWORD)

    assert (before["email"], before["passwordUpdate"]) == ("", "")
    assert refused.error == (400, "general_argument_invalid")
    assert (after.status, after.json["$id"], after.json["email"]) == (200, before["$id"], email)
    assert await sign_in(world.guest, email) == (201, "")


@pytest.mark.check("identity 35")
@pytest.mark.check("identity 36")
async def test_a_phone_number_is_changed_as_an_address_is(world: World) -> None:
    session = await world.session(await world.sign_up(next(NAMES)))
    other = await world.session(await world.sign_up(next(NAMES)))

    async def change(phone: str, password: str = PASSWORD) -> tuple[int, str]:
        answer = await session.call("PATCH", "/account/phone", phone=phone, password=password)
        return answer.status, answer.json.get("type") or answer.json["phone"]

    assert (await other.call("PATCH", "/account/phone", phone="+4930123457", password=PASSWORD)).status == 200
    assert await change("+4930123456", "not the password") == (401, "user_invalid_credentials")
    for number in ("030 123456", "+12", "+999123456789"):
        assert await change(number) == (400, "general_argument_invalid")
    assert await change("+4930123456") == (200, "+4930123456")
    for taken in ("+4930123456", "+4930123457"):
        assert await change(taken) == (409, "user_target_already_exists")


async def test_a_number_without_a_known_calling_code_is_refused_everywhere(world: World) -> None:
    user = await world.sign_up(next(NAMES))
    team = (await world.key.call("POST", "/teams", teamId="unique()", name="Crew")).json["$id"]

    answers = [
        await world.key.call("POST", "/users", userId="unique()", phone="+999123456789"),
        await world.key.call("PATCH", f"/users/{user}/phone", number="+999123456789"),
        await world.key.call("POST", f"/teams/{team}/memberships", phone="+999123456789", roles=["crew"]),
    ]

    assert [answer.error for answer in answers] == [(400, "general_argument_invalid")] * 3


async def test_a_new_address_ends_the_roles_of_the_verified(world: World) -> None:
    user = await world.sign_up(next(NAMES))
    session = await world.session(user)
    verified = await world.key.call("PATCH", f"/users/{user}/verification", emailVerification=True)
    roles = await roles_of(world, session)
    changed = await session.call("PATCH", "/account/email", email=next(NAMES), password=PASSWORD)

    assert verified.json["emailVerification"] is True
    assert "users/verified" in roles
    assert changed.json["emailVerification"] is False
    assert changed.headers["Daypass-Receipt"].startswith("n=")
    assert "users/unverified" in await roles_of(world, session)


async def test_preferences_are_replaced_and_come_back_as_written(world: World) -> None:
    session = await world.session(await world.sign_up(next(NAMES)))
    prefs = {"zebra": 1, "apple": {"nested": [None, 1e300, "ü"]}, "": "empty"}

    assert (await session.call("GET", "/account/prefs")).json == {}
    for wrong in ("{}", "[]", ["list"], {"long": "x" * 100_000}, {"long": "x" * 65_527}):
        refused = await session.call("PATCH", "/account/prefs", prefs=wrong)
        assert refused.error == (400, "general_argument_invalid")
    assert (await session.call("PATCH", "/account/prefs", prefs={"gone": True})).status == 200
    assert (await session.call("PATCH", "/account/prefs", prefs=prefs)).json["prefs"] == prefs
    shown = (await session.call("GET", "/account/prefs")).json
    assert list(shown.items()) == list(prefs.items())
    assert (await session.call("PATCH", "/account/prefs", prefs={"long": "x" * 65_524})).status == 200
    assert (await session.call("PATCH", "/account/prefs", prefs={})).json["prefs"] == {}


@pytest.mark.check("identity 37")
async def test_users_block_themselves_and_cannot_undo_it(world: World) -> None:
    email = next(NAMES)
    user = await world.sign_up(email)
    session = await world.session(user)
    jwt = await world.jwt(session)
    blocked = await session.call("PATCH", "/account/status")

    assert (blocked.status, blocked.json["status"]) == (200, False)
    assert "a_session_library=deleted" in blocked.headers.getall("Set-Cookie")[-1]
    assert blocked.headers["X-Fallback-Cookies"] == "[]"
    assert blocked.headers["Daypass-Receipt"].startswith("n=")
    for caller in (session, jwt):
        assert (await caller.call("GET", "/account")).error == (403, "user_blocked")
    assert await sign_in(world.guest, email) == (403, "user_blocked")
    assert (await world.key.call("PATCH", f"/users/{user}/status", status=True)).status == 200
    assert await sign_in(world.guest, email) == (201, "")


@pytest.mark.check("identity 18")
async def test_users_delete_themselves(world: World) -> None:
    session = await world.session(await world.sign_up(next(NAMES)))
    jwt = await world.jwt(session)

    assert (await session.call("DELETE", "/account")).status == 204
    for caller in (session, jwt):
        assert (await caller.call("GET", "/account")).error == (401, "general_unauthorized_scope")


async def test_a_session_is_extended(world: World) -> None:
    user = await world.sign_up(next(NAMES))
    session, other = await world.session(user), await world.session(user)
    before = (await session.call("GET", "/account/sessions/current")).json
    others = (await other.call("GET", "/account/sessions/current")).json["$id"]
    extended = await session.call("PATCH", "/account/sessions/current")

    assert (extended.status, extended.json["$id"], extended.json["current"]) == (200, before["$id"], True)
    assert extended.json["expire"] > before["expire"]
    assert (await session.call("GET", "/account/sessions/current")).json["expire"] == extended.json["expire"]
    assert (await session.call("PATCH", f"/account/sessions/{others}")).status == 200
    await other.call("DELETE", "/account/sessions/current")
    refused = await session.call("PATCH", f"/account/sessions/{others}")
    assert refused.error == (404, "user_session_not_found")


async def test_a_password_that_a_session_guesses_at_is_locked(limited: World) -> None:
    session = await limited.session(await limited.sign_up())
    guess = {"password": OTHER, "oldPassword": "not the password"}
    found = [(await session.call("PATCH", "/account/password", **guess)).status for _ in range(11)]

    assert found == [401] * 10 + [429]
