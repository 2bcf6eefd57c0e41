"""Policies of a project for sessions: unused ones end, and who ends an account has signed in lately."""

import itertools
from collections.abc import AsyncIterator
from typing import cast

import asyncpg
import pytest

from services.auth.deps import AuthDeps
from services.auth.people.operations.idle import end_idle
from shared.contracts.administration import ListProjects, RevokeAllSessions, UpdateProject
from shared.kernel.errors import Refusal
from tests.integration.auth.conftest import PROJECT, Caller, World

NAMES = map("policy{}@example.org".format, itertools.count())


@pytest.fixture
async def policies(world: World) -> AsyncIterator[None]:
    """Both policies off again after the test."""
    yield
    await world.bus.ask(UpdateProject(id=PROJECT, session_idle_s=0, recent_sign_in_s=0), timeout_s=15)


async def age(world: World, user: str, column: str, seconds: int) -> None:
    """Let the sessions of a user have been used, or made, longer ago."""
    connection = await asyncpg.connect(world.database.dsn("auth"))
    earlier = f"UPDATE auth.sessions SET {column} = {column} - make_interval(secs => $2) WHERE user_id = $1"
    await connection.execute(earlier, user, seconds)
    await connection.close()


async def end(world: World) -> int:
    """End idle sessions now, as the loop does twice a minute."""
    deps = cast("AuthDeps", world.services[0].parts[0][1])
    return await end_idle(deps)


async def status(caller: Caller) -> int:
    return (await caller.call("GET", "/account")).status


async def test_a_session_that_is_not_used_ends_everywhere_with_its_jwts(world: World, policies: None) -> None:
    user = await world.sign_up(next(NAMES))
    session = await world.session(user)
    jwt = await world.jwt(session)
    assert (await world.key.call("PATCH", "/project/policies/session-idle", duration=600)).status == 200
    assert (await status(session), await status(jwt)) == (200, 200)
    await age(world, user, "used_at", 600 + 121)

    assert await end(world) == 1
    assert (await status(session), await status(jwt)) == (401, 401)


async def test_a_session_that_is_used_goes_on(world: World, policies: None) -> None:
    user = await world.sign_up(next(NAMES))
    session = await world.session(user)
    await world.key.call("PATCH", "/project/policies/session-idle", duration=600)
    await age(world, user, "used_at", 10_000)
    assert await status(session) == 200
    await world.guard.uses.flush()

    assert await end(world) == 0
    assert await status(session) == 200


async def test_without_the_policy_no_session_ends_for_being_unused(world: World) -> None:
    user = await world.sign_up(next(NAMES))
    session = await world.session(user)
    await age(world, user, "used_at", 10_000_000)

    assert await end(world) == 0
    assert await status(session) == 200
    assert (await world.key.call("DELETE", f"/users/{user}")).status == 204  # or the next test with a policy ends it


@pytest.mark.parametrize("duration", [1, 299, 31_536_001])
async def test_an_idle_time_that_replicas_cannot_keep_is_refused(world: World, duration: int) -> None:
    answer = await world.key.call("PATCH", "/project/policies/session-idle", duration=duration)

    assert answer.error == (400, "general_argument_invalid")


@pytest.mark.parametrize(("method", "path"), [("DELETE", "/account"), ("PATCH", "/account/status")])
async def test_an_account_is_ended_by_who_has_signed_in_lately(
    world: World, policies: None, method: str, path: str
) -> None:
    user = await world.sign_up(next(NAMES))
    session = await world.session(user)
    bare = await world.key.call("POST", f"/users/{user}/jwts")
    assert (await world.key.call("PATCH", "/project/policies/recent-sign-in", duration=300)).status == 200
    await age(world, user, "created_at", 301)
    refused = [
        (await caller.call(method, path)).error
        for caller in (session, await world.jwt(session), world.guest.with_(X_Appwrite_JWT=bare.json["jwt"]))
    ]

    assert refused == [(401, "user_recent_sign_in_required")] * 3
    assert (await (await world.session(user)).call(method, path)).status in {200, 204}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/account/password", {"password": "another password"}),
        ("/account/email", {"email": "mine@example.org", "password": "another password"}),
        ("/account/phone", {"phone": "+4915112345678", "password": "another password"}),
    ],
)
async def test_a_user_without_a_password_sets_one_only_after_a_recent_sign_in(
    world: World, policies: None, path: str, body: dict[str, str]
) -> None:
    user = (await world.key.call("POST", "/users", userId="unique()")).json["$id"]
    session = await world.session(user)
    await world.key.call("PATCH", "/project/policies/recent-sign-in", duration=300)
    await age(world, user, "created_at", 301)

    assert (await session.call("PATCH", path, **body)).error == (401, "user_recent_sign_in_required")
    assert (await (await world.session(user)).call("PATCH", path, **body)).status == 200


async def test_a_policy_is_shown_and_taken_back_by_the_command_line(world: World, policies: None) -> None:
    await world.bus.ask(UpdateProject(id=PROJECT, session_idle_s=900, recent_sign_in_s=60), timeout_s=15)
    shown = (await world.bus.ask(ListProjects(), timeout_s=15)).projects[0]

    assert (shown.session_idle_s, shown.recent_sign_in_s) == (900, 60)


async def test_all_sessions_of_a_project_end_at_once(world: World) -> None:
    users = [await world.sign_up(next(NAMES)) for _ in range(2)]
    sessions = [await world.session(user) for user in users]
    callers = [*sessions, *[await world.jwt(session) for session in sessions]]
    bare = await world.key.call("POST", f"/users/{users[0]}/jwts")
    callers.append(world.guest.with_(X_Appwrite_JWT=bare.json["jwt"]))
    token = (await world.key.call("POST", f"/users/{users[1]}/tokens")).json
    assert {await status(caller) for caller in callers} == {200}

    ended = await world.bus.ask(RevokeAllSessions(project_id=PROJECT), timeout_s=15)

    assert ended.receipt.startswith("n=")
    assert {await status(caller) for caller in callers} == {401}
    exchanged = await world.guest.call("POST", "/account/sessions/token", userId=users[1], secret=token["secret"])
    assert exchanged.error == (401, "user_invalid_token")
    assert await status(await world.session(users[0])) == 200


async def test_sessions_of_a_project_that_is_not_there_are_not_found(world: World) -> None:
    with pytest.raises(Refusal, match="nowhere"):
        await world.bus.ask(RevokeAllSessions(project_id="nowhere"), timeout_s=15)
