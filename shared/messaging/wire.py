"""Connections to Redis.

`Wire` is one connection that sends commands unchanged, in order, and never repeats one: what registrations and
leases rest on. Everything else uses the client of `open_client`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn, Self, TypeVar

import structlog
from redis.asyncio import Redis
from redis.asyncio.connection import BlockingConnectionPool, Connection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

log = structlog.get_logger()

T = TypeVar("T")

Command = tuple[str | bytes | int, ...]

CONNECT_TIMEOUT_S = 2.0
POOL_TIMEOUT_S = 2.0

UNFORESEEN_S = 1.0
"""The shortest pause of a loop after an unforeseen error."""

REDIS_ERRORS = (RedisError, OSError, TimeoutError)
"""What a command may raise where Redis is away, slow or refuses."""


def heed_cancellation(cause: BaseException | None = None) -> None:
    """End where this task has been cancelled; every loop over commands says this once a turn.

    The client library now and then turns a cancellation into an error of its own, or into an empty reply: a loop that
    relied on the exception would go on for ever.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError from cause


async def pause(error: BaseException, seconds: float) -> None:
    """Wait before trying again after an error; but end where this task has been cancelled."""
    heed_cancellation(error)
    await asyncio.sleep(seconds)


async def forever(
    step: Callable[[], Awaitable[None]],
    *,
    name: str,
    retry_s: float,
    foreseen: tuple[type[BaseException], ...] = REDIS_ERRORS,
    **where: object,
) -> NoReturn:
    """Take a step again and again until cancelled; whatever it raises is logged, and the loop goes on after a pause.

    What others write must not end a loop: where one ended, its process would. `foreseen` needs no traceback in the log.
    """
    while True:
        heed_cancellation()
        try:
            await step()
        except foreseen as error:
            log.warning(f"{name} interrupted", error=repr(error), **where)
            await pause(error, retry_s)
        except Exception as error:
            log.exception(f"{name} failed", **where)
            await pause(error, max(retry_s, UNFORESEEN_S))


async def persist(
    call: Callable[[], Awaitable[T]], *, retry_s: float, foreseen: tuple[type[BaseException], ...] = REDIS_ERRORS
) -> T:
    """Call again and again, after a pause, until no error that was foreseen is raised; return what the call returns."""
    while True:
        heed_cancellation()
        try:
            return await call()
        except foreseen as error:
            await pause(error, retry_s)


def _never_again() -> Retry:
    return Retry(NoBackoff(), 0)


def open_client(url: str, *, name: str, most: int = 64) -> Redis:
    """Make a client that Redis lists under `name` (no blanks); commands are not repeated.

    It has at most `most` connections, and waits for one of them for `POOL_TIMEOUT_S` where all are in use.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        client_name=name,
        max_connections=most,
        timeout=POOL_TIMEOUT_S,
        retry=_never_again(),
        protocol=2,
        driver_info=None,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
    )
    return Redis.from_pool(pool)


class Wire:
    """One connection to Redis, without retries, time-outs of its own, or interpretation of replies."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @classmethod
    async def open(cls, url: str, *, name: str) -> Self:
        """Connect; raises one of `REDIS_ERRORS`."""
        settings: dict[str, Any] = dict(parse_url(url))  # Any: the client's own keyword arguments
        kind = settings.pop("connection_class", Connection)
        connection = kind(
            **settings,
            client_name=name,
            retry=_never_again(),
            protocol=2,
            driver_info=None,
            socket_timeout=None,
            socket_connect_timeout=CONNECT_TIMEOUT_S,
        )
        wire = cls(connection)
        try:
            await connection.connect()
        except BaseException:
            await wire.close()
            raise
        return wire

    async def send(self, commands: list[Command], *, timeout_s: float) -> list[Any]:
        """Send all commands at once and return their replies; an error reply stands in the list as an exception.

        Raises one of `REDIS_ERRORS` where the connection fails or a reply takes longer; the wire is then of no use.
        """
        async with asyncio.timeout(timeout_s):
            await self._connection.send_packed_command(self._connection.pack_commands(commands), check_health=False)
            return [await self.receive() for _ in commands]

    async def receive(self) -> Any:  # Any: whatever Redis answers
        """Return the next reply, or what a subscription brings; an error reply is returned, not raised."""
        try:
            return await self._connection.read_response(disable_decoding=True, disconnect_on_error=False)
        except ResponseError as error:
            return error

    async def close(self) -> None:
        """Close the connection, whatever its state."""
        await self._connection.disconnect(nowait=True)
