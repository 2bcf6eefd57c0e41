"""Buckets: created, shown, changed, deleted, by keys only."""

from services.storage.domain.buckets import Bucket, BucketSettings, checked
from services.storage.operations.deps import StorageDeps
from services.storage.store import buckets as store
from shared.contracts.principal import Project
from shared.kernel.ids import chosen_id
from shared.kernel.page import Page
from shared.queries.lists import ListQuery


async def create_bucket(deps: StorageDeps, project: Project, *, bucket_id: str, settings: BucketSettings) -> Bucket:
    """Create a bucket; raises `ArgumentInvalid`, `Refusal(STORAGE_BUCKET_ALREADY_EXISTS)`."""
    id_, settings = chosen_id(bucket_id), checked(settings, deps.limits)
    async with deps.pool.acquire() as connection, connection.transaction():
        await store.insert_bucket(connection, project.incarnation, id_, settings)
        return await store.get_bucket(connection, project.incarnation, id_)


async def get_bucket(deps: StorageDeps, project: Project, *, bucket_id: str) -> Bucket:
    """Return a bucket; raises `Refusal(STORAGE_BUCKET_NOT_FOUND)`."""
    async with deps.pool.acquire() as connection:
        return await store.get_bucket(connection, project.incarnation, bucket_id)


async def list_buckets(deps: StorageDeps, project: Project, *, query: ListQuery) -> Page[Bucket]:
    """Return a page of buckets; raises `Refusal` of a cursor."""
    async with deps.pool.acquire() as connection:
        return await store.list_buckets(connection, project.incarnation, query)


async def update_bucket(deps: StorageDeps, project: Project, *, bucket_id: str, settings: BucketSettings) -> Bucket:
    """Change a bucket, in force for every request from then on; raises as `create_bucket`, and `get_bucket`."""
    settings = checked(settings, deps.limits)
    async with deps.pool.acquire() as connection, connection.transaction():
        await store.update_bucket(connection, project.incarnation, bucket_id, settings)
        return await store.get_bucket(connection, project.incarnation, bucket_id)


async def delete_bucket(deps: StorageDeps, project: Project, *, bucket_id: str) -> None:
    """Delete a bucket with all its files; raises `Refusal(STORAGE_BUCKET_NOT_FOUND)`."""
    async with deps.pool.acquire() as connection:
        await store.delete_bucket(connection, project.incarnation, bucket_id)
    deps.garbage.set()


async def purge_project(deps: StorageDeps, incarnation: int) -> None:
    """Delete all buckets of a project that is gone; once more is no fault."""
    async with deps.pool.acquire() as connection, connection.transaction():
        await store.INCARNATIONS.note_death(connection, incarnation)
        await store.delete_all_buckets(connection, incarnation)
    deps.garbage.set()
