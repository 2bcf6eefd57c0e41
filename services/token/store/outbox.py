"""The numbers of what token has put into the outbox; putting it there is `shared.messaging.outbox`."""

import uuid

from shared.postgres.pool import Pool

_FIND = "SELECT number FROM feed.outbox WHERE id = $1"


async def find_number(pool: Pool, ticket: uuid.UUID) -> int | None:
    """Return the feed number of an outbox row, None while it has none."""
    number: int | None = await pool.fetchval(_FIND, ticket)
    return number
