"""The stored form of a piece of a file: segments of 64 KiB, each compressed and then encrypted by itself.

So any range of a piece is read without what comes before it, and never more than some segments are in memory.
Encryption is AES-256-GCM in the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár, 2015): the nonce of a segment
is its number and whether it is the last, so that none can be moved, repeated or cut off without being noticed. Every
piece has a key of its own, and no nonce occurs twice under one key.
"""

import hashlib
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

import msgspec
import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.storage.domain.buckets import Compression

SEGMENT_BYTES = 64 * 1024
TAG_BYTES = 16
HEAD_BYTES = 8 * 1024
"""How much of the beginning is kept, to tell what kind of content it is."""

_PREFIX = bytes(7)
_GZIP = 16 + zlib.MAX_WBITS
_AS_IS, _COMPRESSED = b"\0", b"\1"
"""The first byte of a segment in a compressed piece: random bytes would only grow."""


class CorruptPiece(Exception):
    """A stored segment is not what was written."""


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """How a piece is stored: its plain size in bytes, its compression, its key (None: plain).

    `lengths` are the stored bytes of each segment, four bytes each; empty where all follow from the size.
    """

    size: int
    compression: Compression
    key: bytes | None = None
    lengths: bytes = b""

    @property
    def segments(self) -> int:
        """The number of segments: an empty piece has one too."""
        return max(1, -(-self.size // SEGMENT_BYTES))


class Writer:
    """Takes plain bytes, and returns the stored ones as they are ready; counts them, and hashes the plain ones."""

    def __init__(self, *, compression: Compression, key: bytes | None) -> None:
        self.size = 0
        self.stored = 0
        self.head = b""
        self.md5 = hashlib.md5(usedforsecurity=False)
        self._compression: Compression = compression
        self._key = key
        self._cipher = None if key is None else AESGCM(key)
        self._buffer = bytearray()
        self._lengths = array("I")

    def write(self, data: bytes) -> bytes:
        """Take some bytes; return the segments that are complete. The last is known at the end only."""
        self.size += len(data)
        self.md5.update(data)
        if len(self.head) < HEAD_BYTES:
            self.head += data[: HEAD_BYTES - len(self.head)]
        self._buffer += data
        if len(self._buffer) <= SEGMENT_BYTES:
            return b""
        ready, start = [], 0
        while len(self._buffer) - start > SEGMENT_BYTES:
            ready.append(self._close(bytes(self._buffer[start : start + SEGMENT_BYTES]), is_last=False))
            start += SEGMENT_BYTES
        del self._buffer[:start]
        return b"".join(ready)

    def finish(self) -> bytes:
        """Return the last segment."""
        return self._close(bytes(self._buffer), is_last=True)

    def layout(self) -> Layout:
        """Return how the piece is stored, once it is finished."""
        lengths = b""
        if self._compression != "none":
            lengths = b"".join(length.to_bytes(4, "big") for length in self._lengths)
        return Layout(size=self.size, compression=self._compression, key=self._key, lengths=lengths)

    def _close(self, segment: bytes, *, is_last: bool) -> bytes:
        if self._compression != "none":
            segment = _compressed(segment, self._compression)
        if self._cipher is not None:
            segment = self._cipher.encrypt(_nonce(len(self._lengths), is_last=is_last), segment, None)
        self._lengths.append(len(segment))
        self.stored += len(segment)
        return segment


class Reader:
    """Turns stored segments of a piece back into plain bytes."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._cipher = None if layout.key is None else AESGCM(layout.key)
        self._ends: list[int] = []
        if layout.compression != "none":
            self._ends = list(accumulate(_numbers(layout.lengths)))
            if len(self._ends) != layout.segments:
                raise CorruptPiece("the lengths of its segments do not fit its size")

    @property
    def has_cheap_segments(self) -> bool:
        """Whether a segment costs so little to open that no thread is worth it."""
        return self._layout.compression == "none"

    def span(self, first: int, stop: int) -> tuple[int, int]:
        """Return where in the stored piece the segments from `first` up to `stop` are."""
        return self._end(first), self._end(stop)

    def open(self, stored: bytes, first: int, stop: int) -> bytes:
        """Return the plain bytes of these segments; raises `CorruptPiece`."""
        start, end = self.span(first, stop)
        if len(stored) != end - start:
            raise CorruptPiece("it is shorter than it was written")
        view, plain = memoryview(stored), []
        for number in range(first, stop):
            segment = view[self._end(number) - start : self._end(number + 1) - start]
            plain.append(self._open(segment, number))
        return b"".join(plain)

    def _open(self, segment: memoryview, number: int) -> bytes:
        layout = self._layout
        is_last = number == layout.segments - 1
        plain = bytes(segment)
        if self._cipher is not None:
            try:
                plain = self._cipher.decrypt(_nonce(number, is_last=is_last), plain, None)
            except InvalidTag as error:
                raise CorruptPiece("a segment was altered") from error
        if layout.compression != "none":
            plain = _decompressed(plain, layout.compression)
        if len(plain) != _plain_length(layout.size, number):
            raise CorruptPiece("a segment has another size than it was written with")
        return plain

    def _end(self, count: int) -> int:
        """Return how many stored bytes the first `count` segments have."""
        if self._ends:
            return self._ends[count - 1] if count else 0
        plain = min(count * SEGMENT_BYTES, self._layout.size)
        return plain + (count * TAG_BYTES if self._cipher is not None else 0)


def segments_of(start: int, stop: int) -> tuple[int, int]:
    """Return the first segment of the plain bytes from `start` up to `stop`, and the one after the last."""
    return start // SEGMENT_BYTES, -(-stop // SEGMENT_BYTES)


class Part(msgspec.Struct, frozen=True):
    """Some bytes of one piece of a file: of the piece at a place in the list, from `start` up to `stop`."""

    piece: int
    start: int
    stop: int


def parts_of(sizes: list[int], start: int, stop: int) -> Iterator[Part]:
    """Yield the parts of pieces of these sizes that make up the bytes of the file from `start` up to `stop`."""
    ends = list(accumulate(sizes))
    piece = bisect_left(ends, start + 1)
    while start < stop:
        begin = ends[piece] - sizes[piece]
        upto = min(stop, ends[piece])
        yield Part(piece, start - begin, upto - begin)
        start, piece = upto, piece + 1


def _plain_length(size: int, number: int) -> int:
    return min(SEGMENT_BYTES, size - number * SEGMENT_BYTES)


def _nonce(number: int, *, is_last: bool) -> bytes:
    return _PREFIX + number.to_bytes(4, "big") + bytes([is_last])


def _numbers(lengths: bytes) -> Iterator[int]:
    return (int.from_bytes(lengths[at : at + 4], "big") for at in range(0, len(lengths), 4))


def _compressed(segment: bytes, compression: Compression) -> bytes:
    if compression == "gzip":
        packer = zlib.compressobj(wbits=_GZIP)
        packed = packer.compress(segment) + packer.flush()
    else:
        packed = zstandard.ZstdCompressor().compress(segment)
    return _COMPRESSED + packed if len(packed) < len(segment) else _AS_IS + segment


def _decompressed(packed: bytes, compression: Compression) -> bytes:
    mark, packed = packed[:1], packed[1:]
    if mark == _AS_IS:
        return packed
    try:
        if compression == "gzip":
            return zlib.decompressobj(wbits=_GZIP).decompress(packed, SEGMENT_BYTES + 1)
        return zstandard.ZstdDecompressor().decompress(packed, max_output_size=SEGMENT_BYTES)
    except (zlib.error, zstandard.ZstdError) as error:
        raise CorruptPiece("a segment cannot be decompressed") from error
