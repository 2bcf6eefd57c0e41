"""Login tokens: secrets that are exchanged for a session, once."""

from datetime import datetime

from shared.kernel.errors import ErrorType, Refusal
from shared.postgres.pool import Connection

# The lock orders this against what ends all tokens of the user.
_INSERT = """
    INSERT INTO auth.tokens (project, id, user_id, secret_digest, expires_at)
    SELECT $1, $2, id, $4, $5 FROM auth.users WHERE project = $1 AND id = $3 FOR SHARE
    RETURNING created_at
"""
_TAKE = """
    DELETE FROM auth.tokens WHERE project = $1 AND user_id = $2 AND secret_digest = $3 RETURNING expires_at > now()
"""


async def insert_token(
    connection: Connection, *, project: str, id_: str, user_id: str, secret_digest: bytes, expires_at: datetime
) -> datetime:
    """Make a token of a user; return when. Raises `Refusal(USER_NOT_FOUND)`."""
    made: datetime | None = await connection.fetchval(_INSERT, project, id_, user_id, secret_digest, expires_at)
    if made is None:
        raise Refusal(ErrorType.USER_NOT_FOUND, "User with the requested ID could not be found.")
    return made


async def take_token(connection: Connection, project: str, user_id: str, secret_digest: bytes) -> bool:
    """Use up a token; False where there is none, or where it has expired."""
    return bool(await connection.fetchval(_TAKE, project, user_id, secret_digest))
