"""What the storage service knows of a bucket."""

from datetime import datetime
from typing import Literal, NamedTuple

import msgspec

from shared.appwrite.permissions import TABLE_ACTIONS, parse_permissions
from shared.kernel.errors import ArgumentInvalid
from shared.queries.fields import boolean, fields, integer, text

BUCKET_ACTIONS = TABLE_ACTIONS
"""What the permissions of a bucket may grant."""

Compression = Literal["none", "gzip", "zstd"]

LIST_FIELDS = fields(
    {
        "name": text,
        "enabled": boolean,
        "fileSecurity": boolean,
        "maximumFileSize": integer,
        "encryption": boolean,
        "antivirus": boolean,
        "transformations": boolean,
    }
)


class BucketKey(NamedTuple):
    """What names a bucket: its project's incarnation, and itself."""

    incarnation: int
    bucket: str


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of the deployment: the bytes of the largest file."""

    file_bytes: int


class BucketSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a bucket is to be. `permissions` are texts, None: those that it has; `maximum_file_size` None: the limit."""

    name: str
    permissions: list[str] | None
    file_security: bool
    enabled: bool
    maximum_file_size: int | None
    allowed_file_extensions: list[str]
    compression: Compression
    encryption: bool
    transformations: bool


class Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """A bucket; `sequence` is its number in PostgreSQL, which is never used again, and `total_size` of all its files.

    No file is scanned for viruses, whatever was asked for.
    """

    sequence: int
    id: str
    created_at: datetime
    updated_at: datetime
    name: str
    permissions: list[str]
    file_security: bool
    enabled: bool
    maximum_file_size: int
    allowed_file_extensions: list[str]
    compression: Compression
    encryption: bool
    transformations: bool
    total_size: int


def checked(settings: BucketSettings, limits: Limits) -> BucketSettings:
    """Return settings with permissions and extensions as they are stored; raises `ArgumentInvalid`."""
    size = settings.maximum_file_size
    if size is not None and size > limits.file_bytes:
        raise ArgumentInvalid("maximumFileSize", f"Value must be a valid range between 1 and {limits.file_bytes}")
    permissions = settings.permissions
    if permissions is not None:
        permissions = [str(one) for one in parse_permissions(permissions, BUCKET_ACTIONS)]
    return msgspec.structs.replace(
        settings,
        permissions=permissions,
        maximum_file_size=limits.file_bytes if size is None else size,
        allowed_file_extensions=list(dict.fromkeys(one.lower() for one in settings.allowed_file_extensions)),
    )
