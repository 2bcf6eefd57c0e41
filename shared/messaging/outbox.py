"""The outbox: events written in the transaction of the change that they tell of, and their receipts.

The relay (`shared.messaging.relay`) numbers and appends them after the commit. Whoever must know that an event is in
force everywhere says who asked, keeps the id of the row and waits with `shared.guard.barrier`; what the barrier found
is written into the row, which so becomes the receipt.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.contracts.events import Event, PrincipalsChanged
from shared.messaging.codec import pack
from shared.postgres.pool import Connection, Pool

_INSERT = """
    INSERT INTO feed.outbox (id, stream, entry, subjects, reason, asked_by) VALUES ($1, $2, $3, $4, $5, $6)
"""
_NUMBER = """
    SELECT number, (SELECT system_identifier FROM pg_control_system()) || '-' || epoch AS suffix
    FROM feed.outbox, feed.instance WHERE id = $1 AND number IS NOT NULL
"""
_PENDING = """
    SELECT id, number, created_at FROM feed.outbox
    WHERE asked_by IS NOT NULL AND answered_at IS NULL AND number IS NOT NULL AND created_at < now() - $1::interval
    ORDER BY found LIMIT 1000
"""
_ANSWER = """
    UPDATE feed.outbox SET answered_at = given.answered_at, acked = given.acked, fenced = given.fenced,
        milliseconds = given.milliseconds
    FROM unnest($1::uuid[], $2::timestamptz[], $3::integer[], $4::integer[], $5::real[])
        AS given (id, answered_at, acked, fenced, milliseconds)
    WHERE outbox.id = given.id AND outbox.answered_at IS NULL
"""


class Numbered(NamedTuple):
    """The number of an outbox row, and the suffix of the streams in which it has that number."""

    number: int
    suffix: str


class Pending(NamedTuple):
    """A receipt that nobody has confirmed: its row, number, and time of commit."""

    ticket: uuid.UUID
    number: int
    committed_at: datetime


class Answered(NamedTuple):
    """What the barrier found about a row, and when."""

    ticket: uuid.UUID
    at: datetime
    acked: int
    fenced: int
    milliseconds: float


def entry_bytes(event: Event) -> bytes:
    """Write an event as it stands in a stream: a map of its type, version and body."""
    return pack({"type": event.TYPE, "version": event.VERSION, "body": event})


async def publish(connection: Connection, event: Event, *, asked_by: str | None = None) -> uuid.UUID:
    """Put an event into the outbox, within the transaction that `connection` is in; return the id of its row.

    `asked_by` says who will wait until it is in force everywhere; None: nobody does, and there is no receipt.
    """
    row = uuid.uuid4()
    named, reason = (event.subjects, event.reason) if isinstance(event, PrincipalsChanged) else ((), event.TYPE)
    await connection.execute(_INSERT, row, event.STREAM, entry_bytes(event), list(named), reason, asked_by)
    return row


async def find_number(pool: Pool, ticket: uuid.UUID) -> Numbered | None:
    """Return the number of an outbox row, None while it has none."""
    row = await pool.fetchrow(_NUMBER, ticket)
    return None if row is None else Numbered(row["number"], row["suffix"])


async def list_pending(pool: Pool, *, older_than_s: float) -> list[Pending]:
    """Return the numbered receipts that are pending for at least so long, the oldest first, at most 1,000."""
    found = await pool.fetch(_PENDING, timedelta(seconds=older_than_s))
    return [Pending(row["id"], row["number"], row["created_at"]) for row in found]


async def keep_answers(pool: Pool, answers: Sequence[Answered]) -> None:
    """Write what the barrier found; a receipt that is confirmed already stays as it is."""
    columns = list(zip(*answers, strict=True))
    if columns:
        await pool.execute(_ANSWER, *(list(column) for column in columns))
