"""The relay: from the outbox in PostgreSQL into the streams in Redis.

Every auth process runs one; any of them may do the work, at once or by turns. The database is the truth and Redis is
transport: rows are numbered densely after their commit, the numbers are committed, and only then is each appended
under its number, by a script that accepts `n-0` only after `(n-1)-0`. So appending twice is harmless, no number is
ever skipped, and after Redis lost something the relay appends it again.

Where Redis is ahead of the database, or holds another row under a number, it is the database that has lost something:
it was restored from an older copy, or failed over to one. What was revoked may be alive in it. Then all sessions end,
and a new epoch begins, with streams of its own.
"""

import asyncio
import contextlib
import os
import secrets
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, TypeAlias

import asyncpg
import structlog
from redis.asyncio import Redis

from shared.contracts.events import FeedOpened
from shared.messaging import names
from shared.messaging.outbox import publish
from shared.messaging.wire import REDIS_ERRORS, Wire, heed_cancellation, open_client, pause
from shared.postgres.pool import AWAY, SEARCH_PATH, Connection

log = structlog.get_logger()

SWEEP_S = 0.2
RETRY_S = 0.5
APPEND_S = 5.0
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

_INSTANCE = "SELECT system_identifier::text AS system, epoch, former FROM pg_control_system(), feed.instance"
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
    UPDATE feed.instance SET epoch = $1, former = former || $2::text[], restored_at = now()
"""
_JUMP = "UPDATE feed.heads SET number = greatest(number, $1), first = greatest(number, $1) + 1"

# KEYS: the stream. ARGV: its length; 1 where entries may follow a gap; then number, id and bytes of each entry. Returns
# the number of the stream's last entry, 0 if there is none; -1 where it holds another row under the number of one of
# these.
_APPEND = """
local last = 0
local info = redis.pcall('XINFO', 'STREAM', KEYS[1])
if not info.err then
    for i = 1, #info, 2 do
        if info[i] == 'last-generated-id' then last = tonumber(string.match(info[i + 1], '^%d+')) end
    end
end
for i = 3, #ARGV, 3 do
    local number = tonumber(ARGV[i])
    local id = string.format('%.0f-0', number)
    if number <= last then
        local there = redis.call('XRANGE', KEYS[1], id, id)
        if there[1] and there[1][2][2] ~= ARGV[i + 1] then return -1 end
    elseif number == last + 1 or ARGV[2] == '1' then
        redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], id, 'id', ARGV[i + 1], 'entry', ARGV[i + 2])
        last = number
    end
end
return last
"""

# KEYS: a registry. ARGV: a token for a registry without one; the suffix of this instance's streams; those it had
# before. Returns the suffix that stands in the registry in the end: another only where nobody here knows it.
_IDENTIFY = """
redis.call('HSETNX', KEYS[1], 'token', ARGV[1])
local there = redis.call('HGET', KEYS[1], 'stream')
if there == ARGV[2] then return there end
local is_known = not there
for i = 3, #ARGV do is_known = is_known or ARGV[i] == there end
if not is_known then return there end
redis.call('HSET', KEYS[1], 'stream', ARGV[2])
return ARGV[2]
"""


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

    def wake(self) -> None:
        """Say that something was committed to the outbox."""
        self._woken.set()

    async def run(self) -> None:
        """Relay until cancelled; whatever is away is tried again, for ever."""
        while True:
            try:
                await self._serve()
            except ReplacedEpoch as error:
                log.critical("relay stopped: Redis belongs to another database by now", found=str(error))
                await pause(error, RETRY_S * 10)
            except (*REDIS_ERRORS, *AWAY, asyncpg.PostgresError) as error:
                log.warning("relay interrupted", error=repr(error))
                await pause(error, RETRY_S)

    async def _serve(self) -> None:
        connection = await self._connect()
        redis = open_client(self._redis_url, name="daypass-relay")
        hearing = asyncio.create_task(self._hear(redis))
        wire: Wire | None = None
        try:
            wire = await Wire.open(self._redis_url, name="daypass-append")
            await self._open_feed(connection)
            while True:
                await self._serve_epoch(connection, wire, redis)
        finally:
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)
            await redis.aclose()
            if wire is not None:
                await wire.close()
            connection.terminate()

    async def _serve_epoch(self, connection: _Connection, wire: Wire, redis: Redis) -> None:
        """Relay until the database turns out to have been restored, and has begun a new epoch."""
        system, epoch, former = await connection.fetchrow(_INSTANCE)  # type: ignore[misc] # one row always
        suffix = f"{system}-{epoch}"
        try:
            for kind in KINDS:  # before anything is numbered: a restored database gives numbers a second time
                await _catch_up(connection, wire, kind, names.stream(kind, suffix))
            due = 0.0
            while True:
                heed_cancellation()
                self._woken.clear()
                for kind in KINDS:
                    await self._move(connection, wire, kind, names.stream(kind, suffix))
                if time.monotonic() >= due:
                    _check_epoch(await identify(redis, suffix, former=former), suffix, epoch)
                    due = time.monotonic() + SWEEP_S
                await self._until_woken()
        except DatabaseRestored as error:
            await self._begin_epoch(connection, wire, epoch, former=[suffix, error.suffix])

    async def _move(self, connection: _Connection, wire: Wire, kind: str, stream: str) -> None:
        rows = await connection.fetch(_NUMBER, kind, BATCH)
        if rows and self._crash == "before-append":
            os.kill(os.getpid(), signal.SIGKILL)
        if not rows or await append(wire, stream, rows) != rows[-1]["number"]:
            await _catch_up(connection, wire, kind, stream)

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

    async def _begin_epoch(self, connection: _Connection, wire: Wire, epoch: str, *, former: list[str]) -> None:
        # Numbers go on above all that was ever told: no position of before reaches a number of after.
        last = max([await append(wire, names.stream(kind, suffix), []) for kind in KINDS for suffix in former])
        async with connection.transaction():
            if await connection.fetchval("SELECT epoch FROM feed.instance FOR UPDATE") != epoch:
                return  # another relay was here
            await connection.execute("SET LOCAL statement_timeout = 0")
            await connection.execute(_NEW_EPOCH, secrets.token_hex(16), former)
            await connection.execute(_JUMP, last)
            await publish(connection, FeedOpened())
            if self._end_sessions is not None:
                await self._end_sessions(connection)
        log.critical("the database was restored from an older copy: all sessions have been ended", former=former)

    async def _hear(self, redis: Redis) -> None:
        async with redis.pubsub(ignore_subscribe_messages=True) as channel:
            await channel.subscribe(names.RELAY_CHANNEL)
            while True:
                heed_cancellation()
                if await channel.get_message(timeout=None) is not None:
                    self.wake()

    async def _until_woken(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SWEEP_S):
                await self._woken.wait()


async def _catch_up(connection: _Connection, wire: Wire, kind: str, stream: str) -> None:
    """Append what the stream lacks of all that is numbered. Raises `DatabaseRestored`."""
    last = await append(wire, stream, await connection.fetch(_NEWEST, kind))
    first, head = await connection.fetchrow(_HEAD, kind)  # type: ignore[misc] # one row always
    if last > head:
        raise DatabaseRestored(stream.removeprefix(f"{kind}:"))
    while last < head:
        after = max(last, first - 1, head - STREAM_LENGTH)
        rows = await connection.fetch(_AFTER, kind, after, BATCH)
        if not rows:
            return
        # A number that is missing here is no longer kept, or need not be told: readers see the gap, and drop all.
        last = await append(wire, stream, rows, may_jump=True)


async def append(wire: Wire, stream: str, rows: Sequence[asyncpg.Record], *, may_jump: bool = False) -> int:
    """Append numbered rows, those that follow the stream's last entry; return the number of the last entry.

    With `may_jump`, a row may follow a gap. Raises `DatabaseRestored` where another row has a number of these.
    """
    entries = [part for row in rows for part in (row["number"], row["id"].bytes, row["entry"])]
    command = ("EVAL", _APPEND, 1, stream, STREAM_LENGTH, int(may_jump), *entries)
    [last] = await wire.send([command], timeout_s=APPEND_S)
    if isinstance(last, Exception):
        raise last
    if last < 0:
        raise DatabaseRestored(stream.partition(":")[2])
    return int(last)


async def identify(redis: Redis, suffix: str, *, former: Sequence[str] = ()) -> str:
    """Write this Redis's identity into each registry: a random token, kept if there, and the instance's streams.

    A registry that was lost, alone or with all of Redis, gets another token, and so every reader knows of the loss.
    Returns `suffix`, or one that stands in its place and is none of the `former` ones.
    """
    async with redis.pipeline(transaction=False) as pipeline:
        for service in names.SERVICES:
            pipeline.eval(_IDENTIFY, 1, names.registry(service), secrets.token_hex(16), suffix, *former)
        found = [one.decode() for one in await pipeline.execute()]
    return next((one for one in found if one != suffix), suffix)


def _check_epoch(found: str, suffix: str, epoch: str) -> None:
    if found == suffix:
        return
    if found.endswith(f"-{epoch}"):
        raise DatabaseRestored(found)  # this database is a copy of the one whose streams these are
    raise ReplacedEpoch(found)
