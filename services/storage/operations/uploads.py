"""Uploads: a file in one request, or in chunks that come in any order.

Whoever began an upload goes on with it, nobody else; name, folder and permissions are those of its first chunk. A file
is complete by one change of its row, and until then nobody reads its content.
"""

from collections.abc import AsyncIterable

import msgspec

from services.storage.domain.buckets import Bucket, BucketKey
from services.storage.domain.files import CHUNK_BYTES, Chunk, File, NewFile, check_name, normal_folder, uploader_of
from services.storage.domain.rights import may, require_create, roles_for
from services.storage.operations.content import Written, discard, read_through, write_piece
from services.storage.operations.deps import StorageDeps
from services.storage.operations.files import open_bucket
from services.storage.store import files as store
from shared.appwrite.permissions import new_permissions
from shared.contracts.principal import Principal
from shared.kernel.errors import ErrorType, Refusal, Unavailable
from shared.kernel.ids import chosen_id
from shared.postgres.pool import Connection


class Requested(msgspec.Struct, frozen=True, kw_only=True):
    """What a form asks for beside its file; `permissions` None: the default."""

    file_id: str
    permissions: list[str] | None
    folder: str


class Stored(msgspec.Struct, frozen=True):
    """A file after a request; `is_new` false: it was complete before."""

    file: File
    is_new: bool


async def begin_upload(deps: StorageDeps, principal: Principal, *, bucket_key: BucketKey) -> Bucket:
    """Return the bucket that a caller may create files in; raises `Refusal` where it may not."""
    async with deps.pool.acquire() as connection:
        bucket = await open_bucket(connection, principal, bucket_key)
    require_create(bucket, principal)
    return bucket


async def write_file(
    deps: StorageDeps, bucket: Bucket, chunks: AsyncIterable[bytes], *, name: str, chunk: Chunk | None, file_id: str
) -> Written:
    """Write what a request carries of a file; raises `Refusal` where it is too large, or another size than it says.

    `file_id` is that of the upload that a chunk belongs to, as far as it is known before the file.
    """
    check_name(name, bucket)
    most = min(bucket.maximum_file_size, deps.limits.file_bytes)
    if chunk is not None and chunk.total > most:
        raise Refusal(ErrorType.STORAGE_INVALID_FILE_SIZE)
    begun = None
    if chunk is not None:
        async with deps.pool.acquire() as connection:
            begun = await store.find_file(connection, bucket, file_id)
    written = await write_piece(
        deps,
        chunks,
        number=1 if chunk is None else chunk.number,
        most=most if chunk is None else CHUNK_BYTES,
        name=name,
        compression=bucket.compression if begun is None else begun.compression,
        encryption=bucket.encryption if begun is None else begun.encryption,
    )
    size, fault = written.piece.layout.size, None
    if not size:
        fault = Refusal(ErrorType.STORAGE_FILE_EMPTY)
    elif chunk is not None and size != chunk.stop - chunk.start:
        fault = Refusal(ErrorType.STORAGE_INVALID_CONTENT_RANGE, "The chunk has another size than its range.")
    if fault is not None:
        await discard(deps, written.piece.object)
        raise fault
    return written


async def finish_file(
    deps: StorageDeps, principal: Principal, bucket: Bucket, written: Written, *, requested: Requested, name: str
) -> Stored:
    """Let a file be what one request carried; raises `Refusal(STORAGE_FILE_ALREADY_EXISTS)`."""
    new = _new_file(principal, bucket, requested, name=name, size=written.piece.layout.size, chunks_total=1)
    async with deps.pool.acquire() as connection, connection.transaction():
        await store.hold_bucket(connection, bucket)
        if not await store.insert_file(connection, bucket, new):
            raise Refusal(ErrorType.STORAGE_FILE_ALREADY_EXISTS)
        file = await _get(connection, bucket, new.id)
        await store.add_piece(connection, file, written.piece, _wrapped(deps, written))
        await store.complete_file(connection, file, written.content)
        deps.guard.check(principal)
        return Stored(await _get(connection, bucket, new.id), is_new=True)


async def finish_chunk(
    deps: StorageDeps,
    principal: Principal,
    bucket: Bucket,
    written: Written,
    *,
    requested: Requested,
    name: str,
    chunk: Chunk,
) -> Stored:
    """Add a chunk to its file, and complete the file where it was the last; a chunk that is there stays as it is.

    Raises `Refusal(STORAGE_FILE_ALREADY_EXISTS)` of another caller's file, `Refusal(STORAGE_INVALID_CONTENT_RANGE)`
    where the file has another size.
    """
    new = _new_file(principal, bucket, requested, name=name, size=chunk.total, chunks_total=chunk.chunks_total)
    async with deps.pool.acquire() as connection, connection.transaction():
        await store.hold_bucket(connection, bucket)
        await store.insert_file(connection, bucket, new)
        file = await store.find_file(connection, bucket, new.id, lock=True)
        if file is None:
            raise Unavailable("The file is being deleted. Try again.", type=ErrorType.GENERAL_BUSY)
        _check_belongs(principal, bucket, file, chunk)
        is_added, is_whole = False, file.is_complete
        if not file.is_complete:
            if (file.compression, file.encryption) != (
                written.piece.layout.compression,
                written.piece.layout.key is not None,
            ):
                raise Unavailable("The bucket has been changed. Try again.", type=ErrorType.GENERAL_BUSY)
            is_added = await store.add_piece(connection, file, written.piece, _wrapped(deps, written))
            is_whole = await store.count_pieces(connection, file)
        deps.guard.check(principal)
    if not is_added:
        await discard(deps, written.piece.object)
    if file.is_complete:
        return Stored(file, is_new=False)
    if is_whole:
        await _complete(deps, principal, file)
    async with deps.pool.acquire() as connection:
        return Stored(await _get(connection, bucket, new.id), is_new=True)


async def _complete(deps: StorageDeps, principal: Principal, file: File) -> None:
    content = await read_through(deps, file)
    async with deps.pool.acquire() as connection, connection.transaction():
        await store.complete_file(connection, file, content)
        deps.guard.check(principal)


def _check_belongs(principal: Principal, bucket: Bucket, file: File, chunk: Chunk) -> None:
    is_own = file.uploader == uploader_of(principal)
    if file.is_complete:
        is_own = is_own or may(file.permissions, "read", roles_for(bucket, "read", principal))
    if not is_own:
        raise Refusal(ErrorType.STORAGE_FILE_ALREADY_EXISTS)
    if file.size_original != chunk.total:
        raise Refusal(ErrorType.STORAGE_INVALID_CONTENT_RANGE, "The file has another size than its first chunk said.")


def _new_file(
    principal: Principal, bucket: Bucket, requested: Requested, *, name: str, size: int, chunks_total: int
) -> NewFile:
    return NewFile(
        id=chosen_id(requested.file_id),
        name=name,
        folder=normal_folder(requested.folder),
        permissions=[str(one) for one in new_permissions(requested.permissions, principal)],
        size=size,
        chunks_total=chunks_total,
        compression=bucket.compression,
        encryption=bucket.encryption,
        uploader=uploader_of(principal),
    )


def _wrapped(deps: StorageDeps, written: Written) -> bytes | None:
    key = written.piece.layout.key
    return None if key is None else deps.keys.wrap(key, object_name=written.piece.object)


async def _get(connection: Connection, bucket: Bucket, id_: str) -> File:
    file = await store.find_file(connection, bucket, id_)
    if file is None:
        raise Refusal(ErrorType.STORAGE_FILE_NOT_FOUND)
    return file
