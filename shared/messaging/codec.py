"""The codec: typed values to msgpack maps with names, and back.

Maps, not arrays, so that a message can gain a field; unknown fields are ignored, a missing one takes its default.
"""

from typing import Any, TypeVar

import msgpack
import msgspec

T = TypeVar("T")


class MalformedMessage(ValueError):
    """The bytes are not a message of the expected kind; nothing of them is repeated here."""


def pack(value: msgspec.Struct | dict[str, object]) -> bytes:
    """Write a value as msgpack."""
    packed: bytes = msgpack.packb(msgspec.to_builtins(value, builtin_types=(bytes,)))
    return packed


def unpack(data: bytes, kind: type[T]) -> T:
    """Read a value of type `kind`; raises `MalformedMessage`."""
    return convert(unpack_map(data), kind)


def unpack_map(data: bytes) -> dict[str, Any]:  # Any: whatever the sender put in
    """Read a msgpack map; raises `MalformedMessage`."""
    try:
        found = msgpack.unpackb(data)
    except Exception as error:  # msgpack raises half a dozen unrelated classes on bad bytes
        raise MalformedMessage("not msgpack") from error
    if not isinstance(found, dict):
        raise MalformedMessage("not a map")
    return found


def convert(value: object, kind: type[T]) -> T:
    """Make a value of type `kind` of plain maps and lists; raises `MalformedMessage`."""
    try:
        return msgspec.convert(value, kind)
    except (msgspec.ValidationError, RecursionError) as error:
        raise MalformedMessage(str(error)) from error
