"""A project's switches, as backends set them."""

import asyncio
import dataclasses
import itertools
from collections.abc import AsyncIterator
from datetime import datetime

import asyncpg
import pytest
from appwrite.enums.project_auth_method_id import ProjectAuthMethodId
from redis.asyncio import Redis

from services.auth.composition import open_auth
from services.auth.settings import Settings
from services.embedded.valkey import Valkey
from shared.contracts.administration import CreateProject, ListProjects, UpdateProject
from shared.kernel.errors import Refusal
from shared.kernel.settings import Secret
from shared.messaging import names
from shared.process.app import WebApp
from tests.answer import Answer
from tests.eventually import eventually
from tests.integration.auth.conftest import PASSWORD, PROJECT, Caller, World, open_hurried, open_world
from tests.integration.auth.sdk import sdk
from tests.parts import Database

NAMES = map("switch{}@example.org".format, itertools.count())
METHODS = ["email-password", "magic-url", "email-otp", "anonymous", "invites", "jwt", "phone"]


async def policy(world: World, name: str, **given: object) -> Answer:
    return await world.key.call("PATCH", f"/project/policies/{name}", **given)


async def sign_up(world: World) -> Answer:
    return await world.guest.call("POST", "/account", userId="unique()", email=next(NAMES), password=PASSWORD)


@pytest.fixture
async def fresh(database: Database, valkey: Valkey) -> AsyncIterator[World]:
    """One of a test's own: it changes what holds for everybody."""
    async with open_world(database, valkey, rate_limits=False) as world:
        yield world


@pytest.mark.check("identity 85")
async def test_the_official_sdk_reads_the_project_and_sets_every_policy(fresh: World) -> None:
    backend = sdk(fresh.key)

    found = await asyncio.to_thread(backend.get)
    assert (found.id, found.name, found.status) == (PROJECT, "Library", "active")
    assert [(method.id.value, method.enabled) for method in found.authmethods] == [(id_, True) for id_ in METHODS]
    off = await asyncio.to_thread(backend.update_auth_method, ProjectAuthMethodId.PHONE, False)
    assert [method.id.value for method in off.authmethods if not method.enabled] == ["phone"]
    for change, given in (
        (backend.update_session_limit_policy, 3),
        (backend.update_session_duration_policy, 3600),
        (backend.update_session_invalidation_policy, False),
        (backend.update_user_limit_policy, 7),
        (backend.update_membership_privacy_policy, True),
    ):
        assert (await asyncio.to_thread(change, given)).id == PROJECT

    kept = (await fresh.bus.ask(ListProjects(), timeout_s=15)).projects[0]
    assert (kept.session_limit, kept.session_duration_s, kept.session_invalidation, kept.user_limit) == (
        3,
        3600,
        False,
        7,
    )
    assert (kept.disabled_auth_methods, kept.shown_membership_fields) == (("phone",), ("userId",))
    await asyncio.to_thread(backend.update_user_limit_policy, None)
    assert (await fresh.bus.ask(ListProjects(), timeout_s=15)).projects[0].user_limit == 0


async def test_a_method_that_is_off_is_off_but_for_keys(world: World) -> None:
    path = "/project/auth-methods/email-password"
    email = next(NAMES)
    await world.sign_up(email)
    credentials = {"email": email, "password": PASSWORD}

    switched = await world.key.call("PATCH", path, enabled=False)
    assert switched.headers["Daypass-Receipt"].startswith("n=")
    off = (501, "user_auth_method_unsupported")
    assert (await sign_up(world)).error == off
    assert (await world.guest.call("POST", "/account/sessions/email", **credentials)).error == off
    assert (await world.key.call("POST", "/account/sessions/email", **credentials)).status == 201
    assert (await world.guest.call("POST", "/account/sessions/anonymous")).status == 201
    await world.key.call("PATCH", path, enabled=True)
    assert (await sign_up(world)).status == 201
    assert (await world.key.call("PATCH", "/project/auth-methods/telepathy", enabled=True)).status == 400
    assert (await world.key.call("PATCH", path)).error == (400, "general_argument_invalid")


@pytest.mark.check("identity 85")
async def test_a_switch_holds_on_every_replica_when_the_call_returns(
    fresh: World, database: Database, valkey: Valkey
) -> None:
    settings = Settings(
        database_url=Secret(database.dsn("auth")), redis_url=Secret(valkey.url("auth")), cheap_passwords=True
    )
    async with open_auth(settings) as other:
        await other.guard.reader.until_leased(20)
        app = WebApp(other.parts, guard=other.guard)
        port = await app.start(("127.0.0.1", 0))
        guest = dataclasses.replace(fresh.guest, port=port, guard=other.guard)

        async def status() -> int:
            return (await guest.call("POST", "/account/sessions/anonymous")).status

        await eventually(status, 201)
        found = []
        for enabled in (False, True) * 10:
            await fresh.key.call("PATCH", "/project/auth-methods/anonymous", enabled=enabled)
            found.append(await status())
        await app.stop()

    assert found == [501, 201] * 10


@pytest.mark.check("identity 16")
async def test_a_switch_that_not_all_have_heard_of_says_so_until_they_have(fresh: World, redis: Redis) -> None:
    await redis.zadd(names.registry("data"), {"silent:0:0": 0})
    async with open_hurried(fresh) as hurried:
        unconfirmed = await policy(fresh.sent_by(hurried), "session-limit", total=2)
    confirmed = await policy(fresh, "session-limit", total=2)

    assert unconfirmed.error == (503, "revocation_unconfirmed")
    assert int(unconfirmed.headers["Retry-After"]) > 0
    assert (confirmed.status, "fenced=1" in confirmed.headers["Daypass-Receipt"]) == (200, True)


async def test_the_session_limit_is_the_project_s(fresh: World) -> None:
    email = next(NAMES)
    first = await fresh.session(await fresh.sign_up(email))
    assert (await policy(fresh, "session-limit", total=1)).status == 200

    second = await fresh.key.call("POST", "/account/sessions/email", email=email, password=PASSWORD)
    assert (await first.call("GET", "/account")).status == 401
    assert (await fresh.guest.with_(X_Appwrite_Session=second.json["secret"]).call("GET", "/account")).status == 200
    for wrong in ({"total": 0}, {"total": 101}, {"total": None}, {}):
        assert (await policy(fresh, "session-limit", **wrong)).error == (400, "general_argument_invalid")


def life_s(session: dict[str, str]) -> float:
    made, end = (datetime.fromisoformat(session[name]) for name in ("$createdAt", "expire"))
    return (end - made).total_seconds()


@pytest.mark.check("identity 17")
async def test_a_session_keeps_the_end_that_it_was_made_with(fresh: World) -> None:
    user = await fresh.sign_up(next(NAMES))
    assert (await policy(fresh, "session-duration", duration=60)).status == 200
    short = (await fresh.key.call("POST", f"/users/{user}/sessions")).json
    assert (await policy(fresh, "session-duration", duration=31_536_000)).status == 200
    long = (await fresh.key.call("POST", f"/users/{user}/sessions")).json

    kept = {
        one["$id"]: one["expire"] for one in (await fresh.key.call("GET", f"/users/{user}/sessions")).json["sessions"]
    }
    assert kept == {short["$id"]: short["expire"], long["$id"]: long["expire"]}
    assert [life_s(one) for one in (short, long)] == [pytest.approx(60, abs=5), pytest.approx(31_536_000, abs=5)]
    for wrong in (59, 31_536_001, None):
        assert (await policy(fresh, "session-duration", duration=wrong)).error == (400, "general_argument_invalid")


@pytest.mark.check("identity 17")
async def test_a_session_that_is_over_stays_so(fresh: World, database: Database) -> None:
    assert (await policy(fresh, "session-duration", duration=60)).status == 200
    session = await fresh.session(await fresh.sign_up(next(NAMES)))
    connection = await asyncpg.connect(database.dsn("auth"))
    await connection.execute("UPDATE auth.sessions SET expires_at = now()")  # as if the minute were over
    await connection.close()

    assert (await session.call("GET", "/account")).error == (401, "general_unauthorized_scope")
    assert (await policy(fresh, "session-duration", duration=31_536_000)).status == 200
    assert (await session.call("GET", "/account")).error == (401, "general_unauthorized_scope")


@pytest.mark.check("identity 26")
@pytest.mark.check("identity 27")
async def test_a_new_password_ends_other_sessions_by_policy(fresh: World) -> None:
    user = await fresh.sign_up(next(NAMES))
    session = await fresh.session(user)

    assert (await policy(fresh, "session-invalidation", enabled=False)).status == 200
    await fresh.key.call("PATCH", f"/users/{user}/password", password="another one")
    assert (await session.call("GET", "/account")).status == 200
    assert (await policy(fresh, "session-invalidation", enabled=True)).status == 200
    await fresh.key.call("PATCH", f"/users/{user}/password", password="yet another")
    assert (await session.call("GET", "/account")).status == 401


@pytest.mark.check("identity 86")
async def test_no_more_users_sign_up_than_the_limit_says(fresh: World) -> None:
    assert (await policy(fresh, "user-limit", total=2)).status == 200

    assert [(await sign_up(fresh)).status for _ in range(2)] == [201, 201]
    assert (await sign_up(fresh)).error == (400, "user_count_exceeded")
    assert (await policy(fresh, "user-limit", total=None)).status == 200
    assert (await sign_up(fresh)).status == 201
    for wrong in ({"total": -1}, {"total": 10_001}, {}):
        assert (await policy(fresh, "user-limit", **wrong)).error == (400, "general_argument_invalid")


@pytest.mark.check("identity 82")
async def test_the_fields_that_members_see_are_set_one_by_one(fresh: World) -> None:
    async def shown() -> tuple[str, ...]:
        return (await fresh.bus.ask(ListProjects(), timeout_s=15)).projects[0].shown_membership_fields

    async def members_seen(caller: Caller) -> set[tuple[str, str]]:
        listed = (await caller.call("GET", "/teams/club/memberships")).json["memberships"]
        return {(one["userName"], one["userEmail"]) for one in listed if one["$id"] == "of-ada"}

    user, fellow = await fresh.sign_up(), await fresh.sign_up("fellow@example.org")
    member = await fresh.session(fellow)
    await fresh.key.call("POST", "/teams", teamId="club", name="Club")
    for one, membership in ((user, "of-ada"), (fellow, "of-a-fellow")):
        body = {"userId": one, "membershipId": membership, "roles": ["member"]}
        assert (await fresh.key.call("POST", "/teams/club/memberships", **body)).status == 201
    assert await shown() == ()
    assert await members_seen(member) == {("", "")}
    assert await members_seen(fresh.key) == {("Ada", "ada@example.org")}
    assert (await policy(fresh, "membership-privacy", userName=True, userMFA=True)).status == 200
    assert await shown() == ("userMFA", "userName")
    assert await members_seen(member) == {("Ada", "")}
    await policy(fresh, "membership-privacy", userName=False, userEmail=True)
    assert await shown() == ("userEmail", "userMFA")
    assert await members_seen(member) == {("", "ada@example.org")}
    assert (await policy(fresh, "membership-privacy", userName="perhaps")).error == (400, "general_argument_invalid")


async def test_a_project_is_its_own_keys_affair(world: World) -> None:
    some, _ = await world.key_with("users.read")
    reader, _ = await world.key_with("project.read", "policies.read")
    writer, _ = await world.key_with("project.policies.write")
    session = await world.session(await world.sign_up(next(NAMES)))
    denied = (401, "general_unauthorized_scope")

    for caller in (world.guest, session, some):
        assert (await caller.call("GET", "/project")).error == denied
    assert (await reader.call("GET", "/project")).status == 200
    assert (await reader.call("PATCH", "/project/auth-methods/jwt", enabled=False)).error == denied
    assert (await reader.call("PATCH", "/project/policies/session-limit", total=10)).error == denied
    assert (await writer.call("PATCH", "/project/policies/session-limit", total=10)).status == 200
    assert (await writer.call("PATCH", "/project/auth-methods/jwt", enabled=False)).error == denied
    await world.bus.ask(CreateProject(id="other", name="Other"), timeout_s=15)
    foreign = world.key.with_(X_Appwrite_Project="other")
    assert (await foreign.call("GET", "/project")).error == (401, "user_unauthorized")


async def test_the_command_line_sets_what_it_names(fresh: World) -> None:
    change = UpdateProject(
        id=PROJECT, session_limit=4, auth_methods={"anonymous": False, "jwt": False}, membership_fields={"userId": True}
    )
    changed = await fresh.bus.ask(change, timeout_s=15)

    assert changed.receipt.startswith("n=")
    assert (await fresh.guest.call("POST", "/account/sessions/anonymous")).status == 501
    changed = await fresh.bus.ask(UpdateProject(id=PROJECT, auth_methods={"anonymous": True}), timeout_s=15)
    assert (changed.projects[0].session_limit, changed.projects[0].disabled_auth_methods) == (4, ("jwt",))
    assert changed.projects[0].shown_membership_fields == ("userId",)
    assert (await fresh.guest.call("POST", "/account/sessions/anonymous")).status == 201


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"session_limit": 0}, "session_limit"),
        ({"session_duration_s": 1}, "session_duration_s"),
        ({"user_limit": -1}, "user_limit"),
        ({"auth_methods": {"telepathy": True}}, "telepathy"),
        ({"membership_fields": {"shoeSize": True}}, "shoeSize"),
        ({"name": ""}, "name"),
    ],
)
async def test_a_change_that_makes_no_project_is_refused(world: World, wrong: dict[str, object], named: str) -> None:
    with pytest.raises(Refusal, match=named):
        await world.bus.ask(UpdateProject(id=PROJECT, **wrong), timeout_s=15)  # type: ignore[arg-type]
