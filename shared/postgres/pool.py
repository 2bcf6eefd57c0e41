"""Connection pools."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import asyncpg
import structlog
from asyncpg.connection import _StatementCache  # type: ignore[attr-defined] # asyncpg bounds statements in number only
from asyncpg.pool import PoolConnectionProxy

log = structlog.get_logger()

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"

STATEMENT_TIMEOUT_MS = 15_000
"""No statement of a request runs longer; PostgreSQL ends it, and the caller gets 408 `database_timeout`."""

PATIENCE_S = 60.0
"""For how long a starting process tries again while PostgreSQL starts too, or has no connection left."""
AGAIN_S = 0.5
KEEPALIVE_S = 60
"""How long a connection is silent before PostgreSQL asks for a sign of life: networks forget silent ones."""

_Opened = TypeVar("_Opened")

if TYPE_CHECKING:
    _Plain = asyncpg.Connection[asyncpg.Record]
else:  # asyncpg is generic for type checkers only
    _Plain = asyncpg.Connection


STATEMENTS = 1_000
LONGEST_STATEMENT = 64 * 1024
STATEMENT_BYTES = 512 * 1024
"""What each connection keeps prepared, in statements and in bytes of their text; a longer one is prepared for one use.

PostgreSQL holds some 20 bytes for each byte of text, so that callers who ask ever new questions fill no more than about
10 MiB of each connection's memory.
"""

SEARCH_PATH = "pg_catalog, pg_temp"
"""Of every connection: what PostgreSQL itself provides, and nothing that a role could write. All else is qualified."""

RANDOM_PAGE_COST = "1.1"
"""What is read lies in memory or on a disk that does not turn; PostgreSQL's own 4 makes it shun indexes."""


class _Statements(_StatementCache):  # type: ignore[misc] # as above
    """What a connection keeps prepared, bounded in bytes of text too: beyond, what was used longest ago goes."""

    __slots__ = ()

    @classmethod
    def of(cls, other: _StatementCache) -> "_Statements":
        """Return what takes the place of a connection's own."""
        parts = {name: getattr(other, f"_{name}") for name in ("loop", "max_size", "on_remove", "max_lifetime")}
        return cls(**parts)

    def put(self, query: Any, statement: Any) -> None:  # Any: as asyncpg has it
        """Keep a statement."""
        super().put(query, statement)
        most = self.get_max_size()
        while len(self) > 1 and sum(len(text) for text, *_ in self._entries) > STATEMENT_BYTES:
            self.set_max_size(len(self) - 1)
        self.set_max_size(most)


class _Pooled(_Plain):
    """A connection that is not reset on its way back to the pool: half the cost of a short query.

    Nothing may be left on a connection, then: no session setting, no temporary table, no lock.
    """

    def __init__(self, *parts: Any, **named: Any) -> None:  # Any: as asyncpg has it
        super().__init__(*parts, **named)
        self._stmt_cache: _StatementCache = _Statements.of(self._stmt_cache)

    def get_reset_query(self) -> str:
        return ""


async def connect(dsn: str, *, patience_s: float = PATIENCE_S, **settings: str) -> "asyncpg.Connection[asyncpg.Record]":
    """Open a connection of its own, outside any pool, with settings of the server for it; waits up to `patience_s`."""
    server_settings = {"search_path": SEARCH_PATH, **settings}
    return await _patiently(lambda: asyncpg.connect(dsn, server_settings=server_settings), patience_s)


async def open_pool(dsn: str, *, name: str, least: int = 1, most: int = 16) -> Pool:
    """Open a pool of at most `most` connections, which PostgreSQL lists under `name`; waits up to `PATIENCE_S`.

    It opens `least` at once. What it has opened it keeps: others may have taken all that are left.
    """
    return await _patiently(
        lambda: asyncpg.create_pool(
            dsn,
            min_size=least,
            max_size=most,
            max_inactive_connection_lifetime=0,
            connection_class=_Pooled,
            statement_cache_size=STATEMENTS,
            max_cacheable_statement_size=LONGEST_STATEMENT,
            command_timeout=STATEMENT_TIMEOUT_MS / 1000 + 5,
            server_settings={
                "application_name": name,
                "search_path": SEARCH_PATH,
                "statement_timeout": str(STATEMENT_TIMEOUT_MS),
                "idle_in_transaction_session_timeout": str(STATEMENT_TIMEOUT_MS),
                "tcp_keepalives_idle": str(KEEPALIVE_S),
                "timezone": "UTC",
                "random_page_cost": RANDOM_PAGE_COST,
            },
        ),
        PATIENCE_S,
    )


async def _patiently(opening: Callable[[], Awaitable[_Opened]], patience_s: float) -> _Opened:
    """Try again for so long where PostgreSQL starts, stops, or has no connection left."""
    loop = asyncio.get_running_loop()
    end = loop.time() + patience_s
    while True:
        try:
            return await opening()
        except (asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError) as error:
            if loop.time() >= end:
                raise
            log.warning("PostgreSQL takes no connection yet", error=str(error))
        await asyncio.sleep(AGAIN_S)


CLOSE_S = 10.0
"""For the connections of a pool that is closed to come back; then they are ended as they are."""


async def close_pool(pool: Pool) -> None:
    """Close a pool; no connection that somebody still holds keeps a process from ending."""
    try:
        async with asyncio.timeout(CLOSE_S):
            await pool.close()
    except TimeoutError:
        pool.terminate()
