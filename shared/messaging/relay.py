"""The relay: from the outbox in PostgreSQL into the streams in Redis.

Every auth process runs one; any of them may do the work, at once or by turns. The database is the truth and Redis is
transport: rows are numbered densely after their commit, the numbers are committed, and only then is each appended
under its number, `n-0` only after `(n-1)-0`. So appending twice is harmless, no number is ever skipped, and after Redis
lost something the relay appends it again.

Where Redis is ahead of the database, or holds another row under a number, it is the database that has lost something:
it was restored from an older copy, or failed over to one. What was revoked may be alive in it. Then all sessions end,
and a new epoch begins, with streams of its own; also where an operator has recorded a restore (`is_restored`).
"""

import asyncio
import contextlib
import os
import secrets
import signal
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import Literal, TypeAlias

import asyncpg
import structlog
from redis.asyncio import Redis

from shared.contracts.events import FeedOpened
from shared.kernel.loops import running
from shared.messaging import names
from shared.messaging.identity import IdentityKeeper
from shared.messaging.outbox import publish
from shared.messaging.reading import pairs, raise_first, tail_of
from shared.messaging.wire import REDIS_ERRORS, Command, Wire, forever, heed_cancellation, open_client, pause
from shared.postgres.errors import DATABASE_ERRORS
from shared.postgres.pool import SEARCH_PATH, Connection

log = structlog.get_logger()

SWEEP_S = 0.2
RETRY_S = 0.5
APPEND_S = 5.0
HEAR_S = 0.01
"""However often others publish, they wake a relay no more often than this."""

ATTEMPTS = 3
BATCH = 500
_LIMITS = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
STREAM_LENGTH = 100_000
"""Streams are trimmed to about this many entries; a reader that is further behind drops its cache and goes on."""

KINDS = ("feed", "events")

_Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

EndSessions = Callable[[Connection], Awaitable[None]]
"""Ends all sessions of the instance, within the transaction that its connection is in."""

CrashPoint: TypeAlias = Literal["none", "before-append"]
"""Where a test has this process killed: with rows numbered, and none of them appended."""

_INSTANCE = (
    "SELECT system_identifier::text AS system, epoch, former, is_restored FROM pg_control_system(), feed.instance"
)
_NUMBER = "SELECT number, id, entry FROM feed.give_numbers($1, $2)"
_NEWEST = """
    SELECT number, id, entry FROM feed.outbox
    WHERE stream = $1 AND number = (SELECT number FROM feed.heads WHERE stream = $1)
"""
_AFTER = """
    SELECT number, id, entry FROM feed.outbox WHERE stream = $1 AND number > $2 ORDER BY number LIMIT $3
"""
_IS_NEW = """
    SELECT number = 0 AND NOT EXISTS (SELECT FROM feed.outbox WHERE stream = 'feed')
    FROM feed.heads WHERE stream = 'feed'
"""
_HEAD = "SELECT first, number FROM feed.heads WHERE stream = $1"
_NEW_EPOCH = """
    UPDATE feed.instance SET epoch = $1, former = former || $2::text[], restored_at = now(), is_restored = false
"""
_JUMP = "UPDATE feed.heads SET number = greatest(number, $1), first = greatest(number, $1) + 1"


class DatabaseRestored(Exception):
    """Redis holds what this database has never numbered, or numbered otherwise, in the streams of a suffix."""

    def __init__(self, suffix: str) -> None:
        super().__init__(f"the streams {suffix} are of a later state")
        self.suffix = suffix


class ReplacedEpoch(Exception):
    """Redis carries an epoch that this database does not know: another database has taken this one's place."""


class Relay:
    """Moves entries from the outbox to the streams for as long as `run` runs.

    `end_sessions` is called where the database turns out to have been restored. `crash` is for tests only.
    """

    def __init__(
        self, *, dsn: str, redis_url: str, end_sessions: EndSessions | None = None, crash: CrashPoint = "none"
    ) -> None:
        self._dsn = dsn
        self._redis_url = redis_url
        self._end_sessions = end_sessions
        self._crash = crash
        self._woken = asyncio.Event()
        self._checked = asyncio.Event()

    async def until_checked(self) -> None:
        """Wait until the database has been compared with Redis once: what is restored is ended by then."""
        await self._checked.wait()

    def wake(self) -> None:
        """Say that something was committed to the outbox."""
        self._woken.set()

    async def run(self) -> None:
        """Relay until cancelled; whatever is away is tried again, for ever."""
        foreseen = (*REDIS_ERRORS, *DATABASE_ERRORS)
        await forever(self._serve_unless_replaced, name="relay", retry_s=RETRY_S, foreseen=foreseen)

    async def _serve_unless_replaced(self) -> None:
        try:
            await self._serve()
        except ReplacedEpoch as error:
            log.critical("relay stopped: Redis belongs to another database", suffix=str(error))
            await pause(error, RETRY_S * 10)

    async def _serve(self) -> None:
        async with contextlib.AsyncExitStack() as stack:
            connection = await self._connect()
            stack.callback(connection.terminate)
            redis = open_client(self._redis_url, name="daypass-relay")
            stack.push_async_callback(redis.aclose)
            wires = {kind: await self._open_wire(stack) for kind in KINDS}
            hearing = forever(partial(self._hear, redis), name="relay channel", retry_s=RETRY_S)
            await stack.enter_async_context(running([hearing]))
            await self._open_feed(connection)
            while True:
                await self._serve_epoch(connection, wires, IdentityKeeper(redis))

    async def _open_wire(self, stack: contextlib.AsyncExitStack) -> Wire:
        wire = await Wire.open(self._redis_url, name="daypass-append")
        stack.push_async_callback(wire.close)
        return wire

    async def _serve_epoch(self, connection: _Connection, wires: dict[str, Wire], identity: IdentityKeeper) -> None:
        """Relay until the database turns out to have been restored, and has begun a new epoch."""
        system, epoch, former, is_restored = await connection.fetchrow(_INSTANCE)  # type: ignore[misc] # one row always
        suffix = f"{system}-{epoch}"
        appenders = {kind: Appender(wire, names.stream(kind, suffix)) for kind, wire in wires.items()}
        try:
            if is_restored:
                former = [suffix, await identity.find_suffix() or suffix]
                await self._begin_epoch(connection, wires["feed"], epoch, former=former, is_expected=True)
                return
            _check_epoch(await identity.find_suffix(), suffix, epoch, former)
            for (
                kind,
                appender,
            ) in appenders.items():  # before a row is numbered: a restored database assigns some numbers twice
                await _catch_up(connection, appender, kind)
            due = 0.0
            while True:
                heed_cancellation()
                self._woken.clear()
                is_due = time.monotonic() >= due
                if is_due:
                    _check_epoch(await identity.keep(suffix, former=former), suffix, epoch)
                    due = time.monotonic() + SWEEP_S
                    self._checked.set()
                for kind, appender in appenders.items():
                    await self._move(connection, appender, kind, looks=is_due)
                await self._until_woken()
        except DatabaseRestored as error:
            await self._begin_epoch(connection, wires["feed"], epoch, former=[suffix, error.suffix])

    async def _move(self, connection: _Connection, appender: "Appender", kind: str, *, looks: bool) -> None:
        """Number what is new and append it; where nothing is, and it is time, look for what Redis has lost."""
        rows = await connection.fetch(_NUMBER, kind, BATCH)
        if rows and self._crash == "before-append":
            os.kill(os.getpid(), signal.SIGKILL)
        if looks if not rows else await appender.append(rows) != rows[-1]["number"]:
            await _catch_up(connection, appender, kind)

    async def _connect(self) -> _Connection:
        limits = dict.fromkeys(_LIMITS, "2000")
        settings = {
            "application_name": "daypass relay",
            "search_path": SEARCH_PATH,
            "synchronous_commit": "on",
            **limits,
        }
        return await asyncpg.connect(self._dsn, server_settings=settings, command_timeout=5, timeout=5)

    async def _open_feed(self, connection: _Connection) -> None:
        async with connection.transaction():
            await connection.execute("SELECT FROM feed.instance FOR UPDATE")
            if await connection.fetchval(_IS_NEW):
                await publish(connection, FeedOpened())

    async def _begin_epoch(
        self, connection: _Connection, wire: Wire, epoch: str, *, former: list[str], is_expected: bool = False
    ) -> None:
        # Numbers go on above all that were ever published: no position of before reaches a number of after.
        last = max([await Appender(wire, names.stream(kind, one)).look() for kind in KINDS for one in former])
        async with connection.transaction():
            if await connection.fetchval("SELECT epoch FROM feed.instance FOR UPDATE") != epoch:
                return  # another relay was here
            await connection.execute("SET LOCAL statement_timeout = 0")
            await connection.execute(_NEW_EPOCH, secrets.token_hex(16), former)
            await connection.execute(_JUMP, last)
            await publish(connection, FeedOpened())
            if self._end_sessions is not None:
                await self._end_sessions(connection)
        tell = log.info if is_expected else log.critical
        tell("the database was restored from an older copy: all sessions have been ended", former=former)

    async def _hear(self, redis: Redis) -> None:
        async with redis.pubsub(ignore_subscribe_messages=True) as channel:
            await channel.subscribe(names.RELAY_CHANNEL)
            while True:
                heed_cancellation()
                if await channel.get_message(timeout=None) is not None:
                    self.wake()
                    await asyncio.sleep(HEAR_S)

    async def _until_woken(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SWEEP_S):
                await self._woken.wait()


class Appender:
    """Appends numbered rows to one stream, on a connection of its own that watches the stream.

    WATCH stands from one append to the next: what is appended is refused where anything has touched the stream since
    its end was seen. So `n` is appended only after `n - 1`, and in one round trip where no other relay appends.
    """

    def __init__(self, wire: Wire, stream: str) -> None:
        self._wire = wire
        self._stream = stream
        self._last: int | None = None

    @property
    def suffix(self) -> str:
        """The suffix of the stream."""
        return self._stream.partition(":")[2]

    async def look(self) -> int:
        """Watch the stream, and return the number of its last entry, 0 where it has none."""
        replies = await self._wire.send([("UNWATCH",), *self._watching()], timeout_s=APPEND_S)
        raise_first(replies[:-1])
        self._last = tail_of(replies[-1])
        return self._last

    async def append(self, rows: Sequence[asyncpg.Record], *, may_jump: bool = False) -> int:
        """Append those rows that follow the stream's last entry; return the number of the last entry.

        With `may_jump`, a row may follow a gap. Raises `DatabaseRestored` where another row has a number of these.
        """
        last = 0
        for _ in range(ATTEMPTS):
            last = await self.look() if self._last is None else self._last
            await self._compare([row for row in rows if row["number"] <= last])
            following = list(_following(rows, last, may_jump=may_jump))
            if not following:
                break
            if await self._add(following):
                return int(following[-1]["number"])
        return last

    async def _compare(self, rows: Sequence[asyncpg.Record]) -> None:
        if not rows:
            return
        ids = [f"{row['number']}-0" for row in rows]
        commands: list[Command] = [("XRANGE", self._stream, id_, id_) for id_ in ids]
        replies = await self._wire.send(commands, timeout_s=APPEND_S)
        raise_first(replies)
        for row, reply in zip(rows, replies, strict=True):
            if reply and pairs(reply[0][1]).get(b"id") != row["id"].bytes:
                raise DatabaseRestored(self.suffix)

    async def _add(self, rows: Sequence[asyncpg.Record]) -> bool:
        """Append rows unless the stream has been touched; either way, see its end and watch it from then on."""
        commands: list[Command] = [("MULTI",), *map(self._entry, rows), ("EXEC",), *self._watching()]
        self._last = None
        replies = await self._wire.send(commands, timeout_s=APPEND_S)
        executed, watching, info = replies[-3:]
        raise_first([executed, watching])
        raise_first(executed or [])
        self._last = tail_of(info)
        return executed is not None

    def _watching(self) -> list[Command]:
        return [("WATCH", self._stream), ("XINFO", "STREAM", self._stream)]

    def _entry(self, row: asyncpg.Record) -> Command:
        id_ = f"{row['number']}-0"
        trimmed = ("MAXLEN", "~", STREAM_LENGTH)
        return ("XADD", self._stream, *trimmed, id_, "id", row["id"].bytes, "entry", row["entry"])


def _following(rows: Sequence[asyncpg.Record], last: int, *, may_jump: bool) -> Iterator[asyncpg.Record]:
    for row in rows:
        if row["number"] == last + 1 or (may_jump and row["number"] > last):
            last = row["number"]
            yield row


async def _catch_up(connection: _Connection, appender: Appender, kind: str) -> None:
    """Append what the stream lacks of all that is numbered. Raises `DatabaseRestored`."""
    await appender.look()
    last = await appender.append(await connection.fetch(_NEWEST, kind))
    first, head = await connection.fetchrow(_HEAD, kind)  # type: ignore[misc] # one row always
    if last > head:
        raise DatabaseRestored(appender.suffix)
    while last < head:
        after = max(last, first - 1, head - STREAM_LENGTH)
        rows = await connection.fetch(_AFTER, kind, after, BATCH)
        if not rows:
            return
        # A number that is missing here is no longer kept, or need not be published: readers see the gap, and drop all.
        moved = await appender.append(rows, may_jump=True)
        if moved <= last:
            return  # somebody else appends; the next turn looks again
        last = moved


def _check_epoch(current: str, suffix: str, epoch: str, former: Sequence[str] = ()) -> None:
    if current in {"", suffix, *former}:
        return
    if current.endswith(f"-{epoch}"):
        raise DatabaseRestored(current)  # this database is a copy of the one whose streams these are
    raise ReplacedEpoch(current)
