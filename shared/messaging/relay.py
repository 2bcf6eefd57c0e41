"""The relay: from the outbox in PostgreSQL into the streams in Redis.

Every auth process runs one; any of them may do the work, at once or by turns. The database is the truth and Redis is
transport: rows are numbered densely after their commit, the numbers are committed, and only then is each appended
under its number, by a script that accepts `n-0` only after `(n-1)-0`. So appending twice is harmless, no number is
ever skipped, and after Redis lost something the relay appends it again.
"""

import asyncio
import secrets

import asyncpg
import structlog
from redis.asyncio import Redis

from shared.contracts.events import FeedOpened
from shared.messaging import names
from shared.messaging.outbox import publish
from shared.messaging.wire import REDIS_ERRORS, heed_cancellation, open_client, pause

log = structlog.get_logger()

SWEEP_S = 0.2
RETRY_S = 0.5
BATCH = 500
_LIMITS = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
STREAM_LENGTH = 100_000
"""Streams are trimmed to about this many entries; a reader that is further behind drops its cache and goes on."""

_SUFFIX = "SELECT system_identifier || '-' || epoch FROM pg_control_system(), feed.instance"
_NUMBER = "SELECT number, id, entry FROM feed.give_numbers($1, $2)"
_AFTER = """
    SELECT number, id, entry FROM feed.outbox WHERE stream = $1 AND number > $2 ORDER BY number LIMIT $3
"""
_IS_NEW = """
    SELECT number = 0 AND NOT EXISTS (SELECT FROM feed.outbox WHERE stream = 'feed')
    FROM feed.heads WHERE stream = 'feed'
"""
_HEAD = "SELECT number FROM feed.heads WHERE stream = $1"

# KEYS: the stream. ARGV: its length; 1 where a stream that does not exist may begin with the first entry; the number of
# the first entry; then id and bytes of each entry. Returns the number of the stream's last entry, 0 if there is none.
_APPEND = """
local last = nil
local info = redis.pcall('XINFO', 'STREAM', KEYS[1])
if not info.err then
    for i = 1, #info, 2 do
        if info[i] == 'last-generated-id' then last = tonumber(string.match(info[i + 1], '^%d+')) end
    end
end
local number = tonumber(ARGV[3])
for i = 4, #ARGV, 2 do
    if number == (last or 0) + 1 or (last == nil and ARGV[2] == '1') then
        local id = string.format('%.0f-0', number)
        redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], id, 'id', ARGV[i], 'entry', ARGV[i + 1])
        last = number
    end
    number = number + 1
end
return last or 0
"""


class Relay:
    """Moves entries from the outbox to the streams for as long as `run` runs."""

    def __init__(self, *, dsn: str, redis_url: str) -> None:
        self._dsn = dsn
        self._redis_url = redis_url
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Say that something was committed to the outbox."""
        self._woken.set()

    async def run(self) -> None:
        """Relay until cancelled; whatever is away is tried again, for ever."""
        while True:
            try:
                await self._serve()
            except (*REDIS_ERRORS, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("relay interrupted", error=repr(error))
                await pause(error, RETRY_S)

    async def _serve(self) -> None:
        connection = await self._connect()
        redis = open_client(self._redis_url, name="daypass-relay")
        hearing = asyncio.create_task(self._hear(redis))
        try:
            await self._open_feed(connection)
            suffix: str = await connection.fetchval(_SUFFIX)
            await identify(redis, suffix)
            while True:
                heed_cancellation()
                self._woken.clear()
                for kind in ("feed", "events"):
                    await _move(connection, redis, kind, names.stream(kind, suffix))
                if not await self._is_woken():
                    await identify(redis, suffix)
        finally:
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)
            await redis.aclose()
            connection.terminate()

    async def _connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        limits = dict.fromkeys(_LIMITS, "2000")
        settings = {"application_name": "daypass relay", "synchronous_commit": "on", **limits}
        return await asyncpg.connect(self._dsn, server_settings=settings, command_timeout=5, timeout=5)

    async def _open_feed(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        async with connection.transaction():
            await connection.execute("SELECT FROM feed.instance FOR UPDATE")
            if await connection.fetchval(_IS_NEW):
                await publish(connection, FeedOpened())

    async def _hear(self, redis: Redis) -> None:
        async with redis.pubsub(ignore_subscribe_messages=True) as channel:
            await channel.subscribe(names.RELAY_CHANNEL)
            while True:
                heed_cancellation()
                if await channel.get_message(timeout=None) is not None:
                    self.wake()

    async def _is_woken(self) -> bool:
        try:
            async with asyncio.timeout(SWEEP_S):
                return await self._woken.wait()
        except TimeoutError:
            return False


async def _move(connection: "asyncpg.Connection[asyncpg.Record]", redis: Redis, kind: str, stream: str) -> None:
    rows = await connection.fetch(_NUMBER, kind, BATCH)
    last = await append(redis, stream, rows)
    head: int = rows[-1]["number"] if rows else await connection.fetchval(_HEAD, kind)
    while last < head and (rows := await connection.fetch(_AFTER, kind, last, BATCH)):
        last = await append(redis, stream, rows, may_begin=last == 0)


async def append(redis: Redis, stream: str, rows: list[asyncpg.Record], *, may_begin: bool = False) -> int:
    """Append numbered rows, those that follow the stream's last entry; return the number of the last entry.

    With `may_begin`, a stream that does not exist begins with the first row: the oldest that the outbox still holds.
    """
    entries = [part for row in rows for part in (row["id"].bytes, row["entry"])]
    first = rows[0]["number"] if rows else 0
    return int(await redis.eval(_APPEND, 1, stream, STREAM_LENGTH, int(may_begin), first, *entries))


async def identify(redis: Redis, suffix: str) -> None:
    """Write this Redis's identity into each registry: a random token, kept if there, and the instance's streams.

    A registry that was lost, alone or with all of Redis, gets another token, and so every reader knows of the loss.
    """
    async with redis.pipeline(transaction=False) as pipeline:
        for service in names.SERVICES:
            pipeline.hsetnx(names.registry(service), "token", secrets.token_hex(16))
            pipeline.hset(names.registry(service), "stream", suffix)
        await pipeline.execute()
