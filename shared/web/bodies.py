"""The bodies of requests: how much of them is read, for how long, and how much all of them hold together.

Of a caller who has not been admitted to more, only a small body is read; of all callers together, so many bytes.
"""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp.web import BaseRequest, RequestPayloadError
from multidict import istr

from shared.kernel.errors import ErrorType, Refusal, Unavailable

SMALL_BODY_BYTES = 64 * 1024
"""What an endpoint takes unless it declares more, and what is taken of anybody."""

MEDIUM_BODY_BYTES = 512 * 1024
"""What endpoints declare that take preferences, definitions, or many queries, of callers who are admitted."""

LARGE_BODY_BYTES = 16 * 1024 * 1024
"""What endpoints declare that take the data of rows."""

SMALL_BODY_TIMEOUT_S = 15.0
BODY_TIMEOUT_S = 120.0
"""For a small body, and for any, to come as a whole. aiohttp waits for ever where a chunked one turns into garbage."""

MOST_GUEST_BYTES = 32 * 1024 * 1024
MOST_BYTES = 256 * 1024 * 1024
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

    __slots__ = ("_budget", "_held", "_request")

    def __init__(self, request: BaseRequest, budget: Budget) -> None:
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
        announced = self._request.headers.get(_CONTENT_LENGTH, "")
        if announced.isdecimal() and int(announced) > bound:
            bound = await _raised(int(announced), most, may_send_more)
        if self._request.headers.get(_EXPECT, "").lower() == "100-continue":
            await self._request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = bytearray()
        started = asyncio.get_running_loop().time()
        while chunk := await self._next(
            started + (SMALL_BODY_TIMEOUT_S if bound == SMALL_BODY_BYTES else BODY_TIMEOUT_S)
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

    async def _next(self, deadline: float) -> bytes:
        """Return some more of the body; nothing where there is no more."""
        content = self._request.content
        try:
            if content.is_eof():  # all of it has come, as small bodies have before anybody asks
                return content.read_nowait()
            async with asyncio.timeout_at(deadline):
                return await content.readany()
        except (RequestPayloadError, ConnectionError, TimeoutError):
            raise Refusal(ErrorType.GENERAL_BAD_REQUEST, "The body of the request cannot be read.") from None


async def _raised(count: int, most: int, may_send_more: Permit | None) -> int:
    """Return the bound of a body that is larger than a small one; raises `Refusal` where it may not be."""
    if count > most:
        raise _too_large(most)
    if may_send_more is not None and not await may_send_more():
        raise _too_large(SMALL_BODY_BYTES)
    return most


def _too_large(most: int) -> Refusal:
    return Refusal(ErrorType.GENERAL_PAYLOAD_TOO_LARGE, f"The body of this request may have at most {most} bytes.")
