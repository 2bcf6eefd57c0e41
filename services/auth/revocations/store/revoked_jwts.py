"""JWTs that were revoked one by one, by their `jti`, kept for as long as they would have lived."""

from datetime import datetime

from shared.postgres.pool import Connection

_INSERT = "INSERT INTO auth.revoked_jwts (jti, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING"


async def insert_revoked_jwt(connection: Connection, jti: str, expires_at: datetime) -> None:
    """Note that a JWT is revoked; once more is no fault."""
    await connection.execute(_INSERT, jti, expires_at)
