"""Accounts and sessions."""

import asyncio
import itertools
from datetime import datetime
from urllib.parse import urlencode

import pytest

from shared.contracts.administration import SetUserStatus, UpdateProject
from tests.answer import Answer
from tests.eventually import eventually
from tests.integration.auth.conftest import PASSWORD, PROJECT, World
from tests.integration.auth.people import sign_in

NAMES = map("user{}@example.org".format, itertools.count())


def body(**more: object) -> dict[str, object]:
    return {"userId": "unique()", "email": next(NAMES), "password": PASSWORD} | more


@pytest.mark.check("identity 1")
async def test_an_address_is_taken_once(world: World) -> None:
    given = body()

    assert (await world.guest.call("POST", "/account", **given)).status == 201
    assert (await world.guest.call("POST", "/account", **given)).error == (409, "user_already_exists")


@pytest.mark.parametrize("wrong", [{"password": "7 chars"}, {"password": "p" * 257}, {"email": ""}, {"email": "x"}])
@pytest.mark.check("identity 2")
async def test_a_bad_sign_up_is_refused(world: World, wrong: dict[str, str]) -> None:
    answer = await world.guest.call("POST", "/account", **body(**wrong))

    assert answer.error == (400, "general_argument_invalid")


@pytest.mark.check("identity 3")
@pytest.mark.check("identity 4")
@pytest.mark.check("identity 5")
async def test_a_sign_up_is_shown_without_its_password_and_signs_nobody_in(world: World) -> None:
    given = body(email="Mixed.Case@Example.org", name="Ada")
    answer = await world.guest.call("POST", "/account", **given)

    assert answer.json["email"] == answer.json["targets"][0]["identifier"] == "mixed.case@example.org"
    assert (answer.json["labels"], answer.json["prefs"]) == ([], {})
    assert "password" not in answer.json
    assert "Set-Cookie" not in answer.headers
    assert await sign_in(world.guest, "mixed.case@example.org") == (201, "")


@pytest.mark.check("identity 6")
@pytest.mark.check("identity 7")
@pytest.mark.check("identity 53")
async def test_a_caller_without_a_user_has_no_account(world: World) -> None:
    session = await world.session(await world.sign_up(next(NAMES)))
    spoiled = world.guest.with_(X_Appwrite_Session=session.headers["X-Appwrite-Session"] + "xx")

    for caller in (world.guest, spoiled, world.key):
        assert (await caller.call("GET", "/account")).error == (401, "general_unauthorized_scope")


@pytest.mark.check("identity 8")
@pytest.mark.check("identity 9")
@pytest.mark.check("identity 13")
async def test_a_browser_gets_cookies_and_a_backend_the_secret(world: World) -> None:
    email = next(NAMES)
    await world.sign_up(email)
    browser = await world.guest.call("POST", "/account/sessions/email", email=email, password=PASSWORD)
    backend = await world.key.call("POST", "/account/sessions", email=email, password=PASSWORD)

    cookies = browser.headers.getall("Set-Cookie")
    assert [cookie.split("=")[0] for cookie in cookies] == ["a_session_library_legacy", "a_session_library"]
    assert (browser.json["secret"], browser.json["current"]) == ("", True)
    for cookie in cookies:
        with_cookie = world.guest.with_(Cookie=cookie.split(";")[0])
        assert (await with_cookie.call("GET", "/account")).status == 200
    with_header = world.guest.with_(X_Appwrite_Session=backend.json["secret"])
    assert (await with_header.call("GET", "/account")).status == 200


@pytest.mark.check("identity 10")
@pytest.mark.check("identity 33")
async def test_a_sign_in_beside_a_session_is_refused(world: World) -> None:
    email = next(NAMES)
    session = await world.session(await world.sign_up(email))

    assert await sign_in(session, email) == (401, "user_session_already_exists")
    assert (await session.call("POST", "/account/sessions/anonymous")).error == (401, "user_session_already_exists")


@pytest.mark.check("identity 11")
@pytest.mark.check("identity 12")
async def test_an_unknown_address_and_a_wrong_password_look_the_same(world: World) -> None:
    email = next(NAMES)
    await world.sign_up(email)
    wrong = await world.guest.call("POST", "/account/sessions/email", email=email, password="not the password")
    unknown = await world.guest.call("POST", "/account/sessions/email", email="no@one.org", password=PASSWORD)

    assert wrong.error == (401, "user_invalid_credentials")
    assert wrong.json == unknown.json
    for nothing in (("", ""), ("no address", PASSWORD), (email, "")):
        assert await sign_in(world.guest, *nothing) == (400, "general_argument_invalid")


async def test_a_session_may_be_shorter_than_the_project_has_it(world: World) -> None:
    email = next(NAMES)
    await world.sign_up(email)

    async def life_s(duration: object) -> float | tuple[int, str]:
        made = await world.guest.call(
            "POST", "/account/sessions/email", email=email, password=PASSWORD, duration=duration
        )
        if made.status != 201:
            return made.error
        start, end = (datetime.fromisoformat(made.json[name]) for name in ("$createdAt", "expire"))
        return round((end - start).total_seconds(), -1)

    assert [await life_s(duration) for duration in (60, 3600.0, None)] == [60, 3600, 31_536_000]
    for wrong in (59, 31_536_001, 10**30, "long"):
        assert await life_s(wrong) == (400, "general_argument_invalid")


async def test_a_user_who_signs_in_is_active(world: World) -> None:
    email = next(NAMES)
    user = await world.sign_up(email)
    await world.session(user)
    assert (await world.key.call("GET", f"/users/{user}")).json["accessedAt"] == ""

    assert await sign_in(world.guest, email) == (201, "")
    first = (await world.key.call("GET", f"/users/{user}")).json["accessedAt"]
    assert first != ""
    assert await sign_in(world.guest, email) == (201, "")
    assert (await world.key.call("GET", f"/users/{user}")).json["accessedAt"] == first


@pytest.mark.check("identity 15")
async def test_the_session_beyond_the_limit_ends_the_oldest(world: World) -> None:
    email = next(NAMES)
    user = await world.sign_up(email)
    sessions = [await world.session(user) for _ in range(10)]
    assert await sign_in(world.guest, email) == (201, "")

    found = [(await session.call("GET", "/account")).status for session in sessions]
    assert found == [401] + [200] * 9


@pytest.mark.check("identity 19")
@pytest.mark.check("identity 20")
async def test_sessions_are_listed_with_the_one_that_asks(world: World) -> None:
    session = await world.session(await world.sign_up(next(NAMES)))
    listed = (await session.call("GET", "/account/sessions")).json
    only = listed["sessions"][0]

    assert listed["total"] == 1
    assert (only["current"], only["secret"], only["countryCode"], only["countryName"]) == (True, "", "--", "Unknown")
    uncounted = (await session.call("GET", "/account/sessions?total=false")).json
    assert (uncounted["total"], uncounted["sessions"]) == (0, listed["sessions"])
    assert (await session.call("GET", "/account/sessions/nowhere")).error == (404, "user_session_not_found")
    assert (await session.call("GET", "/account/sessions/current")).json["$id"] == only["$id"]


@pytest.mark.check("identity 21")
async def test_one_session_can_be_deleted_by_another(world: World) -> None:
    user = await world.sign_up(next(NAMES))
    mine, other = await world.session(user), await world.session(user)
    id_ = (await other.call("GET", "/account/sessions/current")).json["$id"]
    deleted = await mine.call("DELETE", f"/account/sessions/{id_}")

    assert deleted.status == 204
    assert deleted.headers["Daypass-Receipt"].startswith("n=")
    assert (await other.call("GET", "/account")).status == 401
    assert (await mine.call("GET", "/account")).status == 200


@pytest.mark.check("identity 22")
@pytest.mark.check("identity 67")
async def test_signing_out_clears_the_cookies(world: World) -> None:
    session = await world.session(await world.sign_up(next(NAMES)))
    deleted = await session.call("DELETE", "/account/sessions/current")

    assert deleted.status == 204
    assert [cookie.partition(";")[0] for cookie in deleted.headers.getall("Set-Cookie")] == [
        "a_session_library_legacy=deleted",
        "a_session_library=deleted",
    ]
    assert deleted.headers["X-Fallback-Cookies"] == "[]"
    assert (await session.call("GET", "/account")).status == 401


@pytest.mark.parametrize("how", ["body", "query"])
async def test_all_sessions_but_the_one_that_calls_are_deleted(world: World, how: str) -> None:
    user = await world.sign_up(next(NAMES))
    mine, *others = [await world.session(user) for _ in range(3)]
    callers = [mine, *others, await world.jwt(mine), await world.jwt(others[0])]
    if how == "body":
        deleted = await mine.call("DELETE", "/account/sessions", current=False)
    else:
        url = f"http://127.0.0.1:{mine.port}/v1/account/sessions?current=false"
        async with mine.http.delete(url, headers=mine.headers) as answer:
            deleted = await Answer.of(answer)

    assert deleted.status == 204
    assert deleted.headers["Daypass-Receipt"].startswith("n=")
    assert not {"Set-Cookie", "X-Fallback-Cookies"} & set(deleted.headers)
    assert [(await caller.call("GET", "/account")).status for caller in callers] == [200, 401, 401, 200, 401]
    assert (await mine.call("GET", "/account/sessions")).json["total"] == 1
    assert (await mine.call("DELETE", "/account/sessions", current=True)).headers["X-Fallback-Cookies"] == "[]"
    assert (await mine.call("GET", "/account")).status == 401


async def test_a_jwt_is_no_session_that_could_be_kept(world: World) -> None:
    session = await world.session(await world.sign_up(next(NAMES)))
    jwt = await world.jwt(session)

    assert (await jwt.call("DELETE", "/account/sessions", current=False)).status == 204
    assert [(await caller.call("GET", "/account")).status for caller in (session, jwt)] == [401, 401]


@pytest.mark.check("identity 23")
@pytest.mark.check("identity 39")
@pytest.mark.check("identity 45")
async def test_a_jwt_deletes_all_sessions_and_so_itself(world: World) -> None:
    session = await world.session(await world.sign_up(next(NAMES)))
    jwt = await world.jwt(session)

    assert (await jwt.call("GET", "/account")).status == 200
    assert (await jwt.call("DELETE", "/account/sessions")).status == 204
    assert (await jwt.call("GET", "/account")).error == (401, "general_unauthorized_scope")
    assert (await session.call("GET", "/account")).status == 401


@pytest.mark.check("identity 38")
async def test_a_blocked_user_is_refused_until_unblocked(world: World) -> None:
    email = next(NAMES)
    user = await world.sign_up(email)
    session = await world.session(user)
    await world.bus.ask(SetUserStatus(project_id=PROJECT, id=user, enabled=False), timeout_s=15)

    assert (await session.call("GET", "/account")).error == (403, "user_blocked")
    assert await sign_in(world.guest, email) == (403, "user_blocked")
    await world.bus.ask(SetUserStatus(project_id=PROJECT, id=user, enabled=True), timeout_s=15)
    assert await sign_in(world.guest, email) == (201, "")


@pytest.mark.check("identity 41")
@pytest.mark.check("identity 42")
@pytest.mark.check("identity 43")
@pytest.mark.check("identity 46")
async def test_a_jwt_makes_no_jwt_and_stands_beside_no_session(world: World) -> None:
    session = await world.session(await world.sign_up(next(NAMES)))
    jwt = await world.jwt(session)
    both = session.with_(X_Appwrite_JWT=jwt.headers["X-Appwrite-JWT"])

    assert (await jwt.call("POST", "/account/jwts")).error == (403, "user_jwt_creation_denied")
    assert (await both.call("GET", "/account")).error == (403, "user_jwt_and_cookie_set")
    wrong = world.guest.with_(X_Appwrite_JWT="wrong-token")
    assert (await wrong.call("GET", "/account")).error == (401, "user_jwt_invalid")
    assert (await session.call("POST", "/account/jwts", duration=3601)).error == (400, "general_argument_invalid")


@pytest.mark.check("identity 44")
async def test_a_jwt_ends_when_its_time_is_over(world: World) -> None:
    session = await world.session(await world.sign_up(next(NAMES)))
    made = await session.call("POST", "/account/jwts", duration=2)
    jwt = world.guest.with_(X_Appwrite_JWT=made.json["jwt"])
    assert (await jwt.call("GET", "/account")).status == 200

    async def answered() -> tuple[int, str]:
        answer = await jwt.call("GET", "/account")
        return answer.status, answer.json.get("type", "")

    await eventually(answered, (401, "user_jwt_invalid"))
    assert (await session.call("GET", "/account")).status == 200


@pytest.mark.check("identity 94")
async def test_a_stale_cookie_hides_a_good_header(world: World) -> None:
    user = await world.sign_up(next(NAMES))
    stale, good = await world.session(user), await world.session(user)
    await stale.call("DELETE", "/account/sessions/current")
    cookie = f"a_session_library={stale.headers['X-Appwrite-Session']}"

    assert (await good.with_(Cookie=cookie).call("GET", "/account")).status == 401


@pytest.mark.check("identity 64")
@pytest.mark.check("identity 65")
@pytest.mark.check("identity 66")
async def test_a_login_token_is_good_once(world: World) -> None:
    user = await world.sign_up(next(NAMES))
    token = (await world.key.call("POST", f"/users/{user}/tokens", length=15)).json
    assert len(token["secret"]) == 15
    exchange = {"userId": user, "secret": token["secret"]}

    assert (await world.guest.call("POST", "/account/sessions/token", **exchange)).status == 201
    again = await world.guest.call("POST", "/account/sessions/token", **exchange)
    assert again.error == (401, "user_invalid_token")
    unknown = await world.guest.call("POST", "/account/sessions/token", userId="nobody", secret="x")
    assert unknown.error == (401, "user_invalid_token")
    for wrong in ({"length": 1}, {"expire": 1}):
        assert (await world.key.call("POST", f"/users/{user}/tokens", **wrong)).status == 400


@pytest.mark.check("identity 54")
@pytest.mark.check("identity 56")
async def test_an_origin_that_the_project_does_not_know_is_refused(world: World) -> None:
    evil = world.guest.with_(Origin="http://evil.test")
    known = await world.guest.with_(Origin="http://127.0.0.1:5173").call("POST", "/account", **body())

    assert (await evil.call("POST", "/account", **body())).error == (403, "general_unknown_origin")
    assert known.headers["Access-Control-Allow-Origin"] == "http://127.0.0.1:5173"
    await world.bus.ask(UpdateProject(id=PROJECT, origins=("localhost", "evil.test")), timeout_s=15)
    assert (await evil.call("POST", "/account", **body())).status == 201


@pytest.mark.check("identity 14")
async def test_ten_wrong_passwords_lock_the_address_for_an_hour(limited: World) -> None:
    await limited.sign_up("ada@example.org")
    found = [await sign_in(limited.guest, "ada@example.org", "wrong password") for _ in range(10)]

    assert {status for status, _ in found} == {401}
    assert await sign_in(limited.guest, "ada@example.org") == (429, "general_rate_limit_exceeded")


async def test_an_address_that_is_locked_is_locked_in_each_of_its_spellings(limited: World) -> None:
    await limited.sign_up("ada@example.org")
    assert await sign_in(limited.guest, "ada@example.org") == (201, "")  # where the owner is known, this limit is all
    spellings = ["ada@\uff45xample.org", "Ada@example.org", "ada@e\uff58ample.org", "ada@EXAMPLE.org"]
    found = [await sign_in(limited.guest, spellings[i % 4], "wrong password") for i in range(10)]

    assert {status for status, _ in found} == {401}
    assert await sign_in(limited.guest, "ada@ex\uff41mple.org") == (429, "general_rate_limit_exceeded")


@pytest.mark.check("identity 14")
async def test_right_passwords_are_not_counted(limited: World) -> None:
    await limited.sign_up("ada@example.org")

    assert {await sign_in(limited.guest, "ada@example.org") for _ in range(20)} == {(201, "")}


@pytest.mark.check("identity 40")
async def test_the_first_jwt_leaves_119(limited: World) -> None:
    session = await limited.session(await limited.sign_up())

    assert (await session.call("POST", "/account/jwts")).headers["X-RateLimit-Remaining"] == "119"


async def test_calls_by_others_do_not_keep_a_user_from_signing_out(limited: World) -> None:
    ada, mallory = [await limited.session(await limited.sign_up(f"{name}@example.org")) for name in ("ada", "mallory")]
    tried = [await mallory.call("DELETE", "/account/sessions/nosuch") for _ in range(120)]
    tried += [await mallory.call("DELETE", "/account/sessions", current=False) for _ in range(120)]

    assert {answer.status for answer in tried} == {404, 204}
    assert (await ada.call("DELETE", "/account/sessions/current")).status == 204
    assert (await mallory.call("DELETE", "/account/sessions")).status == 204


@pytest.mark.parametrize("path", ["/account/sessions/current", "/account/sessions"])
async def test_a_sign_out_by_a_dead_cookie_is_refused_and_clears_it(world: World, path: str) -> None:
    session = await world.session(await world.sign_up(next(NAMES)))
    await session.call("DELETE", "/account/sessions/current")
    again = await session.call("DELETE", path)

    assert again.error == (401, "general_unauthorized_scope")
    assert [cookie.partition(";")[0] for cookie in again.headers.getall("Set-Cookie")] == [
        f"a_session_{PROJECT}_legacy=deleted",
        f"a_session_{PROJECT}=deleted",
    ]


async def test_the_current_session_of_a_jwt_is_the_one_it_was_made_from(world: World) -> None:
    session = await world.session(await world.sign_up(next(NAMES)))
    jwt = await world.jwt(session)
    current = (await session.call("GET", "/account/sessions/current")).json["$id"]

    assert (await jwt.call("GET", "/account/sessions/current")).json["$id"] == current
    assert (await jwt.call("DELETE", "/account/sessions/current")).status == 204
    assert [(await caller.call("GET", "/account")).status for caller in (session, jwt)] == [401, 401]


async def test_a_jwt_without_a_session_has_no_current_one(world: World) -> None:
    user = await world.sign_up(next(NAMES))
    made = await world.key.call("POST", f"/users/{user}/jwts")
    jwt = world.guest.with_(X_Appwrite_JWT=made.json["jwt"])

    assert (await jwt.call("DELETE", "/account/sessions/current")).error == (404, "user_session_not_found")


async def test_deletes_at_the_same_time_are_all_confirmed(world: World) -> None:
    user = await world.sign_up(next(NAMES))
    sessions = [await world.session(user) for _ in range(10)]
    jwts = [await world.jwt(session) for session in sessions]
    deleted = await asyncio.gather(*(session.call("DELETE", "/account/sessions/current") for session in sessions))

    assert {answer.status for answer in deleted} == {204}
    assert {(await jwt.call("GET", "/account")).status for jwt in jwts} == {401}


async def test_addresses_that_look_the_same_are_one_users(world: World) -> None:
    """Composed and decomposed letters, and a domain in either of its spellings."""
    number = len(next(NAMES))
    user = await world.sign_up(f"jose\u0301{number}@xn--bcher-kva.example")
    seen = (await world.key.call("GET", f"/users/{user}")).json["email"]
    for other in (f"jos\u00e9{number}@b\u00fccher.example", f"JOSE\u0301{number}@B\u00dcCHER.example"):
        body = {"userId": "unique()", "email": other, "password": PASSWORD}
        assert (await world.guest.call("POST", "/account", **body)).error == (409, "user_already_exists")
        assert await sign_in(world.guest, other) == (201, "")
    found = (await world.key.call("GET", "/users?" + urlencode({"search": f"jose\u0301{number}"}))).json

    assert seen == f"jos\u00e9{number}@b\u00fccher.example"
    assert [one["$id"] for one in found["users"]] == [user]
