"""Reading what Redis replies on a `Wire`."""

from typing import Any, TypeAlias

from redis.exceptions import RedisError, ResponseError

Pairs: TypeAlias = dict[bytes, Any]
"""Any: what Redis puts in."""


LAST_ID = 2**62
"""Ids begin with milliseconds since 1970, and end at 2**64."""


class UnexpectedReply(RedisError):
    """Redis has refused, or answers otherwise than it should."""


def raise_first(replies: list[Any]) -> None:  # Any: replies of Redis
    """Raise the first error among replies."""
    for reply in replies:
        if isinstance(reply, Exception):
            raise reply


def pairs(reply: list[Any]) -> Pairs:
    """Return a reply of names and values as a dictionary."""
    return dict(zip(reply[::2], reply[1::2], strict=True))


def field_of(info: bytes, name: bytes) -> bytes:
    """Return the value behind `name` (which ends in a colon) in a reply to INFO."""
    start = info.index(name) + len(name)
    return info[start : info.index(b"\r", start)]


def is_worn_out(last_id: bytes) -> bool:
    """Say whether a stream's last id, which its writers choose, is beyond any clock: nothing may follow before long."""
    return int(last_id.split(b"-")[0]) >= LAST_ID


def tail_of(reply: Any) -> int:  # Any: a reply of Redis
    """Return the number of a stream's last entry, of its reply to XINFO STREAM; 0 for a stream that does not exist.

    Raises `UnexpectedReply`.
    """
    if isinstance(reply, ResponseError):
        if "no such key" in str(reply):
            return 0
        raise UnexpectedReply from reply
    return int(pairs(reply)[b"last-generated-id"].split(b"-")[0])
