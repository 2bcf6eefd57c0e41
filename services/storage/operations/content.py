"""The content of files: written as pieces, and read back."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterable

from services.storage.domain.buckets import Compression
from services.storage.domain.content import mime_type
from services.storage.domain.files import Content, File, Piece
from services.storage.domain.segments import (
    HEAD_BYTES,
    SEGMENT_BYTES,
    CorruptPiece,
    Reader,
    Writer,
    parts_of,
    segments_of,
)
from services.storage.operations.deps import StorageDeps
from services.storage.store import files as store
from services.storage.store.files import StoredPiece, layout_of
from services.storage.store.objects import ObjectMissing, new_name
from shared.kernel.errors import ErrorType, Refusal

SEGMENTS_AT_ONCE = 8
"""That are read at once: 512 KiB."""


class Written:
    """A piece that has been written, with what its content is if it is the whole."""

    def __init__(self, piece: Piece, content: Content) -> None:
        self.piece = piece
        self.content = content


async def write_piece(
    deps: StorageDeps,
    chunks: AsyncIterable[bytes],
    *,
    number: int,
    most: int,
    name: str,
    compression: Compression,
    encryption: bool,
) -> Written:
    """Write a piece of at most `most` bytes; until a file claims its object, it counts as garbage.

    Raises `Refusal(STORAGE_INVALID_FILE_SIZE)`, and what `chunks` raise; then nothing is left behind.
    """
    object_name = new_name()
    writer = Writer(compression=compression, key=deps.keys.new() if encryption else None)
    async with deps.pool.acquire() as connection:
        await store.begin_object(connection, object_name)
    try:
        async with deps.objects.writing(object_name) as write:
            async for chunk in chunks:
                _check_size(writer.size + len(chunk), most)
                if stored := await _aside(writer, chunk, compression):
                    await write(stored)
            await write(writer.finish())
    except BaseException:
        await asyncio.shield(discard(deps, object_name))
        raise
    piece = Piece(number=number, object=object_name, stored=writer.stored, layout=writer.layout())
    content = Content(signature=writer.md5.hexdigest(), mime_type=mime_type(writer.head, name))
    return Written(piece, content)


async def discard(deps: StorageDeps, object_name: str) -> None:
    """Leave an object that no file has to housekeeping."""
    async with deps.pool.acquire() as connection:
        await store.doom_object(connection, object_name)
    deps.garbage.set()


async def list_pieces(deps: StorageDeps, file: File) -> list[StoredPiece]:
    """Return the pieces of a file."""
    async with deps.pool.acquire() as connection:
        return await store.list_pieces(connection, file)


async def require_objects(deps: StorageDeps, pieces: list[StoredPiece]) -> None:
    """Raise `Refusal(STORAGE_FILE_NOT_FOUND)` where the first object of a file is gone."""
    try:
        await deps.objects.require(pieces[0].object)
    except (ObjectMissing, IndexError):
        raise Refusal(ErrorType.STORAGE_FILE_NOT_FOUND) from None


async def read_content(
    deps: StorageDeps, file: File, pieces: list[StoredPiece], start: int, stop: int
) -> AsyncGenerator[bytes, None]:
    """Yield the bytes of a file from `start` up to `stop`; raises `CorruptPiece`, `ObjectMissing`, `Unavailable`."""
    for part in parts_of([piece.size for piece in pieces], start, stop):
        piece = pieces[part.piece]
        key = None if piece.key is None else deps.keys.unwrap(piece.key, object_name=piece.object)
        reader = Reader(layout_of(file, piece, key))
        first, last = segments_of(part.start, part.stop)
        for begin in range(first, last, SEGMENTS_AT_ONCE):
            end = min(begin + SEGMENTS_AT_ONCE, last)
            stored = await deps.objects.read(piece.object, *reader.span(begin, end))
            if reader.has_cheap_segments:
                plain = reader.open(stored, begin, end)
            else:
                plain = await asyncio.to_thread(reader.open, stored, begin, end)
            offset = begin * SEGMENT_BYTES
            yield plain[max(0, part.start - offset) : part.stop - offset]


async def read_through(deps: StorageDeps, file: File) -> Content:
    """Read a file from its beginning to its end, and return what it is."""
    pieces = await list_pieces(deps, file)
    digest, head = hashlib.md5(usedforsecurity=False), b""
    size = 0
    async for data in read_content(deps, file, pieces, 0, file.size_original):
        await asyncio.to_thread(digest.update, data)
        head = head or data[:HEAD_BYTES]
        size += len(data)
    if size != file.size_original:
        raise CorruptPiece("its pieces do not make up its size")
    return Content(signature=digest.hexdigest(), mime_type=mime_type(head, file.name))


def _check_size(size: int, most: int) -> None:
    if size > most:
        raise Refusal(ErrorType.STORAGE_INVALID_FILE_SIZE)


async def _aside(writer: Writer, chunk: bytes, compression: Compression) -> bytes:
    """Return what a writer makes of a chunk; compress in a thread, so that others go on."""
    if compression == "none":
        return writer.write(chunk)
    return await asyncio.to_thread(writer.write, chunk)
