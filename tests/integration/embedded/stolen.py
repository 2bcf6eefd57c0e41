"""What somebody has who read everything."""

import json
import time
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from services.token.domain.seal import Seal
from services.token.domain.signing_keys import Signer, read_private
from services.token.domain.tokens import Bearer, claims_for
from shared.kernel.settings import Secret
from tests.eventually import eventually
from tests.integration.embedded.callers import Caller
from tests.integration.embedded.daypass import superuser

_BEARER = """
    SELECT users.project AS project_id, projects.sequence AS project_incarnation,
        users.sequence AS user_incarnation, generation
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
        return Bearer(**dict(row), user_id=self.user, session_id="")

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
