"""Deletion of expired rows."""

from datetime import timedelta

from shared.postgres.pool import Pool

_SPENT = (
    """
    DELETE FROM auth.revoked_jwts WHERE jti IN (
        SELECT jti FROM auth.revoked_jwts WHERE expires_at < now() - $1::interval LIMIT $2
    )
    """,
    """
    DELETE FROM auth.tokens WHERE (project, id) IN (
        SELECT project, id FROM auth.tokens WHERE expires_at < now() - $1::interval LIMIT $2
    )
    """,
    """
    DELETE FROM auth.sessions WHERE (project, id) IN (
        SELECT project, id FROM auth.sessions
        WHERE deleted_at < now() - $1::interval OR expires_at < now() - $1::interval LIMIT $2
    )
    """,
)


async def delete_spent(pool: Pool, *, kept: timedelta, most: int) -> int:
    """Delete JWTs, tokens and sessions that ended longer ago than `kept`, at most so many of each; return how many."""
    return sum([int((await pool.execute(statement, kept, most)).split()[-1]) for statement in _SPENT])
