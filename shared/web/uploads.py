"""Uploads: the body of a request that its handler reads in chunks, as they come.

Nothing is read before the handler asks, so that it can refuse first; and no more is held than one chunk.
"""

import asyncio
from collections.abc import AsyncIterator, Callable

from aiohttp.web import BaseRequest

from shared.web.bodies import Budget, announced_length, bid_continue, read_some, too_large
from shared.web.timing import WebTiming

UPLOAD_BYTES = 256 * 1024
"""What an upload holds of a budget: aiohttp's buffer, and the chunk that is being handled."""

LEAST_BYTES_PER_S = 16 * 1024
"""How fast a body must come, on average and after the time that any body has."""


class Upload:
    """A body of at most `most` bytes, as chunks: `async for chunk in upload`.

    Raises `Refusal(GENERAL_PAYLOAD_TOO_LARGE)`, `Refusal(GENERAL_BAD_REQUEST)` where the body breaks off or comes too
    slowly, and `Unavailable` where the budget is spent or `check` says that the caller does not stand any more.
    """

    __slots__ = (
        "_body_s",
        "_budget",
        "_check",
        "_count",
        "_held",
        "_most",
        "_request",
        "_started",
        "content_type",
        "size",
    )

    def __init__(
        self, request: BaseRequest, budget: Budget, most: int, check: Callable[[], None], timing: WebTiming
    ) -> None:
        self._body_s = timing.body_s
        self._request = request
        self._budget = budget
        self._most = most
        self._check = check
        self._count = 0
        self._held = 0
        self._started = 0.0
        self.size = announced_length(request)
        """How many bytes will come, None where that is not announced."""
        self.content_type = request.headers.get("Content-Type", "")
        if self.size is not None and self.size > most:
            raise too_large(most)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the chunks."""
        while chunk := await self.read():
            yield chunk

    async def read(self) -> bytes:
        """Return the next chunk, nothing at the end."""
        if not self._held:
            self._budget.take(UPLOAD_BYTES)
            self._held = UPLOAD_BYTES
            self._started = asyncio.get_running_loop().time()
            await bid_continue(self._request)
        chunk = await read_some(self._request, self._started + self._body_s + self._count / LEAST_BYTES_PER_S)
        self._count += len(chunk)
        if self._count > self._most:
            raise too_large(self._most)
        self._check()
        return chunk

    def release(self) -> None:
        """Give back what the upload holds of the budget."""
        self._budget.give_back(self._held)
        self._held = 0
