"""What the storage service knows of a file, and what files may be called."""

import re
from datetime import datetime
from urllib.parse import quote

import msgspec

from services.storage.domain.buckets import Bucket, Compression
from services.storage.domain.segments import Layout
from shared.contracts.principal import Principal
from shared.kernel.errors import ArgumentInvalid, ErrorType, Refusal
from shared.queries.fields import fields, integer, text

CHUNK_BYTES = 5 * 1024 * 1024
"""Of each chunk but the last: the constant of all official SDKs."""

LONGEST_NAME = 1024
LONGEST_FOLDER = 2048

LIST_FIELDS = fields(
    {
        "name": text,
        "folder": text,
        "signature": text,
        "mimeType": text,
        "sizeOriginal": integer,
        "chunksTotal": integer,
        "chunksUploaded": integer,
    }
)

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_RANGE = re.compile(r"bytes ([0-9]{1,15})-([0-9]{1,15})/([0-9]{1,15})\Z")
_UNSAFE = re.compile(r'[^\x20-\x7e]|["\\%]')


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A file; `sequence` is its number in PostgreSQL, which is never used again. `uploader` began its upload."""

    sequence: int
    id: str
    created_at: datetime
    updated_at: datetime
    name: str
    folder: str
    permissions: list[str]
    signature: str
    mime_type: str
    size_original: int
    size_actual: int
    chunks_total: int
    chunks_uploaded: int
    compression: Compression
    encryption: bool
    uploader: str
    is_complete: bool

    @property
    def etag(self) -> str:
        """A strong entity tag (RFC 9110): it changes with the content, the name and the permissions."""
        return f'"{self.signature}-{round(self.updated_at.timestamp() * 1000):x}"'


class NewFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that begins to be. `permissions` are texts."""

    id: str
    name: str
    folder: str
    permissions: list[str]
    size: int
    chunks_total: int
    compression: Compression
    encryption: bool
    uploader: str


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a file once all of it has been read."""

    signature: str
    mime_type: str


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """A stored piece of a file: its number from 1 on, its object, its stored bytes, and how they are stored."""

    number: int
    object: str
    stored: int
    layout: Layout


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """A chunk of a file: where it begins, where the next would, and the size of the whole, in bytes."""

    start: int
    stop: int
    total: int

    @property
    def number(self) -> int:
        """Its number, from 1 on."""
        return self.start // CHUNK_BYTES + 1

    @property
    def chunks_total(self) -> int:
        """The number of chunks of the file."""
        return -(-self.total // CHUNK_BYTES)


def parse_chunk(content_range: str) -> Chunk:
    """Return the chunk that `Content-Range` names; raises `Refusal(STORAGE_INVALID_CONTENT_RANGE)`.

    Chunks have CHUNK_BYTES and begin at multiples of that; the last has what is left. Some clients name the end of the
    last as one more than it is.
    """
    match = _RANGE.match(content_range)
    if match is None:
        raise Refusal(ErrorType.STORAGE_INVALID_CONTENT_RANGE)
    start, last, total = (int(group) for group in match.groups())
    stop = min(last + 1, total) if last <= total else 0
    if start % CHUNK_BYTES or start >= total or stop != min(start + CHUNK_BYTES, total):
        raise Refusal(
            ErrorType.STORAGE_INVALID_CONTENT_RANGE,
            f"A chunk begins at a multiple of {CHUNK_BYTES} bytes and has as many, but for the last.",
        )
    return Chunk(start=start, stop=stop, total=total)


def check_name(name: str, bucket: Bucket) -> str:
    """Return the name of a file; raises `Refusal` where it cannot be, or its extension is not allowed in the bucket."""
    if len(name) > LONGEST_NAME or _CONTROL.search(name):
        raise ArgumentInvalid("file", f"its name has at most {LONGEST_NAME} characters, and no control characters")
    allowed = bucket.allowed_file_extensions
    if allowed and extension(name) not in allowed:
        raise Refusal(ErrorType.STORAGE_FILE_TYPE_UNSUPPORTED)
    return name


def extension(name: str) -> str:
    """Return the extension of a name, in lower case and without its dot; empty where there is none."""
    _, dot, end = name.rpartition(".")
    return end.lower() if dot else ""


def normal_folder(folder: str) -> str:
    """Return a folder as it is stored, ending in a slash unless it is the bucket itself; raises `ArgumentInvalid`."""
    if not folder:
        return ""
    segments = folder.removesuffix("/").split("/")
    if len(folder) > LONGEST_FOLDER or _CONTROL.search(folder) or not {"", ".", ".."}.isdisjoint(segments):
        raise ArgumentInvalid(
            "folder", f"it is a path of at most {LONGEST_FOLDER} characters without empty segments, . and .."
        )
    return "/".join(segments) + "/"


def uploader_of(principal: Principal) -> str:
    """Return who begins an upload, and alone may go on with it: a user, a key, or any guest."""
    return f"{principal.who}#{principal.incarnation}"


def disposition(kind: str, name: str) -> str:
    """Return `Content-Disposition` (RFC 6266): the name as it is where that is plain ASCII, else encoded beside it."""
    plain = _UNSAFE.sub("_", name)
    if plain == name:
        return f'{kind}; filename="{name}"'
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
