"""API keys, as keys and the command line manage them."""

import asyncio
from datetime import timedelta

import pytest
from appwrite.client import Client
from appwrite.enums.project_key_scopes import ProjectKeyScopes
from appwrite.exception import AppwriteException
from appwrite.query import Query
from appwrite.services.project import Project

from shared.contracts.administration import ListKeys, UpdateKey
from shared.kernel.clock import now, wire_date
from shared.kernel.errors import Refusal
from tests.eventually import eventually
from tests.integration.auth.conftest import PROJECT, Caller, World


def project(caller: Caller) -> Project:
    """Appwrite's own Python SDK for the project service. It blocks: call it by `asyncio.to_thread`."""
    client = Client().set_endpoint(f"http://127.0.0.1:{caller.port}/v1").set_project(PROJECT)
    return Project(client.set_key(caller.headers["X-Appwrite-Key"]))


@pytest.mark.check("identity 51")
async def test_the_official_sdk_reads_changes_and_deletes_keys(world: World) -> None:
    some, id_ = await world.key_with("users.read")
    backend = project(world.key)

    read = await asyncio.to_thread(backend.get_key, id_)
    assert (read.id, read.name, read.scopes, read.secret, read.expire) == (id_, "some", ["users.read"], "", "")
    end = wire_date(now() + timedelta(days=1))
    wanted = [ProjectKeyScopes.USERS_WRITE, ProjectKeyScopes.TEAMS_READ]
    changed = await asyncio.to_thread(backend.update_key, id_, "other", wanted, end)
    assert (changed.name, changed.scopes, changed.expire) == ("other", ["teams.read", "users.write"], end)
    assert changed.createdat == read.createdat
    assert changed.updatedat > read.updatedat
    listed = await asyncio.to_thread(backend.list_keys)
    assert [key.name for key in listed.keys if key.id == id_] == ["other"]
    assert listed.total == len(listed.keys)
    await asyncio.to_thread(backend.delete_key, id_)
    assert (await some.call("GET", "/users")).error == (401, "user_unauthorized")


async def test_keys_are_listed_as_the_queries_say(world: World) -> None:
    backend = project(world.key)
    ids = [(await world.key_with("teams.read", "teams.write"))[1] for _ in range(3)]

    async def listed(*queries: str, total: bool | None = None) -> tuple[float, list[str]]:
        found = await asyncio.to_thread(backend.list_keys, list(queries), total)
        return found.total, [key.id for key in found.keys]

    own = Query.equal("$id", ids)
    assert await listed(own) == (3, ids)
    assert await listed(own, Query.limit(1), Query.order_desc("$createdAt")) == (3, ids[2:])
    assert await listed(own, Query.cursor_after(ids[0]), total=False) == (0, ids[1:])
    assert set(ids) <= set((await listed(Query.contains("scopes", ["teams.write"])))[1])
    assert await listed(own, Query.is_not_null("expire")) == (0, [])
    assert await listed(own, Query.is_not_null("accessedAt")) == (0, [])
    assert len((await listed())[1]) > len((await listed(Query.limit(2)))[1])
    for wrong in (Query.select(["name"]), Query.equal("secret", "x"), Query.equal("scopes", "teams.read")):
        with pytest.raises(AppwriteException) as refused:
            await listed(wrong)
        assert (refused.value.code, refused.value.type) == (400, "general_argument_invalid")


async def test_a_scope_that_is_taken_is_gone_and_one_that_is_given_holds_at_once(world: World) -> None:
    some, id_ = await world.key_with("users.read")
    assert (await some.call("GET", "/users")).status == 200

    taken = await world.key.call("PUT", f"/project/keys/{id_}", name="some", scopes=[])
    assert taken.headers["Daypass-Receipt"].startswith("n=")
    assert (await some.call("GET", "/users")).error == (401, "general_unauthorized_scope")
    await world.key.call("PUT", f"/project/keys/{id_}", name="some", scopes=["users.read"])
    assert (await some.call("GET", "/users")).status == 200


@pytest.mark.check("identity 91")
async def test_no_key_makes_keys(world: World) -> None:
    given = {"keyId": "unique()", "name": "more", "scopes": ["users.read"]}
    reader, _ = await world.key_with("keys.read")

    assert (await world.key.call("POST", "/project/keys", **given)).error == (403, "key_creation_denied")
    assert (await reader.call("POST", "/project/keys", **given)).error == (401, "general_unauthorized_scope")


@pytest.mark.check("identity 92")
async def test_no_key_gives_a_scope_that_it_does_not_hold(world: World) -> None:
    manager, own = await world.key_with("keys.write", "users.read")
    _, other = await world.key_with("teams.read")

    async def give(id_: str, *scopes: str) -> tuple[int, object]:
        answer = await manager.call("PUT", f"/project/keys/{id_}", name="some", scopes=scopes)
        return answer.status, answer.json.get("scopes", answer.json.get("type"))

    assert await give(own, "keys.write", "users.read", "users.write") == (401, "general_unauthorized_scope")
    assert await give(other, "users.write") == (401, "general_unauthorized_scope")
    assert await give(other, "teams.read", "users.read") == (200, ["teams.read", "users.read"])
    assert await give(own, "keys.write") == (200, ["keys.write"])
    assert await give(own, "keys.write", "users.read") == (401, "general_unauthorized_scope")


async def test_no_key_puts_off_its_own_end_nor_that_of_another_beyond_its_own(world: World) -> None:
    manager, own = await world.key_with("keys.write")
    _, other = await world.key_with("teams.read")
    soon, sooner, later = (wire_date(now() + timedelta(hours=hours)) for hours in (2, 1, 3))
    for id_, end in ((own, soon), (other, sooner)):
        scopes = ["keys.write"] if id_ == own else ["teams.read"]
        await world.key.call("PUT", f"/project/keys/{id_}", name="some", scopes=scopes, expire=end)

    async def put_off(id_: str, expire: str | None) -> tuple[int, str]:
        scopes = ["keys.write"] if id_ == own else ["teams.read"]
        answer = await manager.call("PUT", f"/project/keys/{id_}", name="some", scopes=scopes, expire=expire)
        return answer.status, answer.json.get("expire", answer.json.get("type"))

    for id_ in (own, other):
        for beyond in (later, None):
            assert await put_off(id_, beyond) == (400, "general_argument_invalid")
    assert await put_off(other, soon) == (200, soon)
    assert await put_off(own, sooner) == (200, sooner)
    assert await put_off(own, soon) == (400, "general_argument_invalid")
    assert await put_off(other, soon) == (200, soon)


async def test_health_is_for_keys_with_its_scope(world: World) -> None:
    some, _ = await world.key_with("users.read")
    health, _ = await world.key_with("health.read")

    for path in ("/health", "/health/revocation", "/health/dead-letters"):
        assert (await some.call("GET", path)).error == (401, "general_unauthorized_scope")
        assert (await health.call("GET", path)).status == 200


async def test_a_key_ends_when_it_was_told_to(world: World) -> None:
    some, id_ = await world.key_with("users.read")
    soon = wire_date(now() + timedelta(seconds=2))
    await world.key.call("PUT", f"/project/keys/{id_}", name="some", scopes=["users.read"], expire=soon)

    async def answered() -> tuple[int, str]:
        answer = await some.call("GET", "/users")
        return answer.status, answer.json.get("type", "")

    await eventually(answered, (401, "project_key_expired"))
    await world.key.call("PUT", f"/project/keys/{id_}", name="some", scopes=["users.read"], expire=None)
    assert await answered() == (200, "")


async def test_keys_are_for_those_with_the_scope_and_known_by_their_id(world: World) -> None:
    reader, id_ = await world.key_with("keys.read")
    _, other = await world.key_with("users.read")
    session = await world.session(await world.sign_up("keys@example.org"))

    for caller in (world.guest, session):
        assert (await caller.call("GET", "/project/keys")).error == (401, "general_unauthorized_scope")
    assert (await reader.call("GET", f"/project/keys/{other}")).status == 200
    for method, body in (("PUT", {"name": "x", "scopes": []}), ("DELETE", {})):
        answer = await reader.call(method, f"/project/keys/{id_}", **body)
        assert answer.error == (401, "general_unauthorized_scope")
        assert (await world.key.call(method, "/project/keys/nothing", **body)).error == (404, "key_not_found")
    assert (await world.key.call("GET", "/project/keys/nothing")).error == (404, "key_not_found")


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "n" * 129},
        {"scopes": None},
        {"expire": "soon"},
        {"expire": "2001-01-01"},
        {"expire": "2999-01-01+02:00"},
    ],
)
async def test_a_change_that_makes_no_key_is_refused(world: World, wrong: dict[str, object]) -> None:
    given = {"name": "all", "scopes": ["users.read"]} | wrong
    _, id_ = await world.key_with("users.read")

    answer = await world.key.call("PUT", f"/project/keys/{id_}", **given)
    assert answer.error == (400, "general_argument_invalid")


async def test_a_scope_of_a_later_release_is_passed_over(world: World) -> None:
    _, id_ = await world.key_with("users.read")
    scopes = ["users.read", "documentsdb.read", "users.read"]

    changed = await world.key.call("PUT", f"/project/keys/{id_}", name="some", scopes=scopes)
    assert changed.json["scopes"] == ["users.read"]


async def test_the_command_line_changes_what_it_names(world: World) -> None:
    some, id_ = await world.key_with("users.read")
    assert (await some.call("GET", "/users")).status == 200
    changed = await world.bus.ask(UpdateKey(project_id=PROJECT, id=id_, scopes=("teams.read",)), timeout_s=15)

    assert (changed.keys[0].name, changed.keys[0].scopes) == ("some", ("teams.read",))
    assert changed.receipt.startswith("n=")
    assert (await some.call("GET", "/users")).error == (401, "general_unauthorized_scope")
    with pytest.raises(Refusal, match=r"unknown scope users\.fly"):
        await world.bus.ask(UpdateKey(project_id=PROJECT, id=id_, scopes=("users.fly",)), timeout_s=15)
    with pytest.raises(Refusal, match="Key nothing could not be found"):
        await world.bus.ask(UpdateKey(project_id=PROJECT, id="nothing", name="x"), timeout_s=15)
    assert id_ in {key.id for key in (await world.bus.ask(ListKeys(project_id=PROJECT), timeout_s=15)).keys}
