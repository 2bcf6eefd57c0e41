"""What sessions show of the clients that they were made from: system, program, device and country."""

import itertools
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from services.auth.people.http.models import Session
from shared.appwrite.agents import LONGEST_AGENT, AgentTraits
from tests.geoip import write_countries
from tests.integration.auth.conftest import PASSWORD, Caller, World, open_world
from tests.parts import Parts

EMAILS = map("clients{}@example.org".format, itertools.count())
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.77 Safari/537.36"
)
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 16_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.5"
    " Mobile/15E148 Safari/604.1"
)
ON_CHROME = {
    "osCode": "WIN",
    "osName": "Windows",
    "osVersion": "10",
    "clientType": "browser",
    "clientCode": "CH",
    "clientName": "Chrome",
    "clientVersion": "70.0",
    "clientEngine": "Blink",
    "clientEngineVersion": "70.0.3538.77",
    "deviceName": "desktop",
    "deviceBrand": "",
    "deviceModel": "",
}


@pytest.fixture(scope="module")
async def world(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """With a database of countries."""
    path = write_countries(tmp_path_factory.mktemp("geoip") / "countries.mmdb")
    database = await parts.new_database()
    async with (
        parts.valkey() as valkey,
        open_world(database, valkey, rate_limits=False, geoip_database=str(path)) as world,
    ):
        yield world


def shown(session: dict[str, Any]) -> dict[str, Any]:
    return {name: session[name] for name in ON_CHROME}


async def sign_in(world: World, caller: Caller) -> dict[str, Any]:
    email = next(EMAILS)
    await world.sign_up(email)
    answer = await caller.call("POST", "/account/sessions/email", email=email, password=PASSWORD)
    assert answer.status == 201, answer.json
    return answer.json


def test_a_session_has_each_trait_of_a_user_agent() -> None:
    assert set(AgentTraits.__struct_fields__) < set(Session.__struct_fields__)
    assert len(ON_CHROME) == len(AgentTraits.__struct_fields__)


async def test_a_session_shows_the_client_that_made_it_wherever_it_is_shown(world: World) -> None:
    user = await world.sign_up(email := next(EMAILS))
    browser = world.guest.with_(User_Agent=CHROME, X_Forwarded_For="203.0.113.7")
    made = await browser.call("POST", "/account/sessions/email", email=email, password=PASSWORD)
    cookie = made.headers.getall("Set-Cookie")[-1].partition(";")[0]
    elsewhere = world.guest.with_(Cookie=cookie, User_Agent=IPHONE, X_Forwarded_For="2001:db8::1")

    answers = [
        made.json,
        (await elsewhere.call("GET", "/account/sessions/current")).json,
        (await elsewhere.call("PATCH", "/account/sessions/current")).json,
        *(await elsewhere.call("GET", "/account/sessions")).json["sessions"],
        *(await world.key.call("GET", f"/users/{user}/sessions")).json["sessions"],
    ]
    assert [shown(one) for one in answers] == [ON_CHROME] * 5
    assert {(one["ip"], one["countryCode"], one["countryName"]) for one in answers} == {
        ("203.0.113.7", "de", "Germany")
    }


async def test_every_way_of_signing_in_notes_the_client(world: World) -> None:
    browser = world.guest.with_(User_Agent=CHROME)
    user = await world.sign_up(next(EMAILS))
    token = (await world.key.call("POST", f"/users/{user}/tokens", length=32)).json["secret"]

    anonymous = await browser.call("POST", "/account/sessions/anonymous")
    exchanged = await browser.call("POST", "/account/sessions/token", userId=user, secret=token)
    made = await world.key.with_(User_Agent=CHROME).call("POST", f"/users/{user}/sessions")

    assert [shown(one.json) for one in (anonymous, exchanged, made)] == [ON_CHROME] * 3
    assert (made.json["countryCode"], made.json["countryName"]) == ("--", "Unknown")


@pytest.mark.check("identity 70")
async def test_only_a_backend_passes_a_user_agent_on(world: World) -> None:
    forwarded = {"User_Agent": "python-requests/2.31.0", "X_Forwarded_User_Agent": CHROME}
    user = await world.sign_up(next(EMAILS))
    secrets = [(await world.key.call("POST", f"/users/{user}/tokens", length=32)).json["secret"] for _ in range(2)]

    by_key, by_guest = [
        await caller.with_(**forwarded).call("POST", "/account/sessions/token", userId=user, secret=secret)
        for caller, secret in zip((world.key, world.guest), secrets, strict=True)
    ]
    made = await world.key.with_(**forwarded).call("POST", f"/users/{user}/sessions")

    assert shown(by_key.json) == shown(made.json) == ON_CHROME
    assert (by_guest.json["clientType"], by_guest.json["clientName"]) == ("library", "Python Requests")


@pytest.mark.parametrize("agent", ["", "x" * 7_000, "é ☃", "Mozilla/5.0 (" + "; " * 3_000])
async def test_a_sign_in_survives_any_user_agent(world: World, agent: str) -> None:
    session = await sign_in(world, world.guest.with_(User_Agent=agent))

    assert set(shown(session).values()) <= {"", "browser", "Other"}


async def test_only_the_beginning_of_a_user_agent_is_kept(world: World) -> None:
    session = await sign_in(world, world.guest.with_(User_Agent=CHROME + " x)" * 2_000))

    connection = await asyncpg.connect(world.database.dsn("auth"))
    kept = await connection.fetchval("SELECT user_agent FROM auth.sessions WHERE id = $1", session["$id"])
    await connection.close()
    assert len(kept) == LONGEST_AGENT
    assert shown(session) == ON_CHROME
