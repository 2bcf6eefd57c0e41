"""`daypass project update` and `daypass key update`, as an operator types them."""

from collections.abc import AsyncIterator

import msgspec
import pytest

from services.embedded.valkey import Valkey
from shared.contracts.administration import CreateKey, CreateUser
from shared.kernel.errors import ErrorType, Refusal
from tests.integration.auth.commands import Daypass
from tests.integration.auth.conftest import PROJECT, World, open_world
from tests.parts import Database

USAGE = 2
REFUSED = 4


@pytest.fixture
async def opened(database: Database, valkey: Valkey) -> AsyncIterator[tuple[World, Daypass]]:
    async with open_world(database, valkey, rate_limits=False) as world:
        yield world, Daypass(valkey.url("cli"))


async def test_a_key_is_changed_by_what_is_named(opened: tuple[World, Daypass]) -> None:
    world, daypass = opened
    some, id_ = await world.key_with("users.read", "teams.read")

    changed = await daypass.json("key", "update", id_, "--project", PROJECT, "--scopes", "teams.read", "--name", "less")
    assert (changed["name"], changed["scopes"], changed["expire"]) == ("less", ["teams.read"], "")
    assert "secret" not in changed
    assert (await some.call("GET", "/users")).error == (401, "general_unauthorized_scope")
    kept = await daypass.json("key", "update", id_, "--project", PROJECT, "--expire", "2999-01-01")
    assert (kept["scopes"], kept["expire"]) == (["teams.read"], "2999-01-01T00:00:00.000+00:00")
    assert (await daypass.json("key", "update", id_, "--project", PROJECT, "--expire", ""))["expire"] == ""
    code, _, err = await daypass.run("key", "update", "nothing", "--project", PROJECT, "--name", "x")
    assert (code, "Key nothing could not be found" in err) == (REFUSED, True)


async def test_a_project_is_changed_by_what_is_named(opened: tuple[World, Daypass]) -> None:
    world, daypass = opened

    changed = await daypass.json(
        "project", "update", PROJECT, "--session-limit", "3", "--session-duration", "3600", "--user-limit", "5",
        "--no-session-invalidation", "--disable", "anonymous", "--disable", "phone", "--show", "userName",
    )  # fmt: skip
    assert changed == {
        "id": PROJECT,
        "name": "Library",
        "origins": ["localhost"],
        "session_duration_s": 3600,
        "session_limit": 3,
        "session_invalidation": False,
        "user_limit": 5,
        "recent_sign_in_s": 0,
        "session_idle_s": 0,
        "disabled_auth_methods": ["anonymous", "phone"],
        "shown_membership_fields": ["userName"],
        "incarnation": (await world.guard.project(PROJECT)).incarnation,
    }
    assert (await world.guest.call("POST", "/account/sessions/anonymous")).status == 501
    again = await daypass.json(
        "project", "update", PROJECT, "--enable", "anonymous", "--session-invalidation", "--hide", "userName"
    )
    assert again == changed | {
        "session_invalidation": True,
        "disabled_auth_methods": ["phone"],
        "shown_membership_fields": [],
    }
    assert (await world.guest.call("POST", "/account/sessions/anonymous")).status == 201


async def test_origins_are_replaced_added_and_removed(opened: tuple[World, Daypass]) -> None:
    _, daypass = opened

    async def origins(*options: str) -> object:
        return (await daypass.json("project", "update", PROJECT, *options))["origins"]

    assert await origins("--add-origin", "https://shop.example.com:3000/cart") == ["localhost", "shop.example.com"]
    swapped = await origins(
        "--add-origin", "localhost", "--add-origin", "b.test", "--remove-origin", "SHOP.example.com"
    )
    assert swapped == ["localhost", "b.test"]
    assert await origins("--name", "Library") == ["localhost", "b.test"]
    assert await origins("--origin", "a.test", "--add-origin", "c.test") == ["a.test", "c.test"]
    made = await daypass.json("project", "create", "shop", "--origin", "https://bücher.example")
    assert made["origins"] == ["xn--bcher-kva.example"]


async def test_an_origin_that_no_page_matches_is_refused(opened: tuple[World, Daypass]) -> None:
    _, daypass = opened

    for option in ("--origin", "--add-origin"):
        code, _, err = await daypass.run("project", "update", PROJECT, option, "*")
        assert (code != 0, "matches no page" in err) == (True, True)


async def test_people_are_shown_a_project_and_told_what_cannot_be(opened: tuple[World, Daypass]) -> None:
    _, daypass = opened

    code, out, _ = await daypass.run("project", "update", PROJECT, "--session-limit", "7")
    assert code == 0
    assert [line.split()[-1] for line in out.splitlines() if line.startswith("SESSION LIMIT")] == ["7"]
    for wrong, told in (
        (("--session-limit", "0"), "Invalid value for --session-limit: it must be 1 to 100"),
        (("--disable", "telepathy"), "Invalid value for --enable, --disable: telepathy is not one of email-password, "),
        (("--show", "shoeSize"), "Invalid value for --show, --hide: shoeSize is not one of userId, "),
    ):
        code, _, err = await daypass.run("project", "update", PROJECT, *wrong)
        assert (code, told in err) == (USAGE, True)
    shown = await daypass.json("project", "show", PROJECT)
    assert (shown["id"], shown["session_limit"]) == (PROJECT, 7)
    code, _, err = await daypass.run("key", "create", "--project", PROJECT, "--name", "some", "--scope", "telepathy")
    assert (code, "'--scope'" in err, "users.read" in err) == (USAGE, True, True)


async def test_the_only_project_need_not_be_named(opened: tuple[World, Daypass]) -> None:
    world, daypass = opened
    user = await world.sign_up()

    assert user in (await daypass.run("user", "list"))[1]
    await daypass.json("project", "create", "shop")
    code, _, err = await daypass.run("user", "list")
    assert (code, f"name one of the projects: {PROJECT}, shop" in err) == (USAGE, True)
    assert user in (await daypass.run("user", "list", DAYPASS_PROJECT=PROJECT))[1]


async def test_a_deleted_user_is_gone(opened: tuple[World, Daypass]) -> None:
    world, daypass = opened
    user = await world.sign_up()

    code, out, _ = await daypass.run("user", "delete", user, "--yes")
    assert (code, out.startswith("in force everywhere: n=")) == (0, True)
    assert (await world.key.call("GET", f"/users/{user}")).error == (404, "user_not_found")
    assert (await daypass.run("user", "delete", user, "--yes"))[0] == REFUSED


async def test_a_user_made_by_the_command_line_signs_in(opened: tuple[World, Daypass]) -> None:
    world, daypass = opened
    address = ("--email", "Cli@example.org")
    made = await daypass.json("user", "create", "--project", PROJECT, *address, "--password", "a long password")

    body = {"email": "cli@example.org", "password": "a long password"}
    assert (await world.guest.call("POST", "/account/sessions/email", **body)).json["userId"] == made["id"]
    again = await daypass.run("user", "create", "--project", PROJECT, *address, "--password", "a long password")
    assert (again[0], "already exists" in again[2]) == (REFUSED, True)


@pytest.mark.parametrize("password", ["", "short", "p" * 257])
async def test_a_password_that_is_none_goes_nowhere(opened: tuple[World, Daypass], password: str) -> None:
    _, daypass = opened
    code, _, err = await daypass.run("user", "create", "--project", PROJECT, "--password", password)

    assert (code, "Invalid value for --password: it must be 8 to 256 characters long" in err) == (USAGE, True)
    assert not password or password not in err


async def test_a_digest_or_hash_that_is_none_is_refused(opened: tuple[World, Daypass]) -> None:
    world, _ = opened
    key, secret = CreateKey.new(project_id=PROJECT, name="some")
    for wrong in (
        msgspec.structs.replace(key, secret_digest=secret.encode()),
        msgspec.structs.replace(key, id="unique()"),
        CreateUser(project_id=PROJECT, id="ada", password_hash="a long password"),
        CreateUser(project_id=PROJECT, id="unique()"),
    ):
        with pytest.raises(Refusal) as refused:
            await world.bus.ask(wrong, timeout_s=15)
        assert refused.value.type is ErrorType.GENERAL_ARGUMENT_INVALID
