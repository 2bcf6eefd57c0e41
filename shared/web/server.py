"""The HTTP server: aiohttp's low-level one, with our limits, and with Appwrite's errors for what is not HTTP."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterator

import structlog
from aiohttp.web import BaseRequest, RequestHandler, Response, Server, StreamResponse

from shared.appwrite.cors import ALLOW_ORIGIN
from shared.kernel.errors import ErrorType, Refusal
from shared.web.call import JSON
from shared.web.errors import error_body, error_headers
from shared.web.request_id import HEADER as REQUEST_ID
from shared.web.request_id import request_id
from shared.web.timing import WEB_TIMING, WebTiming

MAX_HEADER_BYTES = 64 * 1024
"""Of the request line, and of each header: query arrays and cookies outgrow aiohttp's 8 KiB."""

_log = structlog.get_logger()


class HttpServer(Server):
    """Hands each request to a handler, and listens on one or more sockets."""

    def __init__(
        self, handler: Callable[[BaseRequest], Awaitable[StreamResponse]], *, timing: WebTiming = WEB_TIMING
    ) -> None:
        super().__init__(
            handler,
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=timing.idle_s,
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
        )
        self._timing = timing
        self._listeners: list[asyncio.Server] = []

    def __call__(self) -> RequestHandler:
        """Return the protocol of a new connection."""
        connection = Connection(self, loop=self._loop, **self._kwargs)
        connection.timing = self._timing
        return connection

    async def listen(self, where: socket.socket | tuple[str, int]) -> int:
        """Listen on a socket, or on a host and port (0: any free one); return the port."""
        if isinstance(where, socket.socket):
            listener = await self._loop.create_server(self, sock=where)
        else:
            listener = await self._loop.create_server(self, host=where[0], port=where[1])
        self._listeners.append(listener)
        name = listener.sockets[0].getsockname()
        return name[1] if isinstance(name, tuple) else 0

    async def close(self, grace_s: float) -> None:
        """Accept nothing more, let requests in flight end for at most `grace_s` seconds, close all connections."""
        for listener in self._listeners:
            listener.close()
        self.pre_shutdown()
        await self.shutdown(grace_s)
        for listener in self._listeners:
            await listener.wait_closed()


class Connection(RequestHandler):
    """A connection, whose requests come one after the other."""

    __slots__ = ("_headers_timer", "_on_lost", "timing")

    timing: WebTiming
    _headers_timer: asyncio.TimerHandle | None
    _on_lost: Callable[[], None] | None

    @contextlib.contextmanager
    def telling(self, callback: Callable[[], None]) -> Iterator[None]:
        """Call `callback` if the connection is lost inside."""
        self._on_lost = callback
        try:
            yield
        finally:
            self._on_lost = None

    def linger_briefly(self) -> None:
        """Read on for a moment only after an answer that came before the end of the body, so that it is heard."""
        self._lingering_time = self.timing.linger_s

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to serve a connection."""
        self._headers_timer = None
        self._on_lost = None
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget a connection."""
        self._stop_headers_timer()
        if self._on_lost is not None:
            self._on_lost()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes of a request; the first of one whose headers are not all there start the timer."""
        super().data_received(data)
        if self._waiter is None or self._waiter.done():
            if self._headers_timer is not None:
                self._stop_headers_timer()
        elif self._headers_timer is None:
            self._headers_timer = self._loop.call_later(self.timing.headers_s, self.force_close)

    def _stop_headers_timer(self) -> None:
        if self._headers_timer is not None:
            self._headers_timer.cancel()
            self._headers_timer = None

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 quotes raw bytes of the request
    ) -> StreamResponse:
        """Answer what is not HTTP. Of `exc` only the type is logged: its message quotes raw bytes too."""
        if request.writer.output_size > 0:
            raise ConnectionError("an answer has begun already")
        _log.info("a request was not HTTP", error=type(exc).__name__, status=status)
        refusal = Refusal(ErrorType.GENERAL_BAD_REQUEST, "The request is not valid HTTP, or its headers are too large.")
        code, body = error_body(refusal)
        # Which page has called is not known. Browsers let any read this that has sent no credentials.
        headers = (
            *error_headers(refusal),
            (REQUEST_ID, request_id({})),
            ("Content-Type", JSON),
            ("Server", "Daypass"),
            (ALLOW_ORIGIN, "*"),
        )
        response = Response(status=code, body=body, headers=headers)
        response.force_close()
        return response
