"""The codec: typed values to msgpack maps with names, and back.

Maps, not arrays, so that a message can gain a field; unknown fields are ignored, a missing one takes its default. What
a message holds is built only where its type asks for it: the rest is skipped, and costs no memory. Bodies stay bytes
(`msgspec.Raw`) until somebody knows their type.
"""

from typing import TypeVar

import msgspec

T = TypeVar("T")

MOST_BYTES = 8 * 1024**2
"""The size of a message; `deploy/redis/redis.conf` keeps Redis from holding a longer value."""

NOTHING = msgspec.Raw(b"\xc0")
"""The body of a message that has none."""


class MalformedMessage(ValueError):
    """The bytes are not a message of the expected kind; nothing of them is repeated here."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """An event as it stands in a stream."""

    type: str
    version: int = 0
    body: msgspec.Raw = NOTHING


def pack(value: msgspec.Struct | dict[str, object]) -> bytes:
    """Write a value as msgpack."""
    return msgspec.msgpack.encode(value)


def unpack(data: bytes | msgspec.Raw, kind: type[T], *, most: int = MOST_BYTES) -> T:
    """Read a value of type `kind` from at most `most` bytes; raises `MalformedMessage`."""
    if memoryview(data).nbytes > most:
        raise MalformedMessage("too long")
    try:
        return msgspec.msgpack.decode(data, type=kind)
    except (msgspec.MsgspecError, ValueError, RecursionError, MemoryError) as error:
        raise MalformedMessage(f"not a {kind.__name__}") from error
