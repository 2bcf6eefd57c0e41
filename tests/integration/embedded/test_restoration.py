"""What was ended stays ended when an older copy of the data is put back, whichever way."""

import json
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from services.token.domain.seal import Seal
from services.token.domain.signing_keys import Signer, read_private
from services.token.domain.tokens import Bearer, claims_for
from shared.kernel.settings import Secret
from tests.eventually import eventually
from tests.integration.embedded.daypass import User, superuser


@dataclass(frozen=True)
class Caller:
    """Calls a running instance."""

    endpoint: str
    headers: dict[str, str]

    @classmethod
    def of(cls, told: dict[str, Any]) -> "Caller":
        """Call with the key of the first start."""
        return cls(told["endpoint"], {"X-Appwrite-Project": told["project"], "X-Appwrite-Key": told["key"]})

    def by(self, **headers: str) -> "Caller":
        """Call with another credential."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Caller(self.endpoint, {"X-Appwrite-Project": self.headers["X-Appwrite-Project"]} | named)

    def call(self, method: str, path: str, **body: object) -> tuple[int, Any]:
        """Return status and JSON."""
        data = json.dumps(body).encode() if body else None
        headers = self.headers | {"Content-Type": "application/json"}
        request = urllib.request.Request(self.endpoint + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                text = answer.read()
                return answer.status, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def status(self, method: str, path: str, **body: object) -> int:
        """Return the status alone."""
        return self.call(method, path, **body)[0]


_BEARER = """
    SELECT users.project, projects.sequence AS project_incarnation, users.sequence AS user_incarnation, generation
    FROM auth.users JOIN auth.projects ON projects.id = users.project WHERE users.id = $1
"""


@dataclass(frozen=True)
class Stolen:
    """What somebody has who read everything: of it, nothing may be good again once it was ended."""

    user: str
    session: str
    login_token: str
    kid: str
    signer: Signer
    issuer: str

    @classmethod
    async def take(cls, data_dir: Path, key: Caller) -> "Stolen":
        _, user = key.call("POST", "/users", userId="unique()", email="ada@example.org", password="correct horse")
        _, session = key.call("POST", f"/users/{user['$id']}/sessions")
        _, token = key.call("POST", f"/users/{user['$id']}/tokens", expire=86_400)
        # `kept_dir` is a copy itself: its first start has begun an epoch, and keys of it are there once one is needed.
        await eventually(lambda: is_a_later_second(data_dir), True)
        assert key.status("POST", f"/users/{user['$id']}/jwts") == 201
        connection = await superuser(data_dir)
        row = await connection.fetchrow("SELECT * FROM token.signing_keys, token.instance WHERE state = 'active'")
        await connection.close()
        assert row is not None
        master = json.loads((data_dir / "secrets.json").read_text())["master_key"]
        private = read_private(Seal(Secret(master)).open(row["private_key"], kid=row["kid"]))
        return cls(
            user=user["$id"],
            session=session["secret"],
            login_token=token["secret"],
            kid=row["kid"],
            signer=Signer(kid=row["kid"], algorithm=row["algorithm"], key=private),
            issuer=row["issuer"],
        )

    def forged(self, key: Caller, bearer: Bearer) -> Caller:
        """Make a JWT with the stolen signing key."""
        claims = claims_for(issuer=self.issuer, bearer=bearer, duration_s=900, now=time.time())
        return key.by(X_Appwrite_JWT=self.signer.sign(claims))

    async def bearer(self, data_dir: Path) -> Bearer:
        """Return what a JWT of the user, without a session, says at this moment."""
        connection = await superuser(data_dir)
        row = await connection.fetchrow(_BEARER, self.user)
        await connection.close()
        assert row is not None
        return Bearer(**dict(row), user=self.user, session="")

    async def is_good(self, key: Caller, data_dir: Path) -> list[int]:
        """Return the statuses of calls by the session, by a JWT of the stolen key, and of a sign-in by the token."""
        session = key.by(X_Appwrite_Session=self.session)
        return [
            session.status("GET", "/account"),
            self.forged(key, await self.bearer(data_dir)).status("GET", "/account"),
            key.by().status("POST", "/account/sessions/token", userId=self.user, secret=self.login_token),
        ]


async def is_a_later_second(data_dir: Path) -> bool:
    """JWTs without a session tell the second in which they were made; those of the restoration's are refused."""
    connection: asyncpg.Connection[asyncpg.Record] = await superuser(data_dir)
    later = await connection.fetchval("SELECT date_trunc('s', now()) > restored_at FROM feed.instance")
    await connection.close()
    return bool(later)


def copied(source: Path | str, target: Path) -> None:
    """Copy a folder, or what is in it, with all that its files have."""
    subprocess.run(["cp", "-a", source, target], check=True)


def put_back_postgres(copy: Path, data_dir: Path) -> None:
    """As one restores PostgreSQL alone."""
    shutil.rmtree(data_dir / "postgres")
    copied(copy / "postgres", data_dir / "postgres")


def put_back_all(copy: Path, data_dir: Path) -> None:
    """As one who has a copy of the whole directory."""
    shutil.rmtree(data_dir)
    copied(copy, data_dir)


def put_back_by_renaming(copy: Path, data_dir: Path) -> None:
    data_dir.rename(data_dir.with_name("broken"))
    copy.rename(data_dir)


def put_back_in_place(copy: Path, data_dir: Path) -> None:
    """As rsync or cp do over what is there."""
    copied(f"{copy}/.", data_dir)


PutBack = Callable[[Path, Path], None]


@pytest.mark.parametrize("put_back", [put_back_postgres, put_back_all, put_back_by_renaming, put_back_in_place])
async def test_a_copy_of_the_data_that_is_put_back_brings_nothing_back(
    user: User, kept_dir: Path, put_back: PutBack
) -> None:
    copy = kept_dir.with_name("copy")
    with user.up(kept_dir) as instance:
        key = Caller.of(instance.ready())
        stolen = await Stolen.take(kept_dir, key)
    copied(kept_dir, copy)
    with user.up(kept_dir) as instance:
        key = Caller.of(instance.ready())
        assert await stolen.is_good(key, kept_dir) == [200, 200, 201]
        assert key.status("DELETE", f"/users/{stolen.user}/sessions") == 204
        for step in (("rotate",), ("retire", stolen.kid)):
            assert user.run(kept_dir, "signing-key", *step).returncode == 0
        assert await stolen.is_good(key, kept_dir) == [401, 401, 401]
    put_back(copy, kept_dir)
    with user.up(kept_dir) as instance:
        key = Caller.of(instance.ready())
        await eventually(lambda: is_a_later_second(kept_dir), True)
        listed = json.loads(user.run(kept_dir, "signing-key", "list", "--json").stdout)

        assert await stolen.is_good(key, kept_dir) == [401, 401, 401]
        assert {one["state"] for one in listed if one["kid"] == stolen.kid} == {"gone"}
        assert sorted(one["state"] for one in listed if one["state"] != "gone") == ["active", "next"]
        _, made = key.call("POST", f"/users/{stolen.user}/jwts")
        assert key.by(X_Appwrite_JWT=made["jwt"]).status("GET", "/account") == 200


async def test_a_directory_that_nobody_copied_keeps_its_sessions_however_it_ends(user: User, kept_dir: Path) -> None:
    with user.up(kept_dir) as instance:
        stolen = await Stolen.take(kept_dir, Caller.of(instance.ready()))
    moved = kept_dir.rename(kept_dir.with_name("moved"))
    for end in (signal.SIGTERM, signal.SIGKILL, signal.SIGTERM):
        with user.up(moved) as instance:
            key = Caller.of(instance.ready())
            assert key.by(X_Appwrite_Session=stolen.session).status("GET", "/account") == 200
            instance.signal(end)


async def test_what_a_start_cannot_notice_it_can_be_told(user: User, kept_dir: Path) -> None:
    with user.up(kept_dir) as instance:
        stolen = await Stolen.take(kept_dir, Caller.of(instance.ready()))
    with user.up(kept_dir, "--restored") as instance:
        key = Caller.of(instance.ready())
        await eventually(lambda: is_a_later_second(kept_dir), True)

        assert await stolen.is_good(key, kept_dir) == [401, 401, 401]
