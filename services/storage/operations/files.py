"""Files: shown, listed, changed, deleted, by callers whom the permissions allow.

Rights are checked first. Of a file that a caller may not read, no answer tells more than that it may be changed or
deleted; where not even that, it is not there. `services.storage.domain.rights` has the rules.
"""

from services.storage.domain.buckets import Bucket, BucketKey
from services.storage.domain.files import File
from services.storage.domain.rights import may, roles_for, usable_bucket
from services.storage.operations.deps import StorageDeps
from services.storage.store import buckets
from services.storage.store import files as store
from shared.appwrite.permissions import changed_permissions
from shared.contracts.principal import Principal
from shared.kernel.errors import ErrorType, Refusal
from shared.kernel.page import Page
from shared.postgres.pool import Connection
from shared.queries.lists import ListQuery


async def open_bucket(connection: Connection, principal: Principal, bucket_key: BucketKey) -> Bucket:
    """Return the bucket that a caller deals with; raises `Refusal(STORAGE_BUCKET_NOT_FOUND)`."""
    return usable_bucket(await buckets.find_bucket(connection, *bucket_key), principal)


async def get_file(deps: StorageDeps, principal: Principal, *, bucket_key: BucketKey, file_id: str) -> File:
    """Return a file.

    Raises `Refusal(USER_UNAUTHORIZED)` where no file can be read, and `Refusal(STORAGE_FILE_NOT_FOUND)`.
    """
    async with deps.pool.acquire() as connection:
        bucket = await open_bucket(connection, principal, bucket_key)
        roles = roles_for(bucket, "read", principal)
        if roles == []:
            raise Refusal(ErrorType.USER_UNAUTHORIZED)
        file = await store.find_file(connection, bucket, file_id)
    if file is None or not may(file.permissions, "read", roles):
        raise Refusal(ErrorType.STORAGE_FILE_NOT_FOUND)
    return file


async def list_files(deps: StorageDeps, principal: Principal, *, bucket_key: BucketKey, query: ListQuery) -> Page[File]:
    """Return a page of the files that may be read; raises `Refusal(USER_UNAUTHORIZED)` where none can be."""
    async with deps.pool.acquire() as connection:
        bucket = await open_bucket(connection, principal, bucket_key)
        roles = roles_for(bucket, "read", principal)
        if roles == []:
            raise Refusal(ErrorType.USER_UNAUTHORIZED)
        return await store.list_files(connection, bucket, roles, query)


async def update_file(
    deps: StorageDeps,
    principal: Principal,
    *,
    bucket_key: BucketKey,
    file_id: str,
    name: str | None,
    permissions: list[str] | None,
) -> File:
    """Change a file; what is None stays. Raises `Refusal` where the caller may not, or it is not there."""
    async with deps.pool.acquire() as connection, connection.transaction():
        bucket, file = await _held(connection, principal, bucket_key, file_id, "update")
        changed = changed_permissions(permissions, principal)
        texts = None if changed is None else [str(one) for one in changed]
        await store.update_file(connection, file, name=name, permissions=texts)
        deps.guard.check(principal)
        updated = await store.find_file(connection, bucket, file_id)
    if updated is None:
        raise Refusal(ErrorType.STORAGE_FILE_NOT_FOUND)
    return updated


async def delete_file(deps: StorageDeps, principal: Principal, *, bucket_key: BucketKey, file_id: str) -> None:
    """Delete a file, or an upload; raises as `update_file`."""
    async with deps.pool.acquire() as connection, connection.transaction():
        _, file = await _held(connection, principal, bucket_key, file_id, "delete")
        await store.delete_files(connection, [file.sequence])
        deps.guard.check(principal)
    deps.garbage.set()


async def _held(
    connection: Connection, principal: Principal, bucket_key: BucketKey, file_id: str, action: str
) -> tuple[Bucket, File]:
    """Return a file that a caller may act on, locked."""
    bucket = await open_bucket(connection, principal, bucket_key)
    acting, reading = roles_for(bucket, action, principal), roles_for(bucket, "read", principal)
    if acting == [] and reading == []:
        raise Refusal(ErrorType.USER_UNAUTHORIZED)
    file = await store.find_file(connection, bucket, file_id, lock=True)
    if file is None:
        raise Refusal(ErrorType.STORAGE_FILE_NOT_FOUND)
    if not may(file.permissions, action, acting):
        is_seen = may(file.permissions, "read", reading)
        raise Refusal(ErrorType.USER_UNAUTHORIZED if is_seen else ErrorType.STORAGE_FILE_NOT_FOUND)
    return bucket, file
