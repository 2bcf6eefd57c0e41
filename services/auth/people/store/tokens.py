"""Login tokens: secrets that are exchanged for a session, once."""

from datetime import datetime

from services.auth.people.domain.records import NewToken
from shared.contracts.ids import ProjectId, UserId
from shared.kernel.errors import ErrorType, Refusal
from shared.postgres.pool import Connection

# The lock orders this against what ends all tokens of the user.
_INSERT = """
    INSERT INTO auth.tokens (project, id, user_id, secret_digest, expires_at, guesses_left)
    SELECT $1, $2, id, $4, $5, $6 FROM auth.users WHERE project = $1 AND id = $3 FOR SHARE
    RETURNING created_at
"""
_LOCK = "SELECT secret_digest FROM auth.tokens WHERE project = $1 AND user_id = $2 ORDER BY id FOR UPDATE"
_COUNT = "UPDATE auth.tokens SET guesses_left = guesses_left - 1 WHERE project = $1 AND user_id = $2"
_DELETE_GUESSED = "DELETE FROM auth.tokens WHERE project = $1 AND user_id = $2 AND guesses_left < 1"
_TAKE = """
    DELETE FROM auth.tokens WHERE project = $1 AND user_id = $2 AND secret_digest = $3 RETURNING expires_at > now()
"""


async def insert_token(connection: Connection, new: NewToken) -> datetime:
    """Create a token; return when. Raises `Refusal(USER_NOT_FOUND)`."""
    created_at: datetime | None = await connection.fetchval(
        _INSERT, new.project_id, new.id, new.user_id, new.secret_digest, new.expires_at, new.guesses
    )
    if created_at is None:
        raise Refusal(ErrorType.USER_NOT_FOUND)
    return created_at


async def try_token(connection: Connection, project_id: ProjectId, user_id: UserId, secret_digest: bytes) -> bool:
    """Say whether a user has such a token; if not, it was a wrong try at all that the user has.

    Within the caller's transaction, which orders tries one after another by the locks of the tokens alone: a
    caller who guesses keeps no one from ending them.
    """
    rows = await connection.fetch(_LOCK, project_id, user_id)
    if any(row["secret_digest"] == secret_digest for row in rows):
        return True
    if rows:
        await connection.execute(_COUNT, project_id, user_id)
        await connection.execute(_DELETE_GUESSED, project_id, user_id)
    return False


async def take_token(connection: Connection, project_id: ProjectId, user_id: UserId, secret_digest: bytes) -> bool:
    """Use up a token; False where there is none, or where it has expired."""
    return bool(await connection.fetchval(_TAKE, project_id, user_id, secret_digest))
