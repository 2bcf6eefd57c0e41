"""What the database knows of the instance itself."""

from shared.postgres.pool import Pool

_TRUSTED = "SELECT trusted FROM feed.instance"
_TRUST = "UPDATE feed.instance SET trusted = $1 RETURNING trusted"
_TRUST_FIRST = "UPDATE feed.instance SET trusted = coalesce(trusted, $1) RETURNING trusted"


async def find_trusted(pool: Pool) -> str | None:
    """Return the identity of the Redis in which absences were last believed."""
    identity: str | None = await pool.fetchval(_TRUSTED)
    return identity


async def keep_trusted(pool: Pool, identity: str) -> str:
    """Write down the identity of a Redis in which absences may be believed from now on; return it."""
    kept: str = await pool.fetchval(_TRUST, identity)
    return kept


async def keep_first_trusted(pool: Pool, identity: str) -> str:
    """Write down the first of all, unless there is one; return the one that stands."""
    kept: str = await pool.fetchval(_TRUST_FIRST, identity)
    return kept
