"""Buckets in PostgreSQL. A deleted one stays, unseen, until housekeeping has removed its files."""

import asyncpg
import msgspec

from services.storage.domain.buckets import Bucket, BucketSettings
from shared.kernel.errors import ErrorType, Refusal
from shared.kernel.page import Page
from shared.postgres.incarnations import Incarnations
from shared.postgres.pages import Listing
from shared.postgres.pool import Connection
from shared.queries.lists import ListQuery

INCARNATIONS = Incarnations("storage")

BUCKET = """
    buckets.sequence, buckets.id, buckets.created_at, buckets.updated_at, buckets.name, buckets.permissions,
    buckets.file_security, buckets.enabled, buckets.maximum_file_size, buckets.allowed_file_extensions,
    buckets.compression, buckets.encryption, buckets.transformations, (
        SELECT coalesce(sum(size_actual), 0)::bigint FROM storage.files WHERE files.bucket = buckets.sequence
    ) AS total_size
"""
_SETTINGS = """
    name, permissions, file_security, enabled, maximum_file_size, allowed_file_extensions, compression, encryption,
    transformations
"""
_INSERT = f"""
    INSERT INTO storage.buckets (incarnation, id, {_SETTINGS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
_GET = f"SELECT {BUCKET} FROM storage.buckets WHERE incarnation = $1 AND id = $2 AND deleted_at IS NULL"
_UPDATE = """
    UPDATE storage.buckets SET name = $3, permissions = coalesce($4, permissions), file_security = $5, enabled = $6,
        maximum_file_size = $7, allowed_file_extensions = $8, compression = $9, encryption = $10, transformations = $11,
        updated_at = now()
    WHERE incarnation = $1 AND id = $2 AND deleted_at IS NULL
"""
_DELETE = """
    UPDATE storage.buckets SET deleted_at = now()
    WHERE incarnation = $1 AND id = $2 AND deleted_at IS NULL RETURNING true
"""
_DELETE_ALL = "UPDATE storage.buckets SET deleted_at = now() WHERE incarnation = $1 AND deleted_at IS NULL"

ALL = Listing(
    columns=BUCKET,
    tables="storage.buckets",
    where="buckets.incarnation = $1 AND buckets.deleted_at IS NULL",
    searched="concat_ws(' ', buckets.id, buckets.name)",
    table="buckets",
    attributes={
        "$id": "buckets.id",
        "$sequence": "buckets.sequence",
        "$createdAt": "buckets.created_at",
        "$updatedAt": "buckets.updated_at",
        "name": "buckets.name",
        "enabled": "buckets.enabled",
        "fileSecurity": "buckets.file_security",
        "maximumFileSize": "buckets.maximum_file_size",
        "encryption": "buckets.encryption",
        "antivirus": "false",
        "transformations": "buckets.transformations",
    },
)


async def insert_bucket(connection: Connection, incarnation: int, id_: str, settings: BucketSettings) -> None:
    """Create a bucket; raises `Refusal(STORAGE_BUCKET_ALREADY_EXISTS)`, `Refusal(PROJECT_NOT_FOUND)`."""
    if not await INCARNATIONS.hold(connection, incarnation):
        raise Refusal(ErrorType.PROJECT_NOT_FOUND, "The project has been deleted in the meantime.")
    created = msgspec.structs.replace(settings, permissions=settings.permissions or [])
    try:
        await connection.execute(_INSERT, incarnation, id_, *msgspec.structs.astuple(created))
    except asyncpg.UniqueViolationError as error:
        raise Refusal(ErrorType.STORAGE_BUCKET_ALREADY_EXISTS) from error


async def find_bucket(connection: Connection, incarnation: int, id_: str) -> Bucket | None:
    """Return a bucket of a project, None where there is none."""
    row = await connection.fetchrow(_GET, incarnation, id_)
    return None if row is None else _bucket(row)


async def get_bucket(connection: Connection, incarnation: int, id_: str) -> Bucket:
    """Return a bucket of a project; raises `Refusal(STORAGE_BUCKET_NOT_FOUND)`."""
    bucket = await find_bucket(connection, incarnation, id_)
    if bucket is None:
        raise Refusal(ErrorType.STORAGE_BUCKET_NOT_FOUND)
    return bucket


async def list_buckets(connection: Connection, incarnation: int, query: ListQuery) -> Page[Bucket]:
    """Return a page of the buckets of a project; raises `Refusal` of a cursor."""
    return await ALL.page(connection, query, [incarnation], _bucket)


async def update_bucket(connection: Connection, incarnation: int, id_: str, settings: BucketSettings) -> None:
    """Change a bucket, if it exists; permissions that are None stay."""
    await connection.execute(_UPDATE, incarnation, id_, *msgspec.structs.astuple(settings))


async def delete_bucket(connection: Connection, incarnation: int, id_: str) -> None:
    """Delete a bucket; raises `Refusal(STORAGE_BUCKET_NOT_FOUND)`."""
    if await connection.fetchval(_DELETE, incarnation, id_) is None:
        raise Refusal(ErrorType.STORAGE_BUCKET_NOT_FOUND)


async def delete_all_buckets(connection: Connection, incarnation: int) -> None:
    """Delete the buckets of a project that is gone."""
    await connection.execute(_DELETE_ALL, incarnation)


def _bucket(row: asyncpg.Record) -> Bucket:
    return msgspec.convert(dict(row), Bucket)
