"""Buckets over HTTP. Every endpoint needs a key."""

from typing import Annotated

import msgspec

from services.storage.domain.buckets import LIST_FIELDS, BucketSettings, Compression
from services.storage.http.models import Bucket, BucketList, bucket_model
from services.storage.operations import buckets as operations
from services.storage.operations.deps import StorageDeps
from shared.kernel.errors import ErrorType
from shared.queries.lists import parse_list_query
from shared.web.endpoint import Call, Caller, Routes
from shared.web.parameters import CustomId, Id

NOT_FOUND = {"bucketId": ErrorType.STORAGE_BUCKET_NOT_FOUND, "fileId": ErrorType.STORAGE_FILE_NOT_FOUND}
routes = Routes[StorageDeps]("storage", NOT_FOUND)

READ, WRITE = ("buckets.read",), ("buckets.write",)
PATH = "/v1/storage/buckets"

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Search = Annotated[str, msgspec.Meta(max_length=256)]
Extension = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class BucketOptions(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a bucket is to be; options left out have their defaults, also in a change, as Appwrite has it.

    `maximumFileSize` left out is the limit of the deployment. `antivirus` has no effect: nothing is scanned.
    """

    name: Name
    permissions: list[str] | None = None
    file_security: bool = False
    enabled: bool = True
    maximum_file_size: Annotated[int, msgspec.Meta(ge=1)] | None = None
    allowed_file_extensions: Annotated[list[Extension], msgspec.Meta(max_length=100)] = []
    compression: Compression = "none"
    encryption: bool = True
    antivirus: bool = True
    transformations: bool = True

    def settings(self) -> BucketSettings:
        """Return them as the settings of a bucket."""
        return BucketSettings(
            name=self.name,
            permissions=self.permissions,
            file_security=self.file_security,
            enabled=self.enabled,
            maximum_file_size=self.maximum_file_size,
            allowed_file_extensions=self.allowed_file_extensions,
            compression=self.compression,
            encryption=self.encryption,
            transformations=self.transformations,
        )


class CreateBucket(BucketOptions, frozen=True, kw_only=True, rename="camel"):
    """A bucket."""

    bucket_id: CustomId


class ListBuckets(msgspec.Struct, frozen=True, kw_only=True):
    """`queries` in the SDKs' syntax; `search` in ids and names; `total` false skips the count."""

    queries: list[str] = []
    search: Search = ""
    total: bool = True


class BucketPath(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One bucket."""

    bucket_id: Id


class UpdateBucket(BucketOptions, frozen=True, kw_only=True, rename="camel"):
    """What a bucket is to be; permissions left out stay."""

    bucket_id: Id


@routes.endpoint(
    "POST",
    PATH,
    name="storage.create_bucket",
    callers=Caller.KEY,
    scopes=WRITE,
    status=201,
    errors=(ErrorType.STORAGE_BUCKET_ALREADY_EXISTS,),
)
async def create_bucket(call: Call[StorageDeps], params: CreateBucket) -> Bucket:
    """Create a bucket."""
    bucket = await operations.create_bucket(
        call.deps, call.project, bucket_id=params.bucket_id, settings=params.settings()
    )
    return bucket_model(bucket)


@routes.endpoint("GET", PATH, name="storage.list_buckets", callers=Caller.KEY, scopes=READ)
async def list_buckets(call: Call[StorageDeps], params: ListBuckets) -> BucketList:
    """List buckets."""
    query = parse_list_query(params.queries, LIST_FIELDS, search=params.search, total=params.total)
    page = await operations.list_buckets(call.deps, call.project, query=query)
    return BucketList(total=page.total, buckets=[bucket_model(bucket) for bucket in page.items])


@routes.endpoint("GET", PATH + "/{bucketId}", name="storage.get_bucket", callers=Caller.KEY, scopes=READ)
async def get_bucket(call: Call[StorageDeps], params: BucketPath) -> Bucket:
    """Return a bucket."""
    return bucket_model(await operations.get_bucket(call.deps, call.project, bucket_id=params.bucket_id))


@routes.endpoint("PUT", PATH + "/{bucketId}", name="storage.update_bucket", callers=Caller.KEY, scopes=WRITE)
async def update_bucket(call: Call[StorageDeps], params: UpdateBucket) -> Bucket:
    """Change a bucket, in force for every request from then on."""
    bucket = await operations.update_bucket(
        call.deps, call.project, bucket_id=params.bucket_id, settings=params.settings()
    )
    return bucket_model(bucket)


@routes.endpoint(
    "DELETE", PATH + "/{bucketId}", name="storage.delete_bucket", callers=Caller.KEY, scopes=WRITE, status=204
)
async def delete_bucket(call: Call[StorageDeps], params: BucketPath) -> None:
    """Delete a bucket with all its files."""
    await operations.delete_bucket(call.deps, call.project, bucket_id=params.bucket_id)
