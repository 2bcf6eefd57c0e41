"""The outbox: events written in the transaction of their change, and their receipts.

The relay (`shared.messaging.relay`) numbers and appends them after the commit. A caller that must know when an
event is in force everywhere names the actor, keeps the id of the row and waits with `shared.guard.barrier`; the result
of the barrier is written into the row, which so becomes the receipt.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

import asyncpg

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
_PENDING_ABOUT = """
    SELECT id FROM feed.outbox WHERE asked_by IS NOT NULL AND answered_at IS NULL AND subjects && $1
"""
# A row that another session holds is left to the next sweep: token's transactions may last.
_ANSWER = """
    UPDATE feed.outbox SET answered_at = $2, acked = $3, fenced = $4, milliseconds = $5
    WHERE id = (SELECT id FROM feed.outbox WHERE id = $1 AND answered_at IS NULL FOR NO KEY UPDATE SKIP LOCKED)
"""
_PUBLISH_SIGNING_KEYS = "SELECT feed.publish_signing_keys($1, $2)"
_FIND_NUMBER = "SELECT number, suffix FROM feed.find_number($1)"
_CONFIRM = "SELECT feed.confirm($1, $2, $3, $4, $5)"


_RECEIPT = """
    SELECT number, subjects, reason, asked_by, created_at, answered_at, acked, fenced, milliseconds FROM feed.outbox
    WHERE stream = 'feed' AND asked_by IS NOT NULL
"""
_RECEIPTS = f"""
    {_RECEIPT} AND ($1 = '' OR subjects @> ARRAY[$1]) AND (NOT $2 OR answered_at IS NULL)
    ORDER BY found DESC LIMIT $3
"""
_PRUNE = """
    DELETE FROM feed.outbox WHERE id IN (
        SELECT id FROM feed.outbox
        WHERE created_at < now() - $1::interval AND number IS NOT NULL
          AND (asked_by IS NULL OR answered_at IS NOT NULL)
        ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED
    )
"""


class AlreadyPublished(Exception):
    """The outbox has a row of the id that was chosen: what it asks for was done before."""


class Numbered(NamedTuple):
    """The number of an outbox row, and the suffix of the streams in which it has that number."""

    number: int
    suffix: str


class Pending(NamedTuple):
    """An unconfirmed receipt: its row, number, and time of commit."""

    ticket: uuid.UUID
    number: int
    committed_at: datetime


class Answered(NamedTuple):
    """The result of the barrier for a row, and its time."""

    ticket: uuid.UUID
    at: datetime
    acked: int
    fenced: int
    milliseconds: float


class StoredReceipt(NamedTuple):
    """A stored receipt: its subjects, its actor, and when it was committed and in force everywhere.

    Pending as long as `answered_at` and what follows are None; `number` is None until the relay has numbered the row.
    """

    number: int | None
    subjects: list[str]
    reason: str
    asked_by: str
    committed_at: datetime
    answered_at: datetime | None
    acked: int | None
    fenced: int | None
    milliseconds: float | None


def entry_bytes(event: Event) -> bytes:
    """Write an event as it stands in a stream: a map of its type, version and body."""
    return pack({"type": event.TYPE, "version": event.VERSION, "body": event})


async def publish(
    connection: Connection, event: Event, *, asked_by: str | None = None, ticket: uuid.UUID | None = None
) -> uuid.UUID:
    """Put an event into the outbox, within the transaction that `connection` is in; return the id of its row.

    `asked_by` is the actor, who will wait until it is in force everywhere; None: no caller waits, and there is no
    receipt. `ticket` is the id of the row, if the actor has chosen one; raises `AlreadyPublished` if it exists.
    """
    row = ticket or uuid.uuid4()
    named, reason = (event.subjects, event.reason) if isinstance(event, PrincipalsChanged) else ((), event.TYPE)
    try:
        await connection.execute(_INSERT, row, event.STREAM, entry_bytes(event), list(named), reason, asked_by)
    except asyncpg.UniqueViolationError as error:
        raise AlreadyPublished from error
    return row


async def is_published(pool: Pool, ticket: uuid.UUID) -> bool:
    """Say whether there is an outbox row of this id."""
    return bool(await pool.fetchval("SELECT true FROM feed.outbox WHERE id = $1", ticket))


async def publish_signing_keys(
    connection: Connection, event: PrincipalsChanged, *, asked_by: str | None = None, ticket: uuid.UUID | None = None
) -> uuid.UUID:
    """Put an event about signing keys into the outbox, as token may: the command line asks, and auth gives the id."""
    del asked_by, ticket
    row: uuid.UUID = await connection.fetchval(_PUBLISH_SIGNING_KEYS, list(event.subjects), event.reason)
    return row


class Publish(Protocol):
    """Puts an event of the feed into the outbox, as `publish`."""

    async def __call__(
        self, connection: Connection, event: PrincipalsChanged, *, asked_by: str | None, ticket: uuid.UUID | None
    ) -> uuid.UUID:
        """Return the id of the row."""


class Access(NamedTuple):
    """How a service reaches rows of the outbox: statements that find the number of one, and write down its answer.

    `publish` adds one; `reads_pending`: the service may see which are pending.
    """

    number: str
    answer: str
    publish: Publish
    reads_pending: bool


OWNER = Access(_NUMBER, _ANSWER, publish, reads_pending=True)
"""auth's own tables."""
CALLER = Access(_FIND_NUMBER, _CONFIRM, publish_signing_keys, reads_pending=False)
"""token's rights: functions of auth's, which publish and confirm nothing but what concerns signing keys and JWTs."""


async def find_number(pool: Pool, ticket: uuid.UUID, access: Access = OWNER) -> Numbered | None:
    """Return the number of an outbox row, None while it has none."""
    row = await pool.fetchrow(access.number, ticket)
    return None if row is None else Numbered(row["number"], row["suffix"])


async def list_pending(pool: Pool, *, older_than_s: float) -> list[Pending]:
    """Return the numbered receipts that are pending for at least so long, the oldest first, at most 1,000."""
    rows = await pool.fetch(_PENDING, timedelta(seconds=older_than_s))
    return [Pending(row["id"], row["number"], row["created_at"]) for row in rows]


async def list_pending_about(pool: Pool, subjects: Sequence[str]) -> list[uuid.UUID]:
    """Return the unconfirmed rows that name any of these subjects."""
    return [row["id"] for row in await pool.fetch(_PENDING_ABOUT, list(subjects))]


async def list_receipts(pool: Pool, *, subject: str = "", is_pending: bool = False, most: int) -> list[StoredReceipt]:
    """Return receipts, the newest first; `subject` and `is_pending` narrow the list."""
    return [StoredReceipt(*row) for row in await pool.fetch(_RECEIPTS, subject, is_pending, most)]


async def find_receipt(pool: Pool, number: int) -> StoredReceipt | None:
    """Return the receipt with a number, if there is one."""
    row = await pool.fetchrow(f"{_RECEIPT} AND number = $1", number)
    return None if row is None else StoredReceipt(*row)


async def prune(pool: Pool, *, kept: timedelta, most: int) -> int:
    """Delete rows that are older than `kept` and not pending, at most so many; return how many."""
    return int((await pool.execute(_PRUNE, kept, most)).split()[-1])


async def keep_answers(pool: Pool, answers: Sequence[Answered], access: Access = OWNER) -> None:
    """Write the results of barriers; a confirmed receipt stays as it is."""
    if answers:
        await pool.executemany(access.answer, sorted(answers))  # in one order, so that no two wait for each other
