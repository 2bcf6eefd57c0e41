"""Sending what is more than one piece of bytes: answers in parts, with their ranges, and the messages of WebSockets."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import partial
from typing import cast

import structlog
from aiohttp import WSCloseCode
from aiohttp.web import BaseRequest, StreamResponse, WebSocketResponse

from shared.contracts.principal import Principal
from shared.guard.watches import CallerEnded, Ending, Watch, Watches
from shared.kernel.errors import ErrorType, Refusal
from shared.web.call import Blob, Call, Stream
from shared.web.ranges import ByteRange, UnsatisfiableRange, find_range, is_unchanged
from shared.web.server import Connection
from shared.web.sockets import CLOSE_TIMEOUT_S, CODES, WebSocket
from shared.web.timing import WebTiming

_log = structlog.get_logger()


class Conversation:
    """A WebSocket that is about to open, and the handler that goes on with it."""

    __slots__ = ("handler", "response")

    def __init__(self, response: WebSocketResponse, handler: Callable[[WebSocket], Awaitable[object]]) -> None:
        self.response = response
        self.handler = handler


class Sender:
    """Sends answers for as long as their callers stand."""

    def __init__(self, watches: Callable[[], Watches], timing: WebTiming) -> None:
        self._timing = timing
        self._watches = watches
        self._conversations: set[Watch] = set()

    def drain(self) -> None:
        """End all WebSockets, so that their clients connect elsewhere."""
        for watch in tuple(self._conversations):
            watch.end(Ending.STOPPING)

    async def send(self, request: BaseRequest, response: StreamResponse, call: Call[object], stream: Stream) -> None:
        """Send an answer in parts; break the connection off where one cannot be made, or is not taken in time.

        Raises `CallerEnded` before the first.
        """
        if stream.length is not None:
            response.content_length = stream.length
        async with contextlib.aclosing(stream.rest) as rest:
            if request.method == "HEAD":
                return
            try:
                async with self._watching(request, call.principal) as watch:
                    await response.prepare(request)
                    await self._write(response, stream.first)
                    sent = len(stream.first)
                    async for part in rest:
                        watch.check()
                        await self._write(response, part)
                        sent += len(part)
                    _check_length(stream, sent)
                    await response.write_eof()
            except Exception as error:
                if isinstance(error, CallerEnded) and not response.prepared:
                    raise
                _log.warning("an answer was interrupted", error=type(error).__name__)
                _abort(request)
                raise ConnectionResetError("the answer is broken off") from error

    async def converse(self, request: BaseRequest, call: Call[object], conversation: Conversation) -> None:
        """Open a WebSocket, run its handler, and close it with a code that says why. Raises `CallerEnded` before."""
        response = conversation.response
        code, message = WSCloseCode.OK, ""
        try:
            async with self._watching(request, call.principal) as watch:
                self._conversations.add(watch)
                try:
                    await response.prepare(request)
                    await conversation.handler(WebSocket(response, watch, self._timing.message_s))
                finally:
                    self._conversations.discard(watch)
        except CallerEnded as error:
            if not response.prepared:
                raise
            code, message = CODES[error.ending], error.ending.value
        except ConnectionError:
            code = WSCloseCode.ABNORMAL_CLOSURE
        except Refusal as refusal:
            code, message = WSCloseCode.POLICY_VIOLATION, refusal.type.value
        except Exception as error:  # noqa: BLE001 the last resort: the log hears all of it, the caller nothing
            _log.error("a conversation failed", exc_info=error)
            code = WSCloseCode.INTERNAL_ERROR
        if code is WSCloseCode.ABNORMAL_CLOSURE:
            _abort(request)
        await _close(request, response, code, message)

    @contextlib.asynccontextmanager
    async def _watching(self, request: BaseRequest, principal: Principal) -> AsyncIterator[Watch]:
        connection = cast("Connection", request.protocol)
        async with self._watches().watching(principal) as watch:
            with connection.telling(partial(watch.end, Ending.GONE)):
                yield watch

    async def _write(self, response: StreamResponse, part: bytes) -> None:
        async with asyncio.timeout(self._timing.part_s):
            await response.write(part)


def of_blob(blob: Blob, request: BaseRequest, call: Call[object]) -> tuple[int, Stream]:
    """Return the status and the parts of what a request asks of a blob; raises `Refusal(STORAGE_INVALID_RANGE)`."""
    try:
        range_ = _range_of(request.method, request.headers, blob)
    except UnsatisfiableRange:
        call.add_header("Content-Range", f"bytes */{blob.size}")
        raise Refusal(ErrorType.STORAGE_INVALID_RANGE) from None
    call.add_header("Accept-Ranges", "bytes")
    call.add_header("ETag", blob.etag)
    if is_unchanged(request.headers, etag=blob.etag):
        return 304, Stream(b"", blob.read(0, 0), content_type=blob.content_type)
    if range_ is None:
        return 200, Stream(b"", blob.read(0, blob.size), content_type=blob.content_type, length=blob.size)
    call.add_header("Content-Range", range_.content_range)
    rest = blob.read(range_.start, range_.stop)
    return 206, Stream(b"", rest, content_type=blob.content_type, length=range_.stop - range_.start)


def _range_of(method: str, headers: Mapping[str, str], blob: Blob) -> ByteRange | None:
    # A HEAD tells of the whole: only GET knows ranges (RFC 9110, section 14.2).
    return find_range(headers, size=blob.size, etag=blob.etag) if method == "GET" else None


def _check_length(stream: Stream, sent: int) -> None:
    if stream.length not in {None, sent}:
        raise ValueError(f"{sent} bytes of {stream.length} were made")


async def _close(request: BaseRequest, response: WebSocketResponse, code: WSCloseCode, message: str) -> None:
    try:
        async with asyncio.timeout(2 * CLOSE_TIMEOUT_S):
            await response.close(code=code, message=message.encode())
    except TimeoutError:  # the client takes nothing, not even this
        _abort(request)


def _abort(request: BaseRequest) -> None:
    if request.transport is not None:
        request.transport.abort()
