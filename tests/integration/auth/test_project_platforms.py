"""Web platforms: whose pages may call."""

import asyncio

import pytest
from appwrite.query import Query

from shared.contracts.administration import ListProjects, UpdateProject
from tests.integration.auth.conftest import PROJECT, World
from tests.integration.auth.sdk import sdk


async def allowed(world: World, origin: str) -> int:
    return (await world.guest.with_(Origin=origin).call("POST", "/account/sessions/anonymous")).status


@pytest.mark.check("identity 54")
async def test_the_official_sdk_makes_shows_changes_and_deletes_platforms(world: World) -> None:
    backend = sdk(world.key)

    made = await asyncio.to_thread(backend.create_web_platform, "unique()", "Shop", "shop.example.com")
    assert (made.name, made.type.value, made.hostname) == ("Shop", "web", "shop.example.com")
    assert (await asyncio.to_thread(backend.get_platform, made.id)).id == made.id
    changed = await asyncio.to_thread(backend.update_web_platform, made.id, "Shops", "*.shop.example.com")
    assert (changed.name, changed.hostname, changed.createdat) == ("Shops", "*.shop.example.com", made.createdat)
    listed = await asyncio.to_thread(backend.list_platforms)
    assert [platform.hostname for platform in listed.platforms if platform.id == made.id] == ["*.shop.example.com"]
    asked = [Query.equal("hostname", "*.shop.example.com"), Query.equal("type", "web"), Query.limit(1)]
    assert [one.id for one in (await asyncio.to_thread(backend.list_platforms, asked)).platforms] == [made.id]
    await asyncio.to_thread(backend.delete_platform, made.id)
    gone = await world.key.call("GET", f"/project/platforms/{made.id}")
    assert gone.error == (404, "platform_not_found")


async def test_pages_of_a_platform_call_from_when_it_is_made_until_it_is_deleted(world: World) -> None:
    page = "https://app.example.com:8443"
    assert await allowed(world, page) == 403

    made = await world.key.call(
        "POST", "/project/platforms/web", platformId="app", name="App", hostname="app.example.com"
    )
    assert (made.status, made.headers["Daypass-Receipt"][:2]) == (201, "n=")
    assert await allowed(world, page) == 201
    moved = await world.key.call("PUT", "/project/platforms/web/app", name="App", hostname="*.example.net")
    assert moved.status == 200
    assert (await allowed(world, page), await allowed(world, "https://a.example.net")) == (403, 201)
    assert (await world.key.call("DELETE", "/project/platforms/app")).status == 204
    assert await allowed(world, "https://a.example.net") == 403
    assert await allowed(world, "http://localhost:3000") == 201


async def test_platforms_and_the_operator_s_origins_stand_side_by_side(world: World) -> None:
    await world.key.call("POST", "/project/platforms/web", platformId="web", name="Web", hostname="web.example.com")
    await world.bus.ask(UpdateProject(id=PROJECT, origins=("localhost", "own.example.com")), timeout_s=15)

    projects = (await world.bus.ask(ListProjects(), timeout_s=15)).projects
    assert projects[0].origins == ("localhost", "own.example.com", "web.example.com")
    assert [await allowed(world, f"https://{host}.example.com") for host in ("own", "web", "no")] == [201, 201, 403]
    await world.key.call("DELETE", "/project/platforms/web")


async def test_a_platform_has_an_id_of_its_own_and_a_host_that_can_be(world: World) -> None:
    given = {"platformId": "taken", "name": "Some", "hostname": "some.example.com"}
    assert (await world.key.call("POST", "/project/platforms/web", **given)).status == 201

    assert (await world.key.call("POST", "/project/platforms/web", **given)).error == (409, "platform_already_exists")
    for wrong in ("https://a.example.com", "a.example.com:443", "a/b", "*", "*.", ".com", "a b", "a\n"):
        answer = await world.key.call("POST", "/project/platforms/web", **given | {"hostname": wrong})
        assert answer.error == (400, "general_argument_invalid"), wrong
    await world.key.call("DELETE", "/project/platforms/taken")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("PUT", "/web"), ("DELETE", "")], ids=["get", "update", "delete"]
)
async def test_platforms_are_for_those_with_the_scope(world: World, method: str, path: str) -> None:
    some, _ = await world.key_with("project.write")
    body = {} if method == "GET" else {"name": "x"}

    unknown = await world.key.call(method, f"/project/platforms{path}/nothing", **body)
    assert unknown.error == (404, "platform_not_found")
    for caller in (world.guest, some):
        answer = await caller.call(method, f"/project/platforms{path}/nothing", **body)
        assert answer.error == (401, "general_unauthorized_scope")
