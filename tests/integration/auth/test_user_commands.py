"""`daypass user update` and `daypass user password`, as an operator types them."""

from collections.abc import AsyncIterator

import pytest

from services.embedded.valkey import Valkey
from tests.integration.auth.commands import Daypass
from tests.integration.auth.conftest import PASSWORD, PROJECT, World, open_world
from tests.parts import Database

USAGE = 2
REFUSED = 4
NEW_PASSWORD = "another correct horse"


@pytest.fixture
async def opened(database: Database, valkey: Valkey) -> AsyncIterator[tuple[World, Daypass]]:
    async with open_world(database, valkey, rate_limits=False) as world:
        yield world, Daypass(valkey.url("cli"))


async def test_a_user_is_changed_by_what_is_named(opened: tuple[World, Daypass]) -> None:
    world, daypass = opened
    user = await world.sign_up()
    named = ("user", "update", user, "--project", PROJECT)

    changed = await daypass.json(*named, "--name", "Countess", "--phone", "+14155550100", "--label", "vip")

    assert changed["name"] == "Countess"
    assert changed["phone"] == "+14155550100"
    assert changed["labels"] == ["vip"]
    assert changed["email"] == "ada@example.org"
    assert (await daypass.json(*named, "--phone", "", "--no-labels"))["labels"] == []
    shown = await daypass.json("user", "show", user, "--project", PROJECT)
    assert (shown["phone"], shown["name"]) == ("", "Countess")


async def test_a_verified_address_is_a_role_at_once_and_a_new_address_is_not(opened: tuple[World, Daypass]) -> None:
    world, daypass = opened
    user = await world.sign_up()
    jwt = await world.jwt(await world.session(user))
    named = ("user", "update", user, "--project", PROJECT)

    await daypass.json(*named, "--email-verified")

    assert (await jwt.call("GET", "/account")).json["emailVerification"] is True
    changed = await daypass.json(*named, "--email", "countess@example.org")
    assert (changed["email"], changed["email_verified"]) == ("countess@example.org", False)
    assert (await jwt.call("GET", "/account")).status == 401
    both = await daypass.json(*named, "--email", "ada@example.org", "--email-verified")
    assert (both["email"], both["email_verified"]) == ("ada@example.org", True)


async def test_a_new_password_signs_in_and_all_sessions_end(opened: tuple[World, Daypass]) -> None:
    world, daypass = opened
    user = await world.sign_up()
    jwt = await world.jwt(await world.session(user))

    code, out, err = await daypass.run("user", "password", user, "--project", PROJECT, DAYPASS_PASSWORD=NEW_PASSWORD)

    assert (code, err) == (0, "")
    assert "in force everywhere: n=" in out
    assert (await jwt.call("GET", "/account")).status == 401
    assert await _signs_in(world, PASSWORD) == 401
    assert await _signs_in(world, NEW_PASSWORD) == 201


async def test_a_project_that_keeps_sessions_keeps_them_with_a_new_password(opened: tuple[World, Daypass]) -> None:
    world, daypass = opened
    user = await world.sign_up()
    session = await world.session(user)
    await daypass.json("project", "update", PROJECT, "--no-session-invalidation")

    code, out, _ = await daypass.run("user", "password", user, "--project", PROJECT, DAYPASS_PASSWORD=NEW_PASSWORD)

    assert (code, out) == (0, "done\n")
    assert (await session.call("GET", "/account")).status == 200


async def test_what_no_user_can_have_is_refused_by_the_name_of_its_option(opened: tuple[World, Daypass]) -> None:
    world, daypass = opened
    user = await world.sign_up()
    await world.sign_up("bob@example.org")

    for option, value in (("--email", "ada"), ("--phone", "12"), ("--label", "a b"), ("--name", "x" * 129)):
        code, _, err = await daypass.run("user", "update", user, "--project", PROJECT, option, value)
        assert (code, f"Invalid value for {option}" in err) == (USAGE, True), err
    code, _, err = await daypass.run("user", "update", user, "--project", PROJECT, "--email", "bob@example.org")
    assert (code, "already" in err) == (REFUSED, True)
    code, _, err = await daypass.run("user", "password", user, "--project", PROJECT, "--password", "short")
    assert (code, "Invalid value for --password" in err) == (USAGE, True)
    code, _, err = await daypass.run("user", "update", "nobody", "--project", PROJECT, "--name", "x")
    assert (code, "could not be found" in err) == (REFUSED, True)


async def _signs_in(world: World, password: str) -> int:
    body = {"email": "ada@example.org", "password": password}
    return (await world.guest.call("POST", "/account/sessions/email", **body)).status
