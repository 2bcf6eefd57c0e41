"""Users and keys, as backends use them."""

import itertools
import json
from urllib.parse import urlencode

import pytest

from shared.contracts.administration import CreateKey, ListKeys
from shared.kernel.errors import Refusal
from tests.integration.auth.conftest import PROJECT, World

NAMES = map("member{}@example.org".format, itertools.count())


@pytest.mark.check("identity 57")
@pytest.mark.check("identity 58")
async def test_a_user_needs_nothing_but_an_id(world: World) -> None:
    made = await world.key.call("POST", "/users", userId="unique()")

    assert made.status == 201
    assert len(made.json["$id"]) == 20
    assert (made.json["email"], made.json["phone"], made.json["prefs"]) == ("", "", {})


@pytest.mark.check("identity 59")
async def test_an_unknown_user_is_not_found(world: World) -> None:
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/sessions"), ("POST", "/sessions"), ("POST", "/tokens")):
        answer = await world.key.call(method, f"/users/nobody{path}")
        assert answer.error == (404, "user_not_found"), path


@pytest.mark.check("identity 60")
@pytest.mark.check("identity 61")
async def test_users_are_listed_page_by_page(world: World) -> None:
    ids = [await world.sign_up(next(NAMES)) for _ in range(3)]

    async def listed(*queries: object, **more: str) -> tuple[int, object]:
        asked = [(f"queries[{place}]", json.dumps(query)) for place, query in enumerate(queries)]
        answer = await world.key.call("GET", f"/users?{urlencode([*asked, *more.items()])}")
        if answer.status != 200:
            return answer.status, answer.json["type"]
        return answer.json["total"], [user["$id"] for user in answer.json["users"]]

    after = {"method": "cursorAfter", "values": [ids[0]]}
    total, found = await listed({"method": "limit", "values": [1]})
    assert isinstance(total, int)
    assert total >= 3
    assert isinstance(found, list)
    assert len(found) == 1
    assert (await listed(after))[1] == ids[1:]
    assert (await listed({"method": "cursorBefore", "values": [ids[2]]}, {"method": "limit", "values": [1]}))[1] == ids[
        1:2
    ]
    assert (await listed({"method": "equal", "attribute": "$id", "values": ids[:2]}))[1] == ids[:2]
    assert await listed(after, total="false") == (0, ids[1:])
    assert await listed({"method": "select", "values": ["name"]}) == (400, "general_argument_invalid")
    assert await listed({"method": "cursorAfter", "values": ["unknown"]}) == (400, "general_cursor_not_found")
    assert await listed({"method": "limit", "values": [0]}) == (400, "general_argument_invalid")


@pytest.mark.check("identity 60")
async def test_users_are_found_by_what_they_are(world: World) -> None:
    ids = [await world.sign_up(next(NAMES)) for _ in range(4)]
    for id_, name in zip(ids, ["b", "a", "c", "a"], strict=True):
        await world.key.call("PATCH", f"/users/{id_}/name", name=name)
    await world.key.call("PUT", f"/users/{ids[0]}/labels", labels=["found", "vip"])
    await world.key.call("PATCH", f"/users/{ids[1]}/status", status=False)
    await world.key.call("PATCH", f"/users/{ids[2]}/verification", emailVerification=True)
    mine = {"method": "equal", "attribute": "$id", "values": ids}
    by_name = {"method": "orderAsc", "attribute": "name"}

    async def matching(*queries: object, search: str = "") -> list[int] | str:
        asked = [(f"queries[{place}]", json.dumps(query)) for place, query in enumerate([mine, *queries])]
        answer = await world.key.call("GET", f"/users?{urlencode([*asked, ('search', search)])}")
        if answer.status != 200:
            return str(answer.json["type"])
        return [ids.index(user["$id"]) for user in answer.json["users"]]

    def query(method: str, attribute: str, *values: object) -> dict[str, object]:
        return {"method": method, "attribute": attribute, "values": values}

    assert await matching(query("contains", "labels", "vip", "other")) == [0]
    assert await matching(query("equal", "labels", "vip")) == "general_argument_invalid"
    assert await matching(query("equal", "status", False)) == [1]
    assert await matching(query("equal", "emailVerification", True)) == [2]
    assert await matching(query("between", "name", "a", "b")) == [0, 1, 3]
    assert await matching(query("greaterThan", "registration", "2020-01-01")) == [0, 1, 2, 3]
    assert await matching(query("isNull", "phone")) == [0, 1, 2, 3]
    assert await matching(by_name) == [1, 3, 0, 2]
    assert await matching(by_name, {"method": "cursorAfter", "values": [ids[1]]}) == [3, 0, 2]
    assert await matching(by_name, {"method": "cursorBefore", "values": [ids[0]]}) == [1, 3]
    by_access = {"method": "orderAsc", "attribute": "accessedAt"}
    assert await matching(by_access, {"method": "cursorAfter", "values": [ids[0]]}) == "database_query_order_null"
    assert await matching(query("equal", "password", "x")) == "general_argument_invalid"
    email = (await world.key.call("GET", f"/users/{ids[3]}")).json["email"]
    assert await matching(search=email.upper()) == [3]
    assert await matching(search="nobody at all") == []


@pytest.mark.check("identity 62")
async def test_labels_are_replaced_and_counted_once(world: World) -> None:
    user = await world.sign_up(next(NAMES))
    path = f"/users/{user}/labels"

    assert (await world.key.call("PUT", path, labels=["vip", "vip", "pro"])).json["labels"] == ["vip", "pro"]
    assert (await world.key.call("PUT", path, labels=["invalid-label"])).error == (400, "general_argument_invalid")
    assert (await world.key.call("PUT", path)).error == (400, "general_argument_invalid")
    assert (await world.key.call("PUT", path, labels=[f"l{n}" for n in range(1001)])).status == 400


@pytest.mark.check("identity 68")
async def test_a_session_of_another_user_is_not_found(world: World) -> None:
    ada, grace = await world.sign_up(next(NAMES)), await world.sign_up(next(NAMES))
    session = await world.session(ada)
    id_ = (await session.call("GET", "/account/sessions/current")).json["$id"]

    deleted = await world.key.call("DELETE", f"/users/{grace}/sessions/{id_}")
    assert deleted.error == (404, "user_session_not_found")
    assert (await session.call("GET", "/account")).status == 200
    assert (await world.key.call("DELETE", f"/users/{ada}/sessions/{id_}")).status == 204
    assert (await world.key.call("DELETE", f"/users/{ada}/sessions/{id_}")).error == (404, "user_session_not_found")


@pytest.mark.check("identity 69")
async def test_a_deleted_user_is_gone_with_sessions_and_jwts(world: World) -> None:
    user = await world.sign_up(next(NAMES))
    session = await world.session(user)
    jwt = await world.jwt(session)
    unbound = (await world.key.call("POST", f"/users/{await world.sign_up(next(NAMES))}/jwts")).json["jwt"]

    assert (await world.key.call("DELETE", f"/users/{user}")).status == 204
    assert (await world.key.call("DELETE", f"/users/{user}")).error == (404, "user_not_found")
    for caller in (session, jwt):
        assert (await caller.call("GET", "/account")).status == 401
    assert (await world.guest.with_(X_Appwrite_JWT=unbound).call("GET", "/account")).status == 200


@pytest.mark.check("identity 47")
@pytest.mark.check("identity 48")
async def test_a_jwt_dies_with_the_session_it_was_made_for_and_no_other(world: World) -> None:
    user = await world.sign_up(next(NAMES))
    unbound = (await world.key.call("POST", f"/users/{user}/jwts")).json["jwt"]
    older, newer = await world.session(user), await world.session(user)
    id_ = (await older.call("GET", "/account/sessions/current")).json["$id"]
    bound = (await world.key.call("POST", f"/users/{user}/jwts", sessionId=id_)).json["jwt"]
    recent = (await world.key.call("POST", f"/users/{user}/jwts")).json["jwt"]
    await older.call("DELETE", "/account/sessions/current")

    found = [
        (await world.guest.with_(X_Appwrite_JWT=jwt).call("GET", "/account")).status for jwt in (unbound, bound, recent)
    ]
    assert found == [200, 401, 200]
    assert (await newer.call("GET", "/account")).status == 200


@pytest.mark.check("identity 50")
@pytest.mark.check("identity 51")
@pytest.mark.check("identity 93")
async def test_a_key_may_do_what_its_scopes_say_until_it_is_deleted(world: World) -> None:
    reader, id_ = await world.key_with("users.read")
    session = await world.session(await world.sign_up(next(NAMES)))
    both = reader.with_(X_Appwrite_Session=session.headers["X-Appwrite-Session"])

    assert (await reader.call("GET", "/users")).status == 200
    assert (await both.call("GET", "/users")).status == 200
    assert (await reader.call("POST", "/users", userId="x")).error == (401, "general_unauthorized_scope")
    await world.delete_key(id_)
    assert (await reader.call("GET", "/users")).error == (401, "user_unauthorized")
    for prefix in ("standard_", "account_", "organization_", ""):
        unknown = world.guest.with_(X_Appwrite_Key=prefix + "0" * 256)
        assert (await unknown.call("POST", "/account")).error == (401, "user_unauthorized")


@pytest.mark.check("identity 52")
async def test_users_are_for_keys(world: World) -> None:
    session = await world.session(await world.sign_up(next(NAMES)))

    assert (await session.call("GET", "/users")).error == (401, "general_unauthorized_scope")


async def test_a_key_has_a_scope_that_exists_and_an_end_that_lies_ahead(world: World) -> None:
    for wrong in ({"scopes": ("users.fly",)}, {"expire": "2001-01-01"}, {"expire": "soon"}):
        with pytest.raises(Refusal, match=r"scopes|expire"):
            await world.bus.ask(CreateKey.new(project_id=PROJECT, name="wrong", **wrong)[0], timeout_s=15)
    with pytest.raises(Refusal, match=r"Project nowhere could not be found"):
        await world.bus.ask(ListKeys(project_id="nowhere"), timeout_s=15)


async def test_secrets_are_stored_as_digests_only(world: World) -> None:
    user = await world.sign_up(next(NAMES))
    session = await world.session(user)
    secret = session.headers["X-Appwrite-Session"]
    shown = json.dumps((await world.key.call("GET", f"/users/{user}/sessions")).json)

    assert secret not in shown
    assert world.key.headers["X-Appwrite-Key"] not in repr(
        await world.bus.ask(ListKeys(project_id=PROJECT), timeout_s=15)
    )
