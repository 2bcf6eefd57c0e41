"""Files over HTTP: uploaded, shown, listed, changed, deleted, viewed and downloaded."""

import re
from collections.abc import AsyncGenerator
from typing import Annotated

import msgspec

from services.storage.domain.buckets import Bucket, BucketKey
from services.storage.domain.content import shown_type
from services.storage.domain.files import LIST_FIELDS, Chunk, disposition, parse_chunk
from services.storage.http.buckets import NOT_FOUND, PATH, BucketPath, Search
from services.storage.http.models import File, FileList, file_model
from services.storage.operations import content, uploads
from services.storage.operations import files as operations
from services.storage.operations.deps import StorageDeps
from shared.kernel.errors import ErrorType, Refusal
from shared.kernel.ids import is_id
from shared.queries.lists import parse_list_query
from shared.web.endpoint import Blob, Call, Caller, Form, RateLimit, Reply, Routes
from shared.web.parameters import CustomId, Id

routes = Routes[StorageDeps]("storage", NOT_FOUND)

READ, WRITE = ("files.read",), ("files.write",)
FILES = PATH + "/{bucketId}/files"
FILE = FILES + "/{fileId}"

MOST_UPLOAD_BYTES = 2**40
"""Of one request; the deployment and the bucket have narrower limits."""

REVALIDATED = "private, no-cache"
"""Kept by the browser alone, and shown again only after it has asked whether its user may still see it."""

SANDBOX = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src 'self'; sandbox"
OF_PDF = "script-src 'none'"
"""Browsers refuse to show a PDF in a sandbox."""

_RANGE = re.compile(r"bytes=([0-9]{1,18})-([0-9]{0,18})\Z")


class CreateFile(BucketPath, frozen=True, kw_only=True, rename="camel"):
    """A file; the part `file` is its content. `folder` is a path within the bucket."""

    file_id: CustomId
    permissions: list[str] | None = None
    folder: str = ""


class ListFiles(BucketPath, frozen=True, kw_only=True, rename="camel"):
    """`queries` in the SDKs' syntax; `search` in ids and names; `total` false skips the count."""

    queries: list[str] = []
    search: Search = ""
    total: bool = True


class FilePath(BucketPath, frozen=True, kw_only=True, rename="camel"):
    """One file."""

    file_id: Id


class UpdateFile(FilePath, frozen=True, kw_only=True, rename="camel"):
    """What changes of a file; what is left out stays."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=128)] | None = None
    permissions: list[str] | None = None


@routes.endpoint(
    "POST",
    FILES,
    name="storage.create_file",
    callers=Caller.ANYONE,
    scopes=WRITE,
    status=201,
    model=File,
    max_body_bytes=MOST_UPLOAD_BYTES,
    limit=RateLimit(60, 60, by=("ip", "method", "url", "user", "chunk")),
    errors=(
        ErrorType.STORAGE_FILE_ALREADY_EXISTS,
        ErrorType.STORAGE_FILE_EMPTY,
        ErrorType.STORAGE_FILE_TYPE_UNSUPPORTED,
        ErrorType.STORAGE_INVALID_APPWRITE_ID,
        ErrorType.STORAGE_INVALID_CONTENT_RANGE,
        ErrorType.STORAGE_INVALID_FILE_SIZE,
    ),
)
async def create_file(call: Call[StorageDeps], form: Form[CreateFile]) -> Reply:
    """Upload a file, or a chunk of one that `content-range` and `x-appwrite-id` name."""
    deps, principal = call.deps, call.principal
    async with deps.guard.watches.watching(principal):
        bucket = await uploads.begin_upload(deps, principal, bucket_key=_key(call, form.path["bucketId"]))
        part = await form.find_file()
        if part is None:
            await form.params()
            raise Refusal(ErrorType.STORAGE_FILE_EMPTY)
        chunk = _chunk(call)
        upload_id = _upload_id(call) if chunk is not None else ""
        written = await uploads.write_file(deps, bucket, aiter(part), name=part.name, chunk=chunk, file_id=upload_id)
        try:
            params = await form.params()
            stored = await _finish(call, params, bucket, written, name=part.name, chunk=chunk, upload_id=upload_id)
        except BaseException:
            await content.discard(deps, written.piece.object)
            raise
    body = msgspec.json.encode(file_model(stored.file, params.bucket_id))
    return Reply(body=body, status=201 if stored.is_new else 200)


@routes.endpoint("GET", FILES, name="storage.list_files", callers=Caller.ANYONE, scopes=READ)
async def list_files(call: Call[StorageDeps], params: ListFiles) -> FileList:
    """List the files of a bucket that the caller may read."""
    query = parse_list_query(params.queries, LIST_FIELDS, search=params.search, total=params.total)
    page = await operations.list_files(call.deps, call.principal, bucket_key=_key(call, params.bucket_id), query=query)
    return FileList(total=page.total, files=[file_model(file, params.bucket_id) for file in page.items])


@routes.endpoint("GET", FILE, name="storage.get_file", callers=Caller.ANYONE, scopes=READ)
async def get_file(call: Call[StorageDeps], params: FilePath) -> File:
    """Return what is known of a file."""
    file = await operations.get_file(
        call.deps,
        call.principal,
        bucket_key=_key(call, params.bucket_id),
        file_id=params.file_id,
    )
    return file_model(file, params.bucket_id)


@routes.endpoint("PUT", FILE, name="storage.update_file", callers=Caller.ANYONE, scopes=WRITE)
async def update_file(call: Call[StorageDeps], params: UpdateFile) -> File:
    """Change a file's name and permissions."""
    file = await operations.update_file(
        call.deps,
        call.principal,
        bucket_key=_key(call, params.bucket_id),
        file_id=params.file_id,
        name=params.name,
        permissions=params.permissions,
    )
    return file_model(file, params.bucket_id)


@routes.endpoint(
    "DELETE",
    FILE,
    name="storage.delete_file",
    callers=Caller.ANYONE,
    scopes=WRITE,
    status=204,
    limit=RateLimit(60, 60, by=("ip", "method", "url", "user")),
)
async def delete_file(call: Call[StorageDeps], params: FilePath) -> None:
    """Delete a file."""
    await operations.delete_file(
        call.deps,
        call.principal,
        bucket_key=_key(call, params.bucket_id),
        file_id=params.file_id,
    )


@routes.endpoint(
    "GET",
    FILE + "/view",
    name="storage.get_file_view",
    callers=Caller.ANYONE,
    scopes=READ,
    cache_control=REVALIDATED,
    errors=(ErrorType.STORAGE_INVALID_RANGE,),
)
async def view_file(call: Call[StorageDeps], params: FilePath) -> Blob:
    """Return a file for a browser to show; what could run a script is shown as plain text."""
    return await _blob(call, params, kind="inline")


@routes.endpoint(
    "GET",
    FILE + "/download",
    name="storage.get_file_download",
    callers=Caller.ANYONE,
    scopes=READ,
    cache_control=REVALIDATED,
    errors=(ErrorType.STORAGE_INVALID_RANGE,),
)
async def download_file(call: Call[StorageDeps], params: FilePath) -> Blob:
    """Return a file for a browser to keep."""
    return await _blob(call, params, kind="attachment")


def _key(call: Call[StorageDeps], bucket_id: str) -> BucketKey:
    return BucketKey(call.project.incarnation, bucket_id)


async def _blob(call: Call[StorageDeps], params: FilePath, *, kind: str) -> Blob:
    deps = call.deps
    file = await operations.get_file(
        deps, call.principal, bucket_key=_key(call, params.bucket_id), file_id=params.file_id
    )
    if not file.is_complete:
        raise Refusal(ErrorType.STORAGE_FILE_NOT_FOUND)
    pieces = await content.list_pieces(deps, file)
    await content.require_objects(deps, pieces)
    _check_range(call, file.size_original)
    shown = shown_type(file.mime_type) if kind == "inline" else file.mime_type
    call.add_header("Content-Disposition", disposition(kind, file.name))
    call.add_header("Content-Security-Policy", OF_PDF if shown == "application/pdf" else SANDBOX)

    def read(start: int, stop: int) -> AsyncGenerator[bytes, None]:
        return content.read_content(deps, file, pieces, start, stop)

    return Blob(size=file.size_original, etag=file.etag, content_type=shown, read=read)


def _check_range(call: Call[StorageDeps], size: int) -> None:
    """Raise `Refusal(STORAGE_INVALID_RANGE)` for a range that Appwrite does not know."""
    requested = call.header("Range")
    if not requested:
        return
    match = _RANGE.match(requested)
    if match is not None:
        start = int(match[1])
        last = int(match[2]) if match[2] else size - 1
        if start <= last < size:
            return
    call.add_header("Content-Range", f"bytes */{size}")
    raise Refusal(ErrorType.STORAGE_INVALID_RANGE)


async def _finish(
    call: Call[StorageDeps],
    params: CreateFile,
    bucket: Bucket,
    written: content.Written,
    *,
    name: str,
    chunk: Chunk | None,
    upload_id: str,
) -> uploads.Stored:
    requested = uploads.Requested(
        file_id=upload_id or params.file_id, permissions=params.permissions, folder=params.folder
    )
    if chunk is None:
        return await uploads.finish_file(call.deps, call.principal, bucket, written, requested=requested, name=name)
    if not is_id(requested.file_id):
        raise Refusal(ErrorType.STORAGE_INVALID_APPWRITE_ID)
    return await uploads.finish_chunk(
        call.deps, call.principal, bucket, written, requested=requested, name=name, chunk=chunk
    )


def _chunk(call: Call[StorageDeps]) -> Chunk | None:
    content_range = call.header("Content-Range")
    return parse_chunk(content_range) if content_range else None


def _upload_id(call: Call[StorageDeps]) -> str:
    """Return the id of the upload that a chunk names, empty for none; raises `Refusal(STORAGE_INVALID_APPWRITE_ID)`."""
    id_ = call.header("X-Appwrite-Id")
    if id_ and not is_id(id_):
        raise Refusal(ErrorType.STORAGE_INVALID_APPWRITE_ID)
    return id_
