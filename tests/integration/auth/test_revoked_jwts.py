"""`POST /v1/jwts/revoke`: one JWT ends, and nothing else (RFC 7009)."""

from tests.integration.auth.conftest import Caller, World


def token_of(caller: Caller) -> str:
    return caller.headers["X-Appwrite-JWT"]


async def active(world: World, jwt: Caller) -> bool:
    return bool((await world.key.call("POST", "/jwts/introspect", token=token_of(jwt))).json["active"])


async def test_a_user_revokes_one_jwt_of_its_own(world: World) -> None:
    session = await world.session(await world.sign_up("own-jwt@example.org"))
    revoked, other = await world.jwt(session), await world.jwt(session)
    assert (await revoked.call("GET", "/account")).status == 200
    answer = await session.call("POST", "/jwts/revoke", token=token_of(revoked), token_type_hint="access_token")

    assert answer.status == 200
    assert answer.headers["Daypass-Receipt"].startswith("n=")
    assert (await revoked.call("GET", "/account")).status == 401
    assert not await active(world, revoked)
    assert (await other.call("GET", "/account")).status == 200
    assert (await session.call("GET", "/account")).status == 200


async def test_a_jwt_revokes_itself(world: World) -> None:
    jwt = await world.jwt(await world.session(await world.sign_up("self-jwt@example.org")))

    assert (await jwt.call("POST", "/jwts/revoke", token=token_of(jwt))).status == 200
    assert (await jwt.call("GET", "/account")).status == 401


async def test_a_key_with_the_scope_revokes_the_jwt_of_any_user(world: World) -> None:
    jwt = await world.jwt(await world.session(await world.sign_up("key-jwt@example.org")))
    allowed, _ = await world.key_with("jwts.write")
    other, _ = await world.key_with("jwts.read")

    assert (await other.call("POST", "/jwts/revoke", token=token_of(jwt))).status == 401
    assert await active(world, jwt)
    assert (await allowed.call("POST", "/jwts/revoke", token=token_of(jwt))).status == 200
    assert not await active(world, jwt)


async def test_the_jwt_of_another_user_is_left_alone(world: World) -> None:
    jwt = await world.jwt(await world.session(await world.sign_up("mine@example.org")))
    other = await world.session(await world.sign_up("not-mine@example.org"))

    assert (await other.call("POST", "/jwts/revoke", token=token_of(jwt))).error == (401, "user_unauthorized")
    assert await active(world, jwt)


async def test_invalid_jwts_are_answered_alike_and_a_guest_is_refused(world: World) -> None:
    session = await world.session(await world.sign_up("garbage-jwt@example.org"))

    for token in ("", "garbage", "a.b.c"):
        answer = await session.call("POST", "/jwts/revoke", token=token)
        assert (answer.status, "Daypass-Receipt" in answer.headers) == (200, False)
    assert (await session.call("POST", "/jwts/revoke")).error == (400, "general_argument_invalid")
    assert (await world.guest.call("POST", "/jwts/revoke", token="a.b.c")).status == 401
