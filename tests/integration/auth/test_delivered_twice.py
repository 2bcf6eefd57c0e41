"""Requests are delivered at least once: one that comes twice does its work once, and has the same answer both times."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import pytest

from services.embedded.postgres import SUPERUSER
from services.embedded.valkey import Valkey
from shared.contracts import administration as admin
from shared.contracts.administration import Change, CreateKey, CreateProject, CreateUser, ListKeys, ListUsers
from shared.contracts.declared import requests_to
from shared.contracts.passwords import new_hasher
from shared.contracts.requests import Request
from shared.messaging.bus import Bus, Reply
from shared.messaging.codec import unpack
from shared.messaging.wire import open_client
from tests.eventually import eventually
from tests.integration.auth.conftest import PROJECT, World, open_world
from tests.parts import Database

HASHER = new_hasher(cheap=True)


class Doubled(Bus):
    """Sends each request twice, and keeps all replies."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.replies: list[Reply] = []

    async def _send(self, id_: str, request: Request[Any], timeout_s: float) -> None:
        for _ in range(2):
            await super()._send(id_, request, timeout_s)

    def _deliver(self, data: bytes) -> None:
        self.replies.append(unpack(data, Reply))
        super()._deliver(data)

    async def both(self, request: Request[Any]) -> list[dict[str, object]]:
        """Return both answers, without the time that each has waited."""
        self.replies.clear()
        await self.ask(request, timeout_s=15)
        async with asyncio.timeout(15):
            await eventually(lambda: _told(len(self.replies)), 2)
        assert [reply.fault for reply in self.replies] == [None, None]
        bodies = [unpack(reply.body, dict) for reply in self.replies]
        return [body | {"receipt": str(body["receipt"]).partition(", acked")[0]} for body in bodies]


async def _told(count: int) -> int:
    return count


@pytest.fixture
async def opened(database: Database, valkey: Valkey) -> AsyncIterator[tuple[World, Doubled]]:
    async with open_world(database, valkey, rate_limits=False) as world:
        redis = open_client(valkey.url("cli"), name="tests")
        doubled = Doubled(redis=redis, service="cli")
        yield world, doubled
        await doubled.close()
        await redis.aclose()


async def test_a_key_that_is_asked_for_once_is_made_once(opened: tuple[World, Doubled]) -> None:
    world, bus = opened
    request, secret = CreateKey.new(project_id=PROJECT, name="twice")

    first, second = await bus.both(request)

    assert first == second
    found = (await world.bus.ask(ListKeys(project_id=PROJECT), timeout_s=15)).keys
    assert [key.id for key in found if key.name == "twice"] == [request.id]
    assert (await world.guest.with_(X_Appwrite_Key=secret).call("GET", "/users")).status == 200


async def test_a_user_who_is_asked_for_once_is_made_once(opened: tuple[World, Doubled]) -> None:
    world, bus = opened
    password = HASHER.hash("correct horse")

    first, second = await bus.both(
        CreateUser(project_id=PROJECT, id="ada", email="Ada@example.org", password_hash=password, name="Ada")
    )

    assert first == second
    assert [user.id for user in (await world.bus.ask(ListUsers(project_id=PROJECT), timeout_s=15)).users] == ["ada"]


Make = Callable[[str, str, str], Change[Any]]
"""Given the ids of a key, a user and a session."""

CHANGES: dict[type[Change[Any]], Make] = {
    CreateProject: lambda *_: CreateProject(id="new", name="New"),
    admin.UpdateProject: lambda *_: admin.UpdateProject(id=PROJECT, name="Renamed"),
    admin.DeleteProject: lambda *_: admin.DeleteProject(id="doomed"),
    CreateKey: lambda *_: CreateKey.new(project_id=PROJECT, name="another")[0],
    admin.UpdateKey: lambda key, *_: admin.UpdateKey(project_id=PROJECT, id=key, name="renamed"),
    admin.DeleteKey: lambda key, *_: admin.DeleteKey(project_id=PROJECT, id=key),
    admin.RevokeSession: lambda _, user, session: admin.RevokeSession(project_id=PROJECT, user_id=user, id=session),
    admin.RevokeAllSessions: lambda *_: admin.RevokeAllSessions(project_id=PROJECT),
    admin.UpdateUser: lambda _, user, __: admin.UpdateUser(project_id=PROJECT, id=user, email_verified=True),
    admin.SetUserPassword: lambda _, user, __: admin.SetUserPassword(
        project_id=PROJECT, id=user, password_hash=HASHER.hash("correct horse")
    ),
    admin.SetUserStatus: lambda _, user, __: admin.SetUserStatus(project_id=PROJECT, id=user, enabled=False),
    admin.DeleteUser: lambda _, user, __: admin.DeleteUser(project_id=PROJECT, id=user),
}


def test_every_change_is_tried_twice() -> None:
    assert set(CHANGES) == {kind for kind in requests_to("auth") if issubclass(kind, Change)}


async def test_every_change_is_made_once_and_answered_the_same(opened: tuple[World, Doubled]) -> None:
    world, bus = opened
    _, key = await world.key_with("users.read")
    user = await world.sign_up()
    session = (await world.key.call("POST", f"/users/{user}/sessions")).json["$id"]
    await world.bus.ask(CreateProject(id="doomed", name="Doomed"), timeout_s=15)
    for make in CHANGES.values():
        request = make(key, user, session)
        before = await _published(world)

        first, second = await bus.both(request)

        assert first == second, request
        assert await _published(world) == before + 1, request


async def _published(world: World) -> int:
    connection = await asyncpg.connect(world.database.dsn(SUPERUSER))
    try:
        return int(await connection.fetchval("SELECT count(*) FROM feed.outbox WHERE stream = 'feed'"))
    finally:
        await connection.close()
