"""What the project's policy says of new passwords, and what waits for a lease, on a database of the test's own."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST

from services.auth.passwords.operations.passwords import Passwords
from services.auth.people.operations import account, sessions, users
from services.auth.principals.operations import principals
from shared.contracts import subjects
from shared.contracts.events import PrincipalsChanged
from shared.contracts.principal import Principal, Project
from shared.contracts.requests import ResolveUser
from shared.guard.guard import Guard
from shared.guard.resolver import BusResolver
from shared.kernel.errors import ErrorType, Unavailable
from shared.messaging.outbox import OWNER, find_number, publish
from shared.postgres.pool import open_pool
from tests.integration.auth.conftest import PASSWORD, PROJECT, World, open_world
from tests.integration.auth.people import sign_in
from tests.parts import Database, Parts

OTHER = "another password"


@pytest.fixture(scope="module")
async def database_of_world(parts: Parts) -> Database:
    return await parts.new_database()


@pytest.fixture(scope="module")
async def world(parts: Parts, database_of_world: Database) -> AsyncIterator[World]:
    async with parts.valkey() as valkey, open_world(database_of_world, valkey, rate_limits=False) as world:
        yield world


@contextlib.asynccontextmanager
async def opened(database: Database, guard: Guard, hasher: PasswordHasher) -> AsyncIterator[Any]:
    """What operations need, of tests that never come as far as to a barrier."""
    pool, passwords = await open_pool(database.dsn("auth"), name="tests"), Passwords(hasher)
    try:
        yield SimpleNamespace(pool=pool, guard=guard, revocations=SimpleNamespace(access=OWNER), passwords=passwords)
    finally:
        passwords.close()
        await pool.close()


async def principal_of(deps: Any, user: str, session: str) -> Principal:
    """Return who a user is by a session."""
    found = (await principals.resolve_user(deps.pool, ResolveUser(project_id=PROJECT, user_id=user))).principal
    assert found is not None
    return msgspec.structs.replace(found, session_id=session)


@pytest.mark.check("identity 27")
async def test_without_the_policy_a_new_password_ends_no_session(world: World) -> None:
    email = "lenient@example.org"
    user = await world.sign_up(email)
    mine, other = await world.session(user), await world.session(user)
    await world.key.call("PATCH", "/project/policies/session-invalidation", enabled=False)
    by_user = await mine.call("PATCH", "/account/password", password=OTHER, oldPassword=PASSWORD)
    by_key = await world.key.call("PATCH", f"/users/{user}/password", password="yet another")
    await world.key.call("PATCH", "/project/policies/session-invalidation", enabled=True)

    assert (by_user.status, by_key.status) == (200, 200)
    assert [(await caller.call("GET", "/account")).status for caller in (mine, other)] == [200, 200]
    assert await sign_in(world.guest, email, OTHER) == (401, "user_invalid_credentials")
    assert await sign_in(world.guest, email, "yet another") == (201, "")
    assert (await mine.call("PATCH", "/account/password", password=OTHER, oldPassword="yet another")).status == 200
    assert [(await caller.call("GET", "/account")).status for caller in (mine, other)] == [200, 401]


async def test_a_change_that_takes_roles_or_sessions_is_refused_before_the_commit_without_a_lease(
    world: World, database_of_world: Database
) -> None:
    user = await world.sign_up("fenced@example.org")
    session = (await (await world.session(user)).call("GET", "/account/sessions/current")).json
    before = (await world.key.call("GET", f"/users/{user}")).json
    # It never runs, so it has no lease.
    guard = Guard(service="auth", redis_url="redis://127.0.0.1:1", resolver=BusResolver(world.bus))
    project = Project(id=PROJECT, name="Library")
    async with opened(database_of_world, guard, PasswordHasher.from_parameters(CHEAPEST)) as deps:
        principal = await principal_of(deps, user, session["$id"])
        refused = [
            lambda: account.update_email(deps, principal, project=project, email="new@example.org", password=PASSWORD),
            lambda: account.update_phone(deps, principal, project=project, phone="+4930123456", password=PASSWORD),
            lambda: account.update_password(deps, principal, project=project, password=OTHER, old_password=PASSWORD),
            lambda: users.update_email(deps, principal, project=project, email="new@example.org", user_id=user),
            lambda: users.update_phone(deps, principal, project=project, phone="+4930123456", user_id=user),
            lambda: users.update_email_verification(deps, principal, verified=True, user_id=user),
            lambda: users.update_phone_verification(deps, principal, verified=True, user_id=user),
            lambda: users.update_password(deps, principal, project=project, user_id=user, password=OTHER),
            lambda: sessions.update_session(deps, principal, project=project, user_id=user, session_id=session["$id"]),
        ]
        for call in refused:
            with pytest.raises(Unavailable) as refusal:
                await call()
            assert refusal.value.type is ErrorType.REVOCATION_UNCONFIRMED
    assert (await world.key.call("GET", f"/users/{user}")).json == before
    assert (await world.key.call("GET", f"/users/{user}/sessions")).json["sessions"][0]["expire"] == session["expire"]


class Held(PasswordHasher):
    """Hashes once it may."""

    def __init__(self) -> None:
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.has_begun = threading.Event()
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        self.has_begun.set()
        self.may_go_on.wait()
        return super().hash(password, salt=salt)


async def test_a_session_that_is_deleted_while_its_new_password_is_hashed_changes_none(
    world: World, database_of_world: Database
) -> None:
    email = "stolen@example.org"
    user = await world.sign_up(email)
    session = await world.session(user)
    id_ = (await session.call("GET", "/account/sessions/current")).json["$id"]
    hasher = Held()
    async with opened(database_of_world, world.guard, hasher) as deps:
        hasher.has_begun.clear()
        hasher.may_go_on.clear()
        principal = await principal_of(deps, user, id_)
        project = Project(id=PROJECT, name="Library")
        changing = asyncio.create_task(
            account.update_password(deps, principal, project=project, password=OTHER, old_password=PASSWORD)
        )
        await asyncio.to_thread(hasher.has_begun.wait, 20)
        assert (await session.call("DELETE", "/account/sessions/current")).status == 204
        hasher.may_go_on.set()
        with pytest.raises(Unavailable):
            await changing
        for change in (
            account.update_name(deps, principal, name="Eve"),
            account.update_prefs(deps, principal, prefs="{}"),
        ):
            with pytest.raises(Unavailable):
                await change
    assert await sign_in(world.guest, email) == (201, "")


async def test_a_wrong_password_is_refused_once_what_is_pending_of_the_user_is_in_force(
    world: World, database_of_world: Database
) -> None:
    user = await world.sign_up("repeating@example.org")
    session = await world.session(user)
    pool = await open_pool(database_of_world.dsn("auth"), name="tests")
    async with pool.acquire() as connection, connection.transaction():
        event = PrincipalsChanged(subjects=(subjects.user(PROJECT, user),), reason="user.password")
        ticket = await publish(connection, event, asked_by="tests")
    refused = await session.call("PATCH", "/account/password", password=OTHER, oldPassword="not the password")
    position = world.guard.cache.position
    found = await find_number(pool, ticket)
    await pool.close()

    assert refused.error == (401, "user_invalid_credentials")
    assert found is not None
    assert position >= found.number
