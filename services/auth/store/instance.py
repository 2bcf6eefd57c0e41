"""What the database knows of the instance itself."""

from shared.postgres.pool import Pool

_TRUSTED = "SELECT trusted FROM feed.instance"
_TRUST = "UPDATE feed.instance SET trusted = $1"


async def find_trusted(pool: Pool) -> str | None:
    """Return the identity of the Redis in which absences were last believed."""
    found: str | None = await pool.fetchval(_TRUSTED)
    return found


async def keep_trusted(pool: Pool, identity: str) -> None:
    """Write down the identity of a Redis in which absences may be believed from now on."""
    await pool.execute(_TRUST, identity)
