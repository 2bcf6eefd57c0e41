"""The outbox: events written in the transaction of the change that they tell of.

The relay (`shared.messaging.relay`) numbers and appends them after the commit. Whoever must know that an event is in
force everywhere keeps its id and waits with `shared.guard.barrier`.
"""

import uuid

from shared.contracts.events import Event
from shared.messaging.codec import pack
from shared.postgres.pool import Connection

_INSERT = "INSERT INTO feed.outbox (id, stream, entry) VALUES ($1, $2, $3)"


def entry_bytes(event: Event) -> bytes:
    """Write an event as it stands in a stream: a map of its type, version and body."""
    return pack({"type": event.TYPE, "version": event.VERSION, "body": event})


async def publish(connection: Connection, event: Event) -> uuid.UUID:
    """Put an event into the outbox, within the transaction that `connection` is in; return the id of its row."""
    row = uuid.uuid4()
    await connection.execute(_INSERT, row, event.STREAM, entry_bytes(event))
    return row
