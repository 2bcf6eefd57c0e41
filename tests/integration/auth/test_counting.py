"""What counting calls costs, and where it is done."""

from redis.asyncio import Redis

from services.auth.people.operations.pace import MOST
from services.embedded.valkey import Valkey
from shared.messaging.wire import open_client
from tests.integration.auth.conftest import PASSWORD, World

LIMITED = (429, "general_rate_limit_exceeded")


async def test_counts_of_calls_are_kept_out_of_the_redis_that_carries_the_feed(limited: World, valkey: Valkey) -> None:
    client: Redis = open_client(valkey.url("admin"), name="tests")
    try:
        for number in range(20):
            await limited.guest.call("POST", "/account/sessions/email", email=f"u{number}@x.test", password="short")
            await limited.guest.call("POST", "/account/sessions/token", userId=f"u{number}", secret="ab")

        assert [key async for key in client.scan_iter("limits:*")] == []
    finally:
        await client.aclose()


async def test_a_user_makes_teams_at_a_generous_pace_and_ends_them_at_any(limited: World) -> None:
    session = await limited.session(await limited.sign_up())
    teams = [await session.call("POST", "/teams", teamId=f"team{number}", name="Chess") for number in range(MOST + 1)]

    assert [team.status for team in teams[:MOST]] == [201] * MOST
    assert teams[MOST].error == LIMITED
    for number in range(MOST):
        assert (await session.call("DELETE", f"/teams/team{number}")).status == 204
    other = await limited.session(await limited.sign_up("bob@example.org"))
    assert (await other.call("POST", "/teams", teamId="unique()", name="Chess")).status == 201


async def test_a_user_gives_roles_at_a_generous_pace_and_takes_them_at_any(limited: World) -> None:
    session = await limited.session(await limited.sign_up())
    bob = await limited.sign_up("bob@example.org")
    await session.call("POST", "/teams", teamId="chess", name="Chess")
    member = await limited.key.call("POST", "/teams/chess/memberships", userId=bob, roles=[])

    async def roles(*wanted: str) -> tuple[int, str]:
        answer = await session.call("PATCH", f"/teams/chess/memberships/{member.json['$id']}", roles=wanted)
        return answer.status, answer.json.get("type", "")

    for number in range(MOST - 1):
        assert await roles("b", str(number)) == (200, "")
    assert await roles("a", "b", "c") == (200, "")
    assert await roles("d") == LIMITED
    assert await roles("a", "b") == (200, "")
    assert await roles() == (200, "")


async def test_a_user_signs_in_at_a_generous_pace(limited: World) -> None:
    await limited.sign_up()
    body = {"email": "ada@example.org", "password": PASSWORD}
    answers = [await limited.guest.call("POST", "/account/sessions/email", **body) for _ in range(MOST + 1)]

    assert [answer.status for answer in answers[:MOST]] == [201] * MOST
    assert answers[MOST].error == LIMITED


async def test_invitations_are_counted_by_user_wherever_they_come_from(limited: World) -> None:
    session = await limited.session(await limited.sign_up())
    await session.call("POST", "/teams", teamId="chess", name="Chess")
    invitation = {"email": "bob@example.org", "roles": [], "url": "http://localhost/accept"}
    answers = [
        await session.with_(X_Forwarded_For=f"203.0.113.{number}").call(
            "POST", "/teams/chess/memberships", **invitation
        )
        for number in range(MOST + 1)
    ]

    assert {answer.error for answer in answers[:MOST]} == {(503, "general_smtp_disabled")}  # no place to send to
    assert answers[MOST].error == LIMITED
