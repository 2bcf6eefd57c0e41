"""What ends all sessions of a user ends all else by which the user, or a thief, could still sign in or act."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from shared.contracts.administration import RevokeSession, SetUserStatus
from tests.answer import Answer
from tests.eventually import eventually
from tests.integration.auth.conftest import PASSWORD, PROJECT, Caller, World, open_world
from tests.integration.auth.people import blocked_by, sign_in
from tests.parts import Parts

NUMBERS = itertools.count()
OTHER = "another password"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where invitations go."""
    return tmp_path_factory.mktemp("parts") / "invitations"


@pytest.fixture(scope="module")
async def world(parts: Parts, folder: Path) -> AsyncIterator[World]:
    """One in which users can invite others."""
    database = await parts.new_database()
    async with (
        parts.valkey() as valkey,
        open_world(database, valkey, rate_limits=False, invitations_dir=str(folder)) as world,
    ):
        yield world


@dataclass
class Person:
    """A user with everything by which one signs in or acts."""

    world: World
    folder: Path
    id: str
    email: str
    team: str
    bare_jwt: Caller
    mine: Caller
    my_jwt: Caller
    other: Caller
    others_jwt: Caller
    login_token: str
    membership: str

    @classmethod
    async def make(cls, world: World, folder: Path) -> "Person":
        email = f"ending{next(NUMBERS)}@example.org"
        user = await world.sign_up(email)
        bare = await world.key.call("POST", f"/users/{user}/jwts")
        mine, other = await world.session(user), await world.session(user)
        owner = await world.session(await world.sign_up(f"ending{next(NUMBERS)}@example.org"))
        team = (await owner.call("POST", "/teams", teamId="unique()", name="Team")).json["$id"]
        invited = await owner.call(
            "POST", f"/teams/{team}/memberships", email=email, roles=[], url="http://localhost/welcome"
        )
        assert invited.status == 201, invited.json
        return cls(
            world=world,
            folder=folder,
            id=user,
            email=email,
            team=team,
            bare_jwt=world.guest.with_(X_Appwrite_JWT=bare.json["jwt"]),
            mine=mine,
            my_jwt=await world.jwt(mine),
            other=other,
            others_jwt=await world.jwt(other),
            login_token=(await world.key.call("POST", f"/users/{user}/tokens")).json["secret"],
            membership=invited.json["$id"],
        )

    async def by_token(self) -> int:
        body = {"userId": self.id, "secret": self.login_token}
        return (await self.world.guest.call("POST", "/account/sessions/token", **body)).status

    async def by_invitation(self) -> int:
        letter = json.loads((self.folder / f"{PROJECT}.{self.membership}.json").read_text())
        secret = parse_qs(urlsplit(letter["link"]).query)["secret"][0]
        path = f"/teams/{self.team}/memberships/{self.membership}/status"
        return (await self.world.guest.call("PATCH", path, userId=self.id, secret=secret)).status

    async def acts(self, *callers: str) -> list[int]:
        """Return the status of a call by each of these credentials."""
        return [(await getattr(self, name).call("GET", "/account")).status for name in callers]


ALL = ("bare_jwt", "mine", "my_jwt", "other", "others_jwt")
Ending = Callable[[Person], Awaitable[Answer]]


async def deleted_by_key(one: Person) -> Answer:
    return await one.world.key.call("DELETE", f"/users/{one.id}/sessions")


async def deleted_by_user(one: Person) -> Answer:
    return await one.mine.call("DELETE", "/account/sessions")


async def deleted_by_jwt(one: Person) -> Answer:
    return await one.bare_jwt.call("DELETE", "/account/sessions")


async def password_by_key(one: Person) -> Answer:
    return await one.world.key.call("PATCH", f"/users/{one.id}/password", password=OTHER)


async def email_by_key(one: Person) -> Answer:
    email = f"ending{next(NUMBERS)}@example.org"
    return await one.world.key.call("PATCH", f"/users/{one.id}/email", email=email)


async def phone_by_key(one: Person) -> Answer:
    """Take the number away: the first that a user is given takes nothing from anybody."""
    await one.world.key.call("PATCH", f"/users/{one.id}/phone", number=f"+4930200{next(NUMBERS):04d}")
    assert await one.acts(*ALL) == [200] * 5
    return await one.world.key.call("PATCH", f"/users/{one.id}/phone", number="")


async def password_by_bare_jwt(one: Person) -> Answer:
    return await one.bare_jwt.call("PATCH", "/account/password", password=OTHER, oldPassword=PASSWORD)


@pytest.mark.parametrize(
    "ending",
    [
        deleted_by_key,
        deleted_by_user,
        deleted_by_jwt,
        password_by_key,
        password_by_bare_jwt,
        email_by_key,
        phone_by_key,
    ],
)
async def test_a_change_that_ends_all_sessions_ends_all_else_that_signs_in_or_acts(
    world: World, folder: Path, ending: Ending
) -> None:
    one = await Person.make(world, folder)
    assert await one.acts(*ALL) == [200] * 5
    answer = await ending(one)

    assert answer.status in {200, 204}
    assert answer.headers["Daypass-Receipt"].startswith("n=")
    assert await one.acts(*ALL) == [401] * 5
    assert (await one.by_token(), await one.by_invitation()) == (401, 401)


async def test_the_command_line_ends_all_else_that_signs_in_or_acts(world: World, folder: Path) -> None:
    one = await Person.make(world, folder)
    await world.bus.ask(RevokeSession(project_id=PROJECT, user_id=one.id), timeout_s=15)

    assert await one.acts(*ALL) == [401] * 5
    assert (await one.by_token(), await one.by_invitation()) == (401, 401)


async def others_deleted(one: Person) -> Answer:
    return await one.mine.call("DELETE", "/account/sessions", current=False)


async def password_by_session(one: Person) -> Answer:
    return await one.mine.call("PATCH", "/account/password", password=OTHER, oldPassword=PASSWORD)


async def password_by_its_jwt(one: Person) -> Answer:
    return await one.my_jwt.call("PATCH", "/account/password", password=OTHER, oldPassword=PASSWORD)


async def email_by_session(one: Person) -> Answer:
    email = f"ending{next(NUMBERS)}@example.org"
    return await one.mine.call("PATCH", "/account/email", email=email, password=PASSWORD)


async def email_by_its_jwt(one: Person) -> Answer:
    email = f"ending{next(NUMBERS)}@example.org"
    return await one.my_jwt.call("PATCH", "/account/email", email=email, password=PASSWORD)


@pytest.mark.parametrize(
    "ending", [others_deleted, password_by_session, password_by_its_jwt, email_by_session, email_by_its_jwt]
)
async def test_a_change_by_the_user_ends_all_but_the_session_that_calls(
    world: World, folder: Path, ending: Ending
) -> None:
    one = await Person.make(world, folder)
    assert await one.acts(*ALL) == [200] * 5
    answer = await ending(one)

    assert answer.status in {200, 204}
    assert answer.headers["Daypass-Receipt"].startswith("n=")
    assert await one.acts("mine", "my_jwt") == [200] * 2
    assert await one.acts("bare_jwt", "other", "others_jwt") == [401] * 3
    assert (await one.by_token(), await one.by_invitation()) == (401, 401)


async def blocked_by_key(one: Person) -> Answer:
    return await one.world.key.call("PATCH", f"/users/{one.id}/status", status=False)


async def blocked_by_user(one: Person) -> Answer:
    return await one.mine.call("PATCH", "/account/status")


async def blocked_by_bare_jwt(one: Person) -> Answer:
    return await one.bare_jwt.call("PATCH", "/account/status")


@pytest.mark.parametrize("blocking", [blocked_by_key, blocked_by_user, blocked_by_bare_jwt])
async def test_an_unblocked_user_is_not_signed_in_again_by_that(world: World, folder: Path, blocking: Ending) -> None:
    one = await Person.make(world, folder)
    assert await one.acts(*ALL) == [200] * 5
    answer = await blocking(one)
    while_blocked = await one.acts(*ALL)
    listed = (await world.key.call("GET", f"/users/{one.id}/sessions")).json["total"]
    signed_in = await one.by_token(), (await sign_in(world.guest, one.email))[0]
    await world.bus.ask(SetUserStatus(project_id=PROJECT, id=one.id, enabled=True), timeout_s=15)

    assert answer.headers["Daypass-Receipt"].startswith("n=")
    assert while_blocked == [403] * 5
    assert listed == 0
    assert signed_in == (401, 403)
    assert await one.acts(*ALL) == [401] * 5
    assert (await one.by_token(), await one.by_invitation()) == (401, 401)
    assert await sign_in(world.guest, one.email) == (201, "")


async def test_without_the_policy_a_new_address_ends_no_session(world: World, folder: Path) -> None:
    one = await Person.make(world, folder)
    await world.key.call("PATCH", "/project/policies/session-invalidation", enabled=False)
    changed = [await email_by_session(one), await email_by_key(one), await password_by_key(one)]
    await world.key.call("PATCH", "/project/policies/session-invalidation", enabled=True)

    assert [answer.status for answer in changed] == [200] * 3
    assert await one.acts(*ALL) == [200] * 5


async def test_a_login_token_signs_no_blocked_user_in(world: World, folder: Path) -> None:
    one = await Person.make(world, folder)
    await blocked_by_key(one)
    secret = (await world.key.call("POST", f"/users/{one.id}/tokens")).json["secret"]
    refused = await world.guest.call("POST", "/account/sessions/token", userId=one.id, secret=secret)

    assert refused.error == (403, "user_blocked")


async def test_a_jwt_without_a_session_that_is_made_after_the_end_is_good(world: World, folder: Path) -> None:
    one = await Person.make(world, folder)
    await deleted_by_key(one)
    fresh = await world.key.call("POST", f"/users/{one.id}/jwts")

    assert (await world.guest.with_(X_Appwrite_JWT=fresh.json["jwt"]).call("GET", "/account")).status == 200


async def test_a_jwt_that_is_ended_while_its_call_waits_changes_nothing(world: World, folder: Path) -> None:
    one = await Person.make(world, folder)
    team = (await one.bare_jwt.call("POST", "/teams", teamId="unique()", name="Before")).json["$id"]
    connection = await asyncpg.connect(world.database.dsn("auth"))
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("SELECT FROM auth.teams WHERE id = $1 FOR UPDATE", team)
    renaming = asyncio.create_task(one.bare_jwt.call("PUT", f"/teams/{team}", name="After"))
    await eventually(lambda: blocked_by(connection), 1)
    await deleted_by_key(one)
    await transaction.rollback()
    await connection.close()

    assert (await renaming).status == 503
    assert (await world.key.call("GET", f"/teams/{team}")).json["name"] == "Before"
