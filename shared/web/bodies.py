"""The bodies of requests: how much of them is read, for how long, and how much all of them hold together.

Of a caller who has not been admitted to more, only a small body is read; of all callers together, so many bytes.
"""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp.web import BaseRequest, RequestPayloadError
from multidict import istr

from shared.kernel.errors import ErrorType, Refusal, Unavailable
from shared.web.timing import WebTiming

SMALL_BODY_BYTES = 64 * 1024
"""The largest body of an endpoint that declares no other, and of a caller who is not known yet."""

MEDIUM_BODY_BYTES = 512 * 1024
"""What endpoints declare that take preferences, definitions, or many queries, of callers who are admitted."""

LARGE_BODY_BYTES = 16 * 1024 * 1024
"""What endpoints declare that take the data of rows."""

MAX_GUEST_BODY_BYTES = 32 * 1024 * 1024
MAX_BODY_BYTES = 256 * 1024 * 1024
"""What the bodies of guests, and those of all others, hold in this process until they are answered."""

Permit = Callable[[], Awaitable[bool]]
"""Says whether a caller may send more than a small body."""

_CONTENT_LENGTH = istr("Content-Length")
_EXPECT = istr("Expect")


class Budget:
    """A number of bytes that many bodies share."""

    def __init__(self, most: int) -> None:
        self._left = most

    def take(self, count: int) -> None:
        """Take some; raises `Unavailable` where so many are not left."""
        if count > self._left:
            raise Unavailable("Too many requests are being read. Try again.", type=ErrorType.GENERAL_BUSY)
        self._left -= count

    def give_back(self, count: int) -> None:
        """Give back what was taken."""
        self._left += count


class Body:
    """The body of one request, which holds its part of a budget until it is released."""

    __slots__ = ("_budget", "_held", "_request", "_timing")

    def __init__(self, request: BaseRequest, budget: Budget, timing: WebTiming) -> None:
        self._timing = timing
        self._request = request
        self._budget = budget
        self._held = 0

    async def read(self, most: int, may_send_more: Permit | None = None) -> bytearray:
        """Return the body, of at most `most` bytes; beyond a small one, where `may_send_more` says so, or is None.

        Raises `Refusal(GENERAL_PAYLOAD_TOO_LARGE)`, `Refusal(GENERAL_BAD_REQUEST)` where the body breaks off, and
        `Unavailable` where the budget is spent. What is too much stays unread here: the server reads it off for a
        while, so that the client hears the answer.
        """
        bound = min(most, SMALL_BODY_BYTES)
        announced = announced_length(self._request)
        if announced is not None and announced > bound:
            bound = await _raised(announced, most, may_send_more)
        await bid_continue(self._request)
        body = bytearray()
        started = asyncio.get_running_loop().time()
        while chunk := await read_some(
            self._request, started + (self._timing.small_body_s if bound == SMALL_BODY_BYTES else self._timing.body_s)
        ):
            if len(body) + len(chunk) > bound:
                bound = await _raised(len(body) + len(chunk), most, may_send_more)
            self._budget.take(len(chunk))
            self._held += len(chunk)
            body += chunk
        return body

    def release(self) -> None:
        """Give back what the body holds of the budget."""
        self._budget.give_back(self._held)
        self._held = 0


def announced_length(request: BaseRequest) -> int | None:
    """Return how long a body is by its header; None where that does not say."""
    announced = request.headers.get(_CONTENT_LENGTH, "")
    return int(announced) if announced.isdecimal() else None


async def bid_continue(request: BaseRequest) -> None:
    """Ask a client for the body that it holds back (`Expect: 100-continue`)."""
    if request.headers.get(_EXPECT, "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")


async def read_some(request: BaseRequest, deadline: float) -> bytes:
    """Return some more of a body; nothing where there is no more. Raises `Refusal(GENERAL_BAD_REQUEST)`."""
    content = request.content
    try:
        if content.is_eof():  # a small body has come with the headers
            return content.read_nowait()
        async with asyncio.timeout_at(deadline):
            return await content.readany()
    except (RequestPayloadError, ConnectionError, TimeoutError):
        raise Refusal(ErrorType.GENERAL_BAD_REQUEST, "The body of the request cannot be read.") from None


def too_large(most: int) -> Refusal:
    """Return what refuses a body of more than `most` bytes."""
    return Refusal(ErrorType.GENERAL_PAYLOAD_TOO_LARGE, f"The body of this request may have at most {most} bytes.")


async def _raised(count: int, most: int, may_send_more: Permit | None) -> int:
    """Return the bound of a body that is larger than a small one; raises `Refusal` where it may not be."""
    if count > most:
        raise too_large(most)
    if may_send_more is not None and not await may_send_more():
        raise too_large(SMALL_BODY_BYTES)
    return most
