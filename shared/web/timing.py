"""For how long the web application waits for those who call it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class WebTiming:
    """Times in seconds.

    `headers_s` are for the line and the headers of a request to come, from their first byte (aiohttp itself waits for
    an hour); `idle_s` for a connection without a request, longer than the gateway keeps one without use.
    `small_body_s` are for a small body to come as a whole, `body_s` for any: aiohttp waits for ever where a chunked one
    turns into garbage. `part_s` are for a client to take a part of an answer that is sent in parts, `message_s` to
    take a message of a WebSocket. `linger_s` are for the rest of an upload that has been answered already,
    before the connection is closed.
    """

    headers_s: float = 15.0
    idle_s: float = 75.0
    small_body_s: float = 15.0
    body_s: float = 120.0
    part_s: float = 20.0
    message_s: float = 20.0
    linger_s: float = 2.0


WEB_TIMING = WebTiming()
