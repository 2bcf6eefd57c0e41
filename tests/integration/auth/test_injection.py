"""Texts that would be SQL elsewhere, in every value that auth and token take: refused, or kept as they are."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import urlencode

import asyncpg
import pytest

from services.embedded.postgres import SUPERUSER
from shared.web.endpoint import Caller, Endpoint
from tests.declarations import ENDPOINTS
from tests.injection import (
    HEADER_TEXTS,
    TEXTS,
    Canary,
    Target,
    attempts,
    chosen_values,
    header_attempts,
    open_canary,
    write,
)
from tests.integration.auth.conftest import PASSWORD, World
from tests.integration.auth.hashes import GOOD
from tests.wire import query

OWN = [one for one in ENDPOINTS if one.service not in {"tablesDB", "databases", "storage"}]

SNAPSHOT = """
    SELECT (SELECT array_agg(data_type ORDER BY table_schema, table_name, column_name)
            FROM information_schema.columns WHERE table_schema IN ('auth', 'token', 'feed')),
           (SELECT array_agg(users::text) FROM auth.users WHERE id = 'witness'),
           (SELECT array_agg(teams::text) FROM auth.teams WHERE id = 'witness'),
           (SELECT array_agg(projects.id ORDER BY id) FROM auth.projects), (SELECT count(*) FROM token.signing_keys)
"""
"""What there is, and a few rows that nothing below names."""

MEMBERSHIPS = ("teams.list_memberships", "users.list_memberships", "account.list_memberships")
REFUSED = {"teams.update_membership_status": 401, "account.create_session": 401, "project.create_key": 403}
"""What needs a secret that somebody was sent, and what Appwrite lets no key do."""


@dataclass(frozen=True)
class Cast:
    """Those who call, and whom their requests name."""

    world: World
    team: str
    membership: str
    key: str
    platform: str
    numbers: "count[int]" = field(default_factory=count)

    @classmethod
    async def of(cls, world: World) -> "Cast":
        """Make a team with a member, a key, and a platform."""
        user = await world.sign_up("member@example.org")
        made = [
            await world.key.call("POST", "/teams", teamId="unique()", name="Team"),
            await world.key.call("POST", "/project/platforms/web", platformId="unique()", name="P", hostname="a.b"),
        ]
        assert {one.status for one in made} == {201}, made
        team, platform = (one.json["$id"] for one in made)
        _, key = await world.key_with("users.read")
        joined = await world.key.call("POST", f"/teams/{team}/memberships", userId=user, roles=["reader"])
        return cls(world, team, joined.json["$id"], key, platform)

    async def play(self, endpoint: Endpoint) -> tuple[dict[str, Any], dict[str, str]]:
        """Return a value for each parameter, and the headers of who may call: with a user and session of their own."""
        number = next(self.numbers)
        email, phone = f"{number}@example.org", f"+49{number:09}"
        user = await self.world.sign_up(f"user-{email}")
        session = await self.world.session(user)
        caller = self.world.key if Caller.KEY in endpoint.callers else session
        if not Caller.USER & endpoint.callers or endpoint.forbids_session:
            caller = self.world.key if Caller.KEY in endpoint.callers else self.world.guest
        jwt = await self.world.jwt(session)
        known = KNOWN | {
            "userId": user,
            "email": f"new-{email}",
            "phone": phone,
            "number": phone,
            "token": jwt.headers["X-Appwrite-JWT"],
            "teamId": self.team,
            "membershipId": self.membership,
            "keyId": self.key,
            "platformId": self.platform,
            "sessionId": "current" if caller is session else "recent",
            "queries": self._queries(endpoint.name),
        }
        return chosen_values(endpoint, known | self._others(endpoint)), caller.headers

    def _others(self, endpoint: Endpoint) -> dict[str, Any]:
        hash_ = HASHES.get(endpoint.paths[0].removeprefix("/v1/users/"), {})
        return {"passwordVersion": "sha3-512"} | hash_ | OTHERS.get(endpoint.name, {})

    def _queries(self, name: str) -> list[str]:
        cursors = {"teams.list": self.team, "project.list_keys": self.key, "project.list_platforms": self.platform}
        cursors |= dict.fromkeys(MEMBERSHIPS[:1], self.membership) | {"users.list": "witness"}
        lists = {"users.list": "labels", "project.list_keys": "scopes"} | dict.fromkeys(MEMBERSHIPS, "roles")
        queries = [
            query("startsWith", "$id", "a"),
            query("between", "$id", "a", "b"),
            query(
                "or",
                None,
                {"method": "equal", "attribute": "$createdAt", "values": ["2024-01-01"]},
                {"method": "equal", "attribute": "$id", "values": ["a"]},
            ),
            query("orderDesc", "$id"),
            query("limit", None, 5),
        ]
        queries += [query("contains", lists[name], "a")] if name in lists else []
        return queries + ([query("cursorAfter", None, cursors[name])] if name in cursors else [])


KNOWN: dict[str, Any] = {
    "name": "Ada",
    "url": "http://localhost/join",
    "hostname": "app.example.org",
    "password": PASSWORD,
    "oldPassword": PASSWORD,
    "prefs": {"a": {"b": ["c", None]}},
    "labels": ["reader", "writer"],
    "roles": ["reader"],
    "scopes": ["users.read"],
    "search": "ada",
    "total": True,
    "expire": "2100-01-01T00:00:00.000+00:00",
    "length": 6,
    "duration": 3600,
    "secret": "123456",
    "current": False,
    "methodId": "jwt",
    "enabled": True,
    "status": True,
    "projectId": "library",
    "emailVerification": True,
    "phoneVerification": True,
}

HASHES: dict[str, dict[str, Any]] = dict(GOOD[::-1])
"""Of a password, by the name of what makes it."""

OTHERS: dict[str, dict[str, Any]] = {
    "users.create_token": {"expire": 900},
    "account.create_email_password_session": {"email": "member@example.org"},
    "teams.create_membership": {"email": "", "phone": ""},
    "project.update_session_limit_policy": {"total": 100},
    "project.update_user_limit_policy": {"total": 0},
    "project.update_membership_privacy_policy": dict.fromkeys(
        ("userId", "userEmail", "userPhone", "userName", "userMFA", "userAccessedAt"), True
    ),
}


@pytest.fixture(scope="module")
async def canary(world: World) -> AsyncIterator[Canary]:
    """In the database, where a user and a team are that nobody names; afterwards both are as they were."""
    await world.key.call("POST", "/users", userId="witness", email="witness@example.org", name="Witness")
    await world.key.call("POST", "/teams", teamId="witness", name="Witness")
    connection = await asyncpg.connect(world.database.dsn(SUPERUSER))
    try:
        before = await connection.fetch(SNAPSHOT)
        async with open_canary(connection) as canary:
            yield canary
        assert await connection.fetch(SNAPSHOT) == before
    finally:
        await connection.close()


@pytest.fixture(autouse=True)
async def silence(canary: Canary) -> AsyncIterator[None]:
    """No SQL of a test is run."""
    yield
    assert not await canary.has_sung()


@pytest.fixture(scope="module")
async def cast(world: World) -> Cast:
    return await Cast.of(world)


@pytest.fixture
def target(world: World) -> Target:
    return Target(world.guest.http, f"http://127.0.0.1:{world.guest.port}", world.guard)


async def test_values_are_no_sql(cast: Cast, target: Target) -> None:
    for endpoint in OWN:
        values, headers = await cast.play(endpoint)
        if endpoint.method != "DELETE":  # a good request as it is: only so each value is read by all that reads it
            status = await target.send(write(endpoint, values), headers)
            assert status == REFUSED.get(endpoint.name, endpoint.status), endpoint.name
        for text in TEXTS:
            for attempt in attempts(endpoint, values, text):
                await target.send(attempt, headers)


async def test_headers_are_no_sql(cast: Cast, target: Target) -> None:
    for place, endpoint in enumerate(one for one in OWN if one.method != "DELETE"):
        values, headers = await cast.play(endpoint)
        for sent in header_attempts(HEADER_TEXTS[place % len(HEADER_TEXTS)]):
            await target.send(write(endpoint, values), headers | sent)


async def test_a_kept_text_is_shown_and_found_as_it_is(world: World) -> None:
    for place, text in enumerate(f"{one} kept" for one in TEXTS[:-2]):
        prefs = {text: [text, {"a": text}]}
        user = await world.sign_up(f"kept-{place}@example.org")
        team = (await world.key.call("POST", "/teams", teamId="unique()", name=text)).json["$id"]
        for kept in (f"/users/{user}", f"/teams/{team}"):
            changed = await world.key.call("PATCH" if "users" in kept else "PUT", f"{kept}/prefs", prefs=prefs)
            shown = await world.key.call("GET", f"{kept}/prefs")
            assert changed.json == shown.json == prefs
        await world.key.call("PATCH", f"/users/{user}/name", name=text)
        for noun, id_ in (("users", user), ("teams", team)):
            for asked in ({"search": text}, {"queries[0]": query("equal", "name", text)}):
                found = await world.key.call("GET", f"/{noun}?{urlencode(asked)}")
                assert [(one["$id"], one["name"]) for one in found.json[noun]] == [(id_, text)]
