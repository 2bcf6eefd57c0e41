"""Storage by the official SDK: its models accept every answer."""

import hashlib
import os

from appwrite.enums.compression import Compression
from appwrite.id import ID
from appwrite.input_file import InputFile
from appwrite.permission import Permission
from appwrite.query import Query
from appwrite.role import Role
from appwrite.services.storage import Storage

from tests.e2e.instance import Instance
from tests.e2e.sdk import client, refusal, server


def test_buckets_are_created_listed_changed_and_deleted(instance: Instance) -> None:
    storage = Storage(server(instance))
    bucket = ID.unique()
    made = storage.create_bucket(
        bucket,
        "Photos",
        permissions=[Permission.read(Role.any())],
        file_security=True,
        maximum_file_size=1_000_000,
        allowed_file_extensions=["jpg"],
        compression=Compression.ZSTD,
    )
    listed = storage.list_buckets(queries=[Query.equal("name", "Photos")])
    changed = storage.update_bucket(bucket, "Pictures")

    assert (made.id, made.name, made.filesecurity, made.maximumfilesize) == (bucket, "Photos", True, 1_000_000)
    assert bucket in [one.id for one in listed.buckets]
    assert storage.get_bucket(bucket).name == changed.name == "Pictures"
    assert changed.permissions == ['read("any")']
    assert refusal(Storage(client(instance)).get_bucket, bucket) == (401, "general_unauthorized_scope")
    storage.delete_bucket(bucket)
    assert refusal(storage.get_bucket, bucket) == (404, "storage_bucket_not_found")


def test_a_large_file_goes_up_in_chunks_and_comes_back(instance: Instance) -> None:
    storage = Storage(server(instance))
    bucket, file, content = ID.unique(), ID.unique(), os.urandom(12_000_000)
    storage.create_bucket(bucket, "Videos")
    made = storage.create_file(bucket, file, InputFile.from_bytes(content, "film.bin"))
    renamed = storage.update_file(bucket, file, "other.bin")

    assert (made.id, made.chunkstotal, made.chunksuploaded) == (file, 3, 3)
    assert made.signature == hashlib.md5(content).hexdigest()
    assert storage.get_file_download(bucket, file) == storage.get_file_view(bucket, file) == content
    assert storage.get_file(bucket, file).name == renamed.name == "other.bin"
    assert [one.id for one in storage.list_files(bucket).files] == [file]
    storage.delete_file(bucket, file)
    assert refusal(storage.get_file, bucket, file) == (404, "storage_file_not_found")
    storage.delete_bucket(bucket)
