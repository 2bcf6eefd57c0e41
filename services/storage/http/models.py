"""Models of buckets and files, as Appwrite's SDKs read them."""

import msgspec

from services.storage.domain import buckets, files
from shared.kernel.clock import wire_date


class Bucket(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A bucket. `antivirus` is false: nothing is scanned."""

    id: str = msgspec.field(name="$id")
    created_at: str = msgspec.field(name="$createdAt")
    updated_at: str = msgspec.field(name="$updatedAt")
    permissions: list[str] = msgspec.field(name="$permissions")
    file_security: bool
    name: str
    enabled: bool
    maximum_file_size: int
    allowed_file_extensions: list[str]
    compression: str
    encryption: bool
    antivirus: bool
    transformations: bool
    total_size: int


class BucketList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of buckets."""

    total: int
    buckets: list[Bucket]


def bucket_model(bucket: buckets.Bucket) -> Bucket:
    """Render a bucket."""
    return Bucket(
        id=bucket.id,
        created_at=wire_date(bucket.created_at),
        updated_at=wire_date(bucket.updated_at),
        permissions=bucket.permissions,
        file_security=bucket.file_security,
        name=bucket.name,
        enabled=bucket.enabled,
        maximum_file_size=bucket.maximum_file_size,
        allowed_file_extensions=bucket.allowed_file_extensions,
        compression=bucket.compression,
        encryption=bucket.encryption,
        antivirus=False,
        transformations=bucket.transformations,
        total_size=bucket.total_size,
    )


class File(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A file. `signature` is the MD5 of its content; `key` is its folder and name."""

    id: str = msgspec.field(name="$id")
    bucket_id: str
    created_at: str = msgspec.field(name="$createdAt")
    updated_at: str = msgspec.field(name="$updatedAt")
    permissions: list[str] = msgspec.field(name="$permissions")
    name: str
    folder: str
    key: str
    signature: str
    mime_type: str
    size_original: int
    size_actual: int
    chunks_total: int
    chunks_uploaded: int
    encryption: bool
    compression: str


class FileList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of files."""

    total: int
    files: list[File]


def file_model(file: files.File, bucket_id: str) -> File:
    """Render a file."""
    return File(
        id=file.id,
        bucket_id=bucket_id,
        created_at=wire_date(file.created_at),
        updated_at=wire_date(file.updated_at),
        permissions=file.permissions,
        name=file.name,
        folder=file.folder,
        key=file.folder + file.name,
        signature=file.signature,
        mime_type=file.mime_type,
        size_original=file.size_original,
        size_actual=file.size_actual,
        chunks_total=file.chunks_total,
        chunks_uploaded=file.chunks_uploaded,
        encryption=file.encryption,
        compression=file.compression,
    )
