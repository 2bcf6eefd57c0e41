"""What backends change of users."""

import asyncio
import itertools

import pytest

from shared.contracts.administration import CreateKey, CreateProject
from tests.integration.auth.conftest import PASSWORD, World
from tests.integration.auth.people import roles_of, sign_in

NAMES = map("changed{}@example.org".format, itertools.count())
OTHER = "another password"


@pytest.mark.check("identity 59")
async def test_an_unknown_user_is_not_found(world: World) -> None:
    changes: dict[str, dict[str, object]] = {
        "name": {"name": "x"},
        "email": {"email": next(NAMES)},
        "phone": {"number": "+4930123456"},
        "password": {"password": PASSWORD},
        "prefs": {"prefs": {}},
        "verification": {"emailVerification": True},
        "verification/phone": {"phoneVerification": True},
        "status": {"status": False},
    }
    for path, body in changes.items():
        answer = await world.key.call("PATCH", f"/users/nobody/{path}", **body)
        assert answer.error == (404, "user_not_found"), path
    assert (await world.key.call("GET", "/users/nobody/prefs")).error == (404, "user_not_found")


@pytest.mark.check("identity 63")
async def test_a_name_may_be_emptied(world: World) -> None:
    path = f"/users/{await world.sign_up(next(NAMES))}/name"

    assert (await world.key.call("PATCH", path, name="")).json["name"] == ""
    assert (await world.key.call("PATCH", path)).error == (400, "general_argument_invalid")
    assert (await world.key.call("PATCH", path, name="n" * 129)).error == (400, "general_argument_invalid")


async def test_addresses_are_of_one_user_and_none_may_be_of_many(world: World) -> None:
    email, taken = next(NAMES), next(NAMES)
    ada, grace = await world.sign_up(email), await world.sign_up(taken)

    async def change(user: str, path: str, **body: str) -> tuple[int, str]:
        answer = await world.key.call("PATCH", f"/users/{user}/{path}", **body)
        return answer.status, answer.json.get("type") or answer.json[path]

    assert await change(ada, "email", email=taken.upper()) == (409, "user_target_already_exists")
    assert await change(ada, "phone", number="+4930123499") == (200, "+4930123499")
    assert await change(grace, "phone", number="+4930123499") == (409, "user_target_already_exists")
    for user in (ada, grace):
        assert await change(user, "phone", number="") == (200, "")
        assert await change(user, "email", email="") == (200, "")
    assert await sign_in(world.guest, email) == (401, "user_invalid_credentials")
    assert await change(ada, "email", email=email.upper()) == (200, email)
    assert await sign_in(world.guest, email) == (201, "")


@pytest.mark.check("identity 26")
async def test_a_password_from_a_backend_ends_all_sessions(world: World) -> None:
    email = next(NAMES)
    user = await world.sign_up(email)
    session = await world.session(user)
    jwt = await world.jwt(session)
    changed = await world.key.call("PATCH", f"/users/{user}/password", password=OTHER)

    assert changed.status == 200
    assert changed.headers["Daypass-Receipt"].startswith("n=")
    for caller in (session, jwt):
        assert (await caller.call("GET", "/account")).error == (401, "general_unauthorized_scope")
    assert await sign_in(world.guest, email) == (401, "user_invalid_credentials")
    assert await sign_in(world.guest, email, OTHER) == (201, "")


@pytest.mark.check("identity 35")
@pytest.mark.check("identity 36")
async def test_a_user_without_a_password_cannot_sign_in_by_one(world: World) -> None:
    email = next(NAMES)
    user = await world.sign_up(email)
    removed = await world.key.call("PATCH", f"/users/{user}/password", password="")
    too_short = await world.key.call("PATCH", f"/users/{user}/password", password="short")

    assert (removed.status, removed.json["hash"]) == (200, "")
    assert too_short.error == (400, "general_argument_invalid")
    assert await sign_in(world.guest, email) == (401, "user_invalid_credentials")
    session = await world.session(user)
    again = await session.call("PATCH", "/account/password", password=OTHER)
    assert again.error == (401, "user_invalid_credentials")


async def test_preferences_are_answered_by_themselves(world: World) -> None:
    path = f"/users/{await world.sign_up(next(NAMES))}/prefs"

    assert (await world.key.call("GET", path)).json == {}
    assert (await world.key.call("PATCH", path, prefs={"b": 1, "a": 2})).json == {"b": 1, "a": 2}
    assert list((await world.key.call("GET", path)).json) == ["b", "a"]
    for wrong in ("{}", ["list"], {"long": "x" * 100_000}):
        assert (await world.key.call("PATCH", path, prefs=wrong)).error == (400, "general_argument_invalid")


@pytest.mark.parametrize(("path", "flag"), [("verification", "email"), ("verification/phone", "phone")])
async def test_whether_a_user_is_verified_is_a_role_at_once(world: World, path: str, flag: str) -> None:
    user = await world.sign_up(next(NAMES))
    session = await world.session(user)
    seen = [await roles_of(world, session)]
    for verified in (True, False):
        changed = await world.key.call("PATCH", f"/users/{user}/{path}", **{f"{flag}Verification": verified})
        assert changed.json[f"{flag}Verification"] is verified
        assert changed.headers["Daypass-Receipt"].startswith("n=")
        seen.append(await roles_of(world, session))

    assert [f"user:{user}/verified" in roles for roles in seen] == [False, True, False]
    assert ["users/unverified" in roles for roles in seen] == [True, False, True]


async def test_one_user_of_another_project_is_not_touched(world: World) -> None:
    await world.bus.ask(CreateProject(id="archive", name="Archive"), timeout_s=15)
    request, secret = CreateKey.new(project_id="archive", name="all")
    await world.bus.ask(request, timeout_s=15)
    archive = world.guest.with_(X_Appwrite_Project="archive", X_Appwrite_Key=secret)
    for caller in (world.key, archive):
        await caller.call("POST", "/users", userId="twin", name="before")
    await archive.call("PATCH", "/users/twin/name", name="after")

    assert (await world.key.call("GET", "/users/twin")).json["name"] == "before"
    assert (await archive.call("GET", "/users/twin")).json["name"] == "after"


async def test_no_session_by_the_old_password_comes_after_the_new_one(world: World) -> None:
    email = next(NAMES)
    user = await world.sign_up(email)
    for old, new in itertools.pairwise([PASSWORD, OTHER] * 8):
        change = world.key.call("PATCH", f"/users/{user}/password", password=new)
        sign_ins = [sign_in(world.guest, email, old) for _ in range(8)]
        await asyncio.gather(*sign_ins[:4], change, *sign_ins[4:])
        assert (await world.key.call("GET", f"/users/{user}/sessions")).json["total"] == 0
