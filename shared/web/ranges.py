"""Byte ranges (RFC 9110, section 14): which part of something a GET asks for."""

import re
from collections.abc import Mapping

import msgspec

_BYTES = re.compile(r"bytes\s*=\s*([0-9]{0,18})-([0-9]{0,18})\s*\Z", re.IGNORECASE)
"""One range, with the number of its first byte, of its last, or of both; `bytes=-5` is the last five."""


class ByteRange(msgspec.Struct, frozen=True):
    """The bytes from `start` up to `stop`, which is not in it, of `size`."""

    start: int
    stop: int
    size: int

    @property
    def content_range(self) -> str:
        """The value of `Content-Range`."""
        return f"bytes {self.start}-{self.stop - 1}/{self.size}"


class UnsatisfiableRange(Exception):
    """A range lies outside of what there is."""


def find_range(headers: Mapping[str, str], *, size: int, etag: str) -> ByteRange | None:
    """Return the range that a GET asks for; None for the whole. Raises `UnsatisfiableRange`.

    The whole is also the answer to what is no range of bytes, to several at once, and where `If-Range` names another
    state than `etag`; a weak tag, or a date, matches none.
    """
    requested = _BYTES.match(headers.get("Range", ""))
    condition = headers.get("If-Range")
    if requested is None or (condition is not None and (condition != etag or etag.startswith("W/"))):
        return None
    first, last = requested[1], requested[2]
    if not first and not last:
        return None
    if first and last and int(first) > int(last):
        return None  # not a range by its grammar
    start = int(first) if first else max(size - int(last), 0)
    stop = min(int(last) + 1, size) if first and last else size
    if start >= stop:
        raise UnsatisfiableRange
    return ByteRange(start, stop, size)


def is_unchanged(headers: Mapping[str, str], *, etag: str) -> bool:
    """Return whether the caller has what it asks for already, by `If-None-Match` (RFC 9110, section 13.1.2)."""
    tags = [tag.strip().removeprefix("W/") for tag in headers.get("If-None-Match", "").split(",")]
    return "*" in tags or etag in tags
