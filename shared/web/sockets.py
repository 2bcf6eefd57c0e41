"""WebSockets (RFC 6455): a call that goes on as messages in both directions, for as long as its caller stands."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
from aiohttp import WSCloseCode, WSMsgType
from aiohttp.web import BaseRequest, WebSocketResponse

from shared.guard.watches import Ending, Watch
from shared.kernel.errors import ErrorType, Refusal

CLOSE_TIMEOUT_S = 2.0
"""For a client to answer that the connection closes."""

_PROTOCOLS = "Sec-WebSocket-Protocol"

CODES = {
    Ending.REVOKED: WSCloseCode.POLICY_VIOLATION,
    Ending.EXPIRED: WSCloseCode.POLICY_VIOLATION,
    Ending.UNCHECKED: WSCloseCode.TRY_AGAIN_LATER,
    Ending.GONE: WSCloseCode.ABNORMAL_CLOSURE,
    Ending.STOPPING: WSCloseCode.GOING_AWAY,
}
"""With what a WebSocket is closed whose caller has ended."""


class Upgrade(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of an endpoint's WebSocket.

    `subprotocols`: in the order in which they are preferred; empty: none is spoken. A client that does not answer a
    ping within half of `ping_s` is closed.
    """

    subprotocols: tuple[str, ...] = ()
    max_message_bytes: int = 64 * 1024
    ping_s: float = 30.0


class WebSocket:
    """An open WebSocket. It is closed after its handler, or when its caller ends, which interrupts the handler.

    Its client has `message_s` seconds to take a message.
    """

    __slots__ = ("_message_s", "_response", "_watch")

    def __init__(self, response: WebSocketResponse, watch: Watch, message_s: float) -> None:
        self._message_s = message_s
        self._response = response
        self._watch = watch

    @property
    def subprotocol(self) -> str:
        """The subprotocol that was agreed on, empty for none."""
        return self._response.ws_protocol or ""

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        """Yield the messages, until the client closes the connection or is not there any more."""
        while (message := await self.receive()) is not None:
            yield message

    async def receive(self) -> str | bytes | None:
        """Return the next message, None where no more will come. Raises `CallerEnded`."""
        message = await self._response.receive()
        self._watch.check()
        if message.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
            data: str | bytes = message.data
            return data
        return None

    async def send(self, message: str | bytes) -> None:
        """Send a message, once the client has room for it.

        Raises `CallerEnded`; `ConnectionError` where the client is gone, or does not take it in time.
        """
        self._watch.check()
        try:
            async with asyncio.timeout(self._message_s):
                if isinstance(message, str):
                    await self._response.send_str(message)
                else:
                    await self._response.send_bytes(message)
        except TimeoutError:
            raise ConnectionAbortedError("the client does not take messages") from None


def upgraded(request: BaseRequest, rules: Upgrade) -> WebSocketResponse:
    """Return the answer that upgrades a request; raises `Refusal(GENERAL_BAD_REQUEST)` where it cannot."""
    offered = [one.strip() for one in request.headers.get(_PROTOCOLS, "").split(",") if one.strip()]
    if offered and not set(offered).intersection(rules.subprotocols):
        known = ", ".join(rules.subprotocols) or "none"
        raise Refusal(ErrorType.GENERAL_BAD_REQUEST, f"None of these subprotocols is spoken here; known: {known}.")
    response = WebSocketResponse(
        timeout=CLOSE_TIMEOUT_S,
        heartbeat=rules.ping_s,
        protocols=rules.subprotocols,
        compress=False,  # a few bytes could become many
        max_msg_size=rules.max_message_bytes,
    )
    if not response.can_prepare(request):
        raise Refusal(ErrorType.GENERAL_BAD_REQUEST, "This endpoint is a WebSocket: the request must upgrade to one.")
    return response
