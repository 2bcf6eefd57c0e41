from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from shared.contracts.requests import GetKeys
from shared.contracts.signing_keys import ListSigningKeys, RetireSigningKey, RotateSigningKey
from shared.guard.jwt import PublicKey, verify
from shared.messaging.bus import Bus
from tests.accounts import Accounts
from tests.eventually import eventually
from tests.integration.token.replica import Replica

Start = Callable[[], Awaitable[Replica]]


async def claims_of(token: str, bus: Bus, *, project: str = "library") -> dict[str, Any]:
    published = await bus.ask(GetKeys())
    keys = {key.kid: PublicKey.parse(key) for key in published.keys}
    claims = verify(token, project_id=project, issuer=published.issuer, keys=keys)
    return {"user": claims.sub, "session": claims.sid, "life": claims.exp - claims.iat}


async def test_a_session_makes_a_jwt_that_is_bound_to_it(start: Start, accounts: Accounts, bus: Bus) -> None:
    replica = await start()
    proof = accounts.sign_in("ada")

    token = await replica.mint(proof)

    assert await claims_of(token, bus) == {"user": "ada", "session": accounts.session_id(proof), "life": 900}


async def test_the_answer_is_201_and_the_jwt_alone_at_both_paths(start: Start, accounts: Accounts) -> None:
    replica = await start()
    proof = accounts.sign_in("ada")

    for path in ("/v1/account/jwts", "/v1/account/jwt"):
        status, made = await replica.call("POST", path, proof, json={})
        assert (status, set(made)) == (201, {"jwt"})


@pytest.mark.parametrize("duration", [1, 3600, "60"])
async def test_the_life_of_a_jwt_is_chosen_by_the_caller(
    start: Start, accounts: Accounts, bus: Bus, duration: object
) -> None:
    replica = await start()
    proof = accounts.sign_in("ada")

    token = await replica.mint(proof, duration=duration)

    assert (await claims_of(token, bus))["life"] == int(str(duration))


@pytest.mark.parametrize("duration", [0, -1, 3601, 10**30, 1.5, True, "long", [900]])
async def test_another_life_is_refused(start: Start, accounts: Accounts, duration: object) -> None:
    replica = await start()
    proof = accounts.sign_in("ada")
    key = accounts.make_key("users.write")

    for path, credential in (("/v1/account/jwts", proof), ("/v1/users/ada/jwts", key)):
        answer = await replica.call("POST", path, credential, json={"duration": duration})
        assert answer == (400, "general_argument_invalid")


async def test_only_a_session_makes_an_account_jwt(start: Start, accounts: Accounts) -> None:
    replica = await start()
    proof = accounts.sign_in("ada")
    jwt = {"X-Appwrite-JWT": await replica.mint(proof)}
    key = accounts.make_key("users.write", "account")

    async def outcome(credential: dict[str, str]) -> tuple[int, Any]:
        return await replica.call("POST", "/v1/account/jwts", credential, json={})

    assert await outcome({}) == (401, "general_unauthorized_scope")
    assert await outcome(jwt) == (403, "user_jwt_creation_denied")
    assert await outcome(proof | jwt) == (403, "user_jwt_and_cookie_set")
    assert await outcome({"X-Appwrite-JWT": "bad"}) == (401, "user_jwt_invalid")
    assert (await outcome(key))[0] == 401


async def test_nothing_is_minted_for_a_deleted_session_or_a_blocked_user(start: Start, accounts: Accounts) -> None:
    replica = await start()
    deleted = accounts.sign_in("ada")
    blocked = accounts.sign_in("eve")
    await replica.mint(deleted)
    await replica.mint(blocked)

    await accounts.sign_out(deleted)
    await accounts.block("eve")

    await eventually(lambda: replica.call("POST", "/v1/account/jwts", blocked, json={}), (403, "user_blocked"))
    outcome = await replica.call("POST", "/v1/account/jwts", deleted, json={})
    assert outcome == (401, "general_unauthorized_scope")


async def test_a_switched_off_method_is_refused(start: Start, accounts: Accounts) -> None:
    accounts.switch_off("library", "jwt")
    replica = await start()
    proof = accounts.sign_in("ada")

    outcome = await replica.call("POST", "/v1/account/jwts", proof, json={})

    assert outcome == (501, "user_auth_method_unsupported")


@pytest.mark.parametrize("chosen", [{}, {"sessionId": "recent"}, {"sessionId": "recent()"}, {"sessionId": None}])
async def test_a_key_makes_a_jwt_for_the_newest_session(
    start: Start, accounts: Accounts, bus: Bus, chosen: dict[str, object]
) -> None:
    replica = await start()
    accounts.sign_in("ada")
    newest = accounts.session_id(accounts.sign_in("ada"))

    status, made = await replica.call("POST", "/v1/users/ada/jwts", accounts.make_key("users.write"), json=chosen)

    assert status == 201
    assert (await claims_of(made["jwt"], bus))["session"] == newest


async def test_a_key_chooses_a_session_by_its_id(start: Start, accounts: Accounts, bus: Bus) -> None:
    replica = await start()
    first = accounts.session_id(accounts.sign_in("ada"))
    accounts.sign_in("ada")

    _, made = await replica.call(
        "POST", "/v1/users/ada/jwts", accounts.make_key("users.write"), json={"sessionId": first}
    )

    assert (await claims_of(made["jwt"], bus))["session"] == first


async def test_a_user_without_sessions_gets_an_unbound_jwt(start: Start, accounts: Accounts, bus: Bus) -> None:
    replica = await start()
    accounts.new_user("ada")

    status, made = await replica.call("POST", "/v1/users/ada/jwts", accounts.make_key("users.write"), json={})

    assert status == 201
    assert await claims_of(made["jwt"], bus) == {"user": "ada", "session": "", "life": 900}


async def test_unknown_users_sessions_and_scopes_are_refused(start: Start, accounts: Accounts) -> None:
    replica = await start()
    accounts.sign_in("ada")
    proof = accounts.sign_in("eve")
    other = accounts.session_id(proof)
    key = accounts.make_key("users.write")

    async def outcome(user: str, credential: dict[str, str], **parameters: object) -> tuple[int, Any]:
        return await replica.call("POST", f"/v1/users/{user}/jwts", credential, json=parameters)

    assert await outcome("nobody", key) == (404, "user_not_found")
    assert await outcome("ada", key, sessionId=other) == (404, "user_session_not_found")
    assert await outcome("ada", key, sessionId="recent()\n") == (400, "general_argument_invalid")
    assert await outcome("ada", accounts.make_key("users.read")) == (401, "general_unauthorized_scope")
    assert await outcome("ada", proof) == (401, "general_unauthorized_scope")


async def test_introspection_tells_the_claims_of_a_good_jwt(start: Start, accounts: Accounts) -> None:
    replica = await start()
    proof = accounts.sign_in("ada")
    session = accounts.session_id(proof)
    token = await replica.mint(proof)

    found = await replica.introspect(token, accounts.make_key("jwts.read"))

    assert found.pop("exp") - found.pop("iat") == 900
    assert found.keys() >= {"iss", "jti", "nbf"}
    assert {"any", "users", "user:ada"} <= set(found["roles"])
    assert {name: found[name] for name in ("active", "sub", "aud", "sid", "userId", "sessionId")} == {
        "active": True,
        "sub": "ada",
        "aud": "library",
        "sid": session,
        "userId": "ada",
        "sessionId": session,
    }


async def test_introspection_takes_a_form_as_rfc_7662_has_it(start: Start, accounts: Accounts) -> None:
    replica = await start()
    proof = accounts.sign_in("ada")
    form = {"token": await replica.mint(proof), "token_type_hint": "access_token"}

    status, found = await replica.call("POST", "/v1/jwts/introspect", accounts.make_key("jwts.read"), data=form)

    assert (status, found["active"]) == (200, True)


async def test_introspection_calls_everything_else_inactive_and_says_no_more(start: Start, accounts: Accounts) -> None:
    replica = await start()
    key = accounts.make_key("jwts.read")
    proof = accounts.sign_in("ada")
    other = accounts.sign_in("eve")
    revoked, blocked = await replica.mint(proof), await replica.mint(other)
    for token in (revoked, blocked):
        assert (await replica.introspect(token, key))["active"]
    assert await replica.introspect(revoked, key, project="archive") == {"active": False}

    await accounts.sign_out(proof)
    await accounts.block("eve")
    await eventually(lambda: replica.introspect(revoked, key), {"active": False})
    await eventually(lambda: replica.introspect(blocked, key), {"active": False})

    for bad in ("", "a", revoked[:-1], revoked + "=", f"{revoked} ", "é" * 5000, "x" * 60_000):
        assert await replica.introspect(bad, key) == {"active": False}


async def test_introspection_needs_a_key_with_its_scope(start: Start, accounts: Accounts) -> None:
    replica = await start()
    proof = accounts.sign_in("ada")

    for credential in ({}, proof, accounts.make_key("users.write")):
        answer = await replica.call("POST", "/v1/jwts/introspect", credential, json={"token": "a"})
        assert answer == (401, "general_unauthorized_scope")


async def test_the_jwks_is_for_anyone_and_names_all_our_keys(start: Start, bus: Bus) -> None:
    replica = await start()

    for path in ("/v1/.well-known/jwks.json", "/v1/projects/library/jwks"):
        async with replica.http.get(replica.url + path) as answer:
            assert answer.status == 200
            assert answer.headers["Cache-Control"] == "public, max-age=300"
            keys = (await answer.json())["keys"]
        assert {key["kid"] for key in keys} == {key.kid for key in (await bus.ask(GetKeys())).keys}
        assert all("d" not in key for key in keys)


async def test_the_jwks_of_an_unknown_project_is_not_found(start: Start) -> None:
    replica = await start()

    assert await replica.call("GET", "/v1/projects/nothing/jwks", {}) == (404, "project_not_found")


async def test_a_retired_key_ends_its_jwts_on_every_replica(start: Start, accounts: Accounts, bus: Bus) -> None:
    replicas = [await start(), await start()]
    key = accounts.make_key("jwts.read", "users.write")
    proof = accounts.sign_in("ada")
    old = await replicas[0].mint(proof)
    active = next(key.kid for key in (await bus.ask(ListSigningKeys())).keys if key.state == "active")
    await bus.ask(RotateSigningKey(active=active), timeout_s=15)
    new = await replicas[0].mint(proof)
    for replica in replicas:
        assert (await replica.introspect(old, key))["active"]

    await bus.ask(RetireSigningKey(kid=active), timeout_s=15)

    for replica in replicas:
        assert not (await replica.introspect(old, key))["active"]
        assert await replica.call("POST", "/v1/account/jwts", {"X-Appwrite-JWT": old}) == (401, "user_jwt_invalid")
        assert (await replica.introspect(new, key))["active"]
