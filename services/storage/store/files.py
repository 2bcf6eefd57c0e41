"""Files and their pieces in PostgreSQL, and the objects that no piece has."""

from datetime import timedelta

import asyncpg
import msgspec

from services.storage.domain.buckets import Bucket
from services.storage.domain.files import Content, File, NewFile, Piece
from services.storage.domain.segments import Layout
from shared.kernel.errors import ErrorType, Refusal, Unavailable
from shared.kernel.page import Page
from shared.postgres.pages import Listing
from shared.postgres.pool import Connection
from shared.queries.lists import ListQuery

WRITING_FOR = timedelta(days=1)
"""For how long an object may be written before it counts as garbage."""

_FILE = """
    files.sequence, files.id, files.created_at, files.updated_at, files.name, files.folder, files.permissions,
    files.signature, files.mime_type, files.size_original, files.size_actual, files.chunks_total, files.chunks_uploaded,
    files.compression, files.encryption, files.uploader, files.completed_at IS NOT NULL AS is_complete
"""
_FIND = f"SELECT {_FILE} FROM storage.files WHERE bucket = $1 AND id = $2"
_HOLD_BUCKET = "SELECT true FROM storage.buckets WHERE sequence = $1 AND deleted_at IS NULL FOR SHARE"
_INSERT = """
    INSERT INTO storage.files
        (bucket, id, name, folder, permissions, size_original, chunks_total, compression, encryption, uploader)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (bucket, id) DO NOTHING RETURNING true
"""
_INSERT_PIECE = """
    INSERT INTO storage.pieces (file, number, object, size, stored, key, lengths) VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (file, number) DO NOTHING RETURNING true
"""
_COUNT = """
    UPDATE storage.files SET updated_at = now(), chunks_uploaded = least(chunks_total - 1, (
        SELECT coalesce(max(number) FILTER (WHERE number = place), 0)
        FROM (SELECT number, row_number() OVER (ORDER BY number) AS place FROM storage.pieces WHERE file = $1) AS placed
    )) WHERE sequence = $1
    RETURNING chunks_total = (SELECT count(*) FROM storage.pieces WHERE file = $1)
"""
_COMPLETE = """
    UPDATE storage.files SET signature = $2, mime_type = $3, completed_at = now(), updated_at = now(),
        chunks_uploaded = chunks_total, size_actual = (SELECT sum(stored) FROM storage.pieces WHERE file = $1)
    WHERE sequence = $1 AND completed_at IS NULL
"""
_PIECES = "SELECT number, object, size, stored, key, lengths FROM storage.pieces WHERE file = $1 ORDER BY number"
_UPDATE = """
    UPDATE storage.files SET name = coalesce($2, name), permissions = coalesce($3, permissions), updated_at = now()
    WHERE sequence = $1
"""
_LEAVE = """
    INSERT INTO storage.garbage (object, due_at) SELECT object, now() FROM storage.pieces WHERE file = ANY($1)
"""
_DELETE = "DELETE FROM storage.files WHERE sequence = ANY($1)"
_BEGIN_OBJECT = "INSERT INTO storage.garbage (object, due_at) VALUES ($1, now() + $2)"
_CLAIM_OBJECT = "DELETE FROM storage.garbage WHERE object = $1 AND NOT doomed RETURNING true"
_DOOM = """
    UPDATE storage.garbage SET doomed = true, due_at = now() + interval '1 minute' WHERE object IN (
        SELECT object FROM storage.garbage WHERE due_at <= now() ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED
    ) RETURNING object
"""
_DOOM_ONE = "UPDATE storage.garbage SET doomed = true, due_at = now() WHERE object = $1"
_FORGET = "DELETE FROM storage.garbage WHERE object = $1"
_ABANDONED = """
    SELECT sequence FROM storage.files WHERE completed_at IS NULL AND updated_at < now() - $1::interval
    ORDER BY updated_at LIMIT $2 FOR UPDATE SKIP LOCKED
"""
_OF_DELETED = """
    SELECT files.sequence FROM storage.files JOIN storage.buckets ON buckets.sequence = files.bucket
    WHERE buckets.deleted_at IS NOT NULL LIMIT $1 FOR UPDATE OF files SKIP LOCKED
"""
_DELETE_EMPTY = """
    DELETE FROM storage.buckets WHERE deleted_at IS NOT NULL
    AND NOT EXISTS (SELECT FROM storage.files WHERE files.bucket = buckets.sequence)
"""

_IN_BUCKET = Listing(
    columns=_FILE,
    tables="storage.files",
    where="files.bucket = $1 AND ($2::text[] IS NULL OR files.permissions && $2)",
    searched="concat_ws(' ', files.id, files.name)",
    table="files",
    attributes={
        "$id": "files.id",
        "$sequence": "files.sequence",
        "$createdAt": "files.created_at",
        "$updatedAt": "files.updated_at",
        "name": "files.name",
        "folder": "files.folder",
        "signature": "files.signature",
        "mimeType": "files.mime_type",
        "sizeOriginal": "files.size_original",
        "chunksTotal": "files.chunks_total",
        "chunksUploaded": "files.chunks_uploaded",
    },
)


class StoredPiece(msgspec.Struct, frozen=True, kw_only=True):
    """A piece as its row has it: `key` is wrapped."""

    number: int
    object: str
    size: int
    stored: int
    key: bytes | None
    lengths: bytes


async def find_file(connection: Connection, bucket: Bucket, id_: str, *, lock: bool = False) -> File | None:
    """Return a file, None where there is none; `lock` locks it against changes."""
    row = await connection.fetchrow(f"{_FIND} FOR UPDATE" if lock else _FIND, bucket.sequence, id_)
    return None if row is None else _file(row)


async def list_files(connection: Connection, bucket: Bucket, roles: list[str] | None, query: ListQuery) -> Page[File]:
    """Return a page of the files that these roles may read (None: all); raises `Refusal` of a cursor."""
    readable = None if roles is None else [f'read("{role}")' for role in roles]
    return await _IN_BUCKET.page(connection, query, [bucket.sequence, readable], _file)


async def hold_bucket(connection: Connection, bucket: Bucket) -> None:
    """Lock a bucket against its deletion; raises `Refusal(STORAGE_BUCKET_NOT_FOUND)` where it is deleted."""
    if await connection.fetchval(_HOLD_BUCKET, bucket.sequence) is None:
        raise Refusal(ErrorType.STORAGE_BUCKET_NOT_FOUND)


async def insert_file(connection: Connection, bucket: Bucket, new: NewFile) -> bool:
    """Create a file without content; False where its id is taken."""
    values = (new.id, new.name, new.folder, new.permissions, new.size, new.chunks_total)
    more = (new.compression, new.encryption, new.uploader)
    return bool(await connection.fetchval(_INSERT, bucket.sequence, *values, *more))


async def add_piece(connection: Connection, file: File, piece: Piece, wrapped: bytes | None) -> bool:
    """Give a file a piece, whose object it claims; False where it has one of that number.

    Raises `Unavailable` where the object took so long that housekeeping removes it.
    """
    values = (piece.number, piece.object, piece.layout.size, piece.stored, wrapped, piece.layout.lengths)
    if not await connection.fetchval(_INSERT_PIECE, file.sequence, *values):
        return False
    if not await connection.fetchval(_CLAIM_OBJECT, piece.object):
        raise Unavailable("The upload took too long. Try again.", type=ErrorType.GENERAL_BUSY)
    return True


async def count_pieces(connection: Connection, file: File) -> bool:
    """Note how many pieces a file has; return whether these are all."""
    return bool(await connection.fetchval(_COUNT, file.sequence))


async def complete_file(connection: Connection, file: File, content: Content) -> None:
    """Complete a file, unless it is already."""
    await connection.execute(_COMPLETE, file.sequence, content.signature, content.mime_type)


async def list_pieces(connection: Connection, file: File) -> list[StoredPiece]:
    """Return the pieces of a file in order."""
    return [msgspec.convert(dict(row), StoredPiece) for row in await connection.fetch(_PIECES, file.sequence)]


async def update_file(connection: Connection, file: File, *, name: str | None, permissions: list[str] | None) -> None:
    """Change a file; what is None stays."""
    await connection.execute(_UPDATE, file.sequence, name, permissions)


async def delete_files(connection: Connection, sequences: list[int]) -> None:
    """Delete files, and leave their objects to housekeeping."""
    await connection.execute(_LEAVE, sequences)
    await connection.execute(_DELETE, sequences)


async def begin_object(connection: Connection, name: str) -> None:
    """Note that an object is being written."""
    await connection.execute(_BEGIN_OBJECT, name, WRITING_FOR)


async def doom_object(connection: Connection, name: str) -> None:
    """Note that an object is to be removed now."""
    await connection.execute(_DOOM_ONE, name)


async def doom_objects(connection: Connection, limit: int) -> list[str]:
    """Return objects that are due to be removed; no piece claims them any more."""
    return [row["object"] for row in await connection.fetch(_DOOM, limit)]


async def forget_object(connection: Connection, name: str) -> None:
    """Note that an object has been removed."""
    await connection.execute(_FORGET, name)


async def delete_abandoned(connection: Connection, age: timedelta, limit: int) -> int:
    """Delete uploads without a new chunk for so long; return how many."""
    sequences = [row["sequence"] for row in await connection.fetch(_ABANDONED, age, limit)]
    await delete_files(connection, sequences)
    return len(sequences)


async def delete_of_deleted_buckets(connection: Connection, limit: int) -> int:
    """Delete files of deleted buckets; return how many. A bucket without files goes too."""
    sequences = [row["sequence"] for row in await connection.fetch(_OF_DELETED, limit)]
    await delete_files(connection, sequences)
    if not sequences:
        await connection.execute(_DELETE_EMPTY)
    return len(sequences)


def layout_of(file: File, piece: StoredPiece, key: bytes | None) -> Layout:
    """Return how a piece is stored, with its key unwrapped."""
    return Layout(size=piece.size, compression=file.compression, key=key, lengths=piece.lengths)


def _file(row: asyncpg.Record) -> File:
    return msgspec.convert(dict(row), File)
