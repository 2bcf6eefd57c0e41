"""Login tokens that a key makes for a user, to be exchanged for a session."""

import secrets
from datetime import datetime, timedelta
from typing import NamedTuple

from services.auth.deps import AuthDeps
from services.auth.people.domain.records import NewToken
from services.auth.people.store import tokens as store
from services.auth.projects.store.projects import hold_project
from shared.contracts.credentials import digest
from shared.contracts.ids import TokenId, UserId
from shared.contracts.principal import Project
from shared.kernel.clock import now
from shared.kernel.ids import unique_id

SAFE_LENGTH = 16
"""With so many hex digits, 64 bits, a token cannot be guessed in its life, at whatever rate."""
SHORT_S = 3_600
GUESSES = 10


class IssuedToken(NamedTuple):
    """A token that has been created, and the only copy of its secret."""

    id: TokenId
    secret: str
    created_at: datetime
    expires_at: datetime


async def create_token(deps: AuthDeps, project: Project, *, user_id: UserId, length: int, expire_s: int) -> IssuedToken:
    """Make a token of `length` hex digits that is good for `expire_s` seconds.

    One that is short enough to be guessed lives for `SHORT_S` at most, and dies after `GUESSES` wrong tries.
    Raises `Refusal(USER_NOT_FOUND)`, `Refusal(PROJECT_NOT_FOUND)`.
    """
    secret = secrets.token_hex((length + 1) // 2)[:length]
    is_short = length < SAFE_LENGTH
    new = NewToken(
        project_id=project.id,
        id=TokenId(unique_id()),
        user_id=user_id,
        secret_digest=digest(secret),
        expires_at=now() + timedelta(seconds=min(expire_s, SHORT_S) if is_short else expire_s),
        guesses=GUESSES if is_short else None,
    )
    async with deps.pool.acquire() as connection, connection.transaction():
        await hold_project(connection, project.id, project.incarnation)
        created_at = await store.insert_token(connection, new)
    return IssuedToken(new.id, secret, created_at, new.expires_at)
