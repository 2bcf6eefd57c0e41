"""No secret ever lies in Redis, in memory or on its disk: whatever the command line does, and whoever signs in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from services.embedded.valkey import Valkey
from shared.contracts.credentials import SessionSecret
from tests.integration.auth.commands import Daypass
from tests.integration.auth.conftest import PASSWORD, Caller, World, open_world
from tests.integration.auth.invitations import invited, letter
from tests.parts import Database

OF_THE_COMMAND_LINE = "A-Horse-That-Is-Correct"


class Searcher:
    """Knows secrets, and looks for them in all that Redis holds or has ever been told."""

    def __init__(self, redis: Redis, append_only: Path) -> None:
        self._redis = redis
        self._append_only = append_only
        self.secrets: dict[str, str] = {}

    def know(self, name: str, secret: object) -> str:
        assert isinstance(secret, str)
        assert len(secret) >= 8
        self.secrets[name] = secret
        return secret

    async def found(self) -> set[str]:
        """Return the names of the secrets that are there."""
        held = [file.read_bytes() for file in self._append_only.iterdir()]
        streams = [key async for key in self._redis.scan_iter("*", _type="stream")]
        for stream in streams:
            held += [value for _, fields in await self._redis.xrange(stream) for value in fields.values()]
        assert streams
        assert any(b"project.create" in one for one in held)
        return {name for name, secret in self.secrets.items() if any(secret.encode() in one for one in held)}


@pytest.fixture
async def opened(
    database: Database, valkey: Valkey, redis: Redis, tmp_path: Path
) -> AsyncIterator[tuple[World, Daypass, Searcher]]:
    folder = tmp_path / "invitations"
    async with open_world(database, valkey, rate_limits=True, invitations_dir=str(folder)) as world:
        searcher = Searcher(redis, valkey.data_dir / "appendonlydir")
        searcher.know("the key of the tests", world.key.headers["X-Appwrite-Key"])
        yield world, Daypass(valkey.url("cli")), searcher


async def test_no_command_leaves_a_secret_in_redis(opened: tuple[World, Daypass, Searcher]) -> None:
    _, daypass, searcher = opened
    await daypass.json("project", "create", "shop")
    key = await daypass.json("key", "create", "--project", "shop", "--name", "all")
    searcher.know("a key", key["secret"])
    searcher.know("a password", OF_THE_COMMAND_LINE)
    user = await daypass.json(
        "user", "create", "--project", "shop", "--email", "ada@x.test", "--password", OF_THE_COMMAND_LINE
    )
    of_user, of_key = ("--project", "shop", str(user["id"])), ("--project", "shop", str(key["id"]))
    for command in (
        ("project", "list"),
        ("project", "update", "shop", "--session-limit", "3"),
        ("key", "list", "--project", "shop"),
        ("key", "update", *of_key, "--scope", "users.read"),
        ("user", "list", "--project", "shop"),
        ("user", "show", *of_user),
        ("user", "password", *of_user, "--password", OF_THE_COMMAND_LINE),
        ("user", "block", *of_user),
        ("user", "unblock", *of_user),
        ("session", "list", "--project", "shop", "--user", str(user["id"])),
        ("session", "revoke", "--project", "shop", "--user", str(user["id"])),
        ("session", "revoke", "--project", "shop", "--all"),
        ("revocation", "list"),
        ("signing-key", "list"),
        ("signing-key", "rotate"),
        ("dead-letter", "list"),
        ("key", "delete", *of_key),
        ("project", "delete", "shop", "--yes"),
    ):
        code, _, err = await daypass.run(*command, "--json")
        assert (code, err) == (0, ""), command
        assert await searcher.found() == set(), command


async def test_no_sign_in_leaves_a_secret_in_redis(opened: tuple[World, Daypass, Searcher], tmp_path: Path) -> None:
    world, _, searcher = opened
    searcher.know("a password", PASSWORD)
    user = await world.sign_up("ada@example.org")
    session = await world.session(user)
    _know_session(searcher, "a session", session)
    as_backend = await world.key.call("POST", "/account/sessions/email", email="ada@example.org", password=PASSWORD)
    _know_session(searcher, "a session by password", world.guest.with_(X_Appwrite_Session=as_backend.json["secret"]))
    token = (await world.key.call("POST", f"/users/{user}/tokens", length=64)).json["secret"]
    searcher.know("a login token", token)
    assert (await world.guest.call("POST", "/account/sessions/token", userId=user, secret=token)).status == 201
    jwt = await world.jwt(session)
    searcher.know("a JWT", jwt.headers["X-Appwrite-JWT"])
    team = (await session.call("POST", "/teams", teamId="unique()", name="Chess")).json["$id"]
    membership = await invited(session, team, email="bob@example.org")
    invitation = letter(tmp_path / "invitations", membership)
    searcher.know("an invitation", invitation["secret"])
    path = f"/teams/{team}/memberships/{membership}/status"
    accepted = await world.guest.call("PATCH", path, userId=invitation["userId"], secret=invitation["secret"])
    assert accepted.status == 200
    for caller in (session, jwt, world.key):
        assert (await caller.call("GET", "/teams")).status == 200
    new = searcher.know("a new password", "another correct horse")
    assert (await session.call("PATCH", "/account/password", password=new, oldPassword=PASSWORD)).status == 200
    assert (await session.call("DELETE", "/account/sessions/current")).status == 204

    assert await searcher.found() == set()


def _know_session(searcher: Searcher, name: str, session: Caller) -> None:
    wire = searcher.know(f"{name}, as it travels", session.headers["X-Appwrite-Session"])
    secret = SessionSecret.parse(wire)
    assert secret is not None
    searcher.know(name, secret.secret)
