"""Files over HTTP: uploaded whole and in chunks, read whole and in ranges, under the permissions of bucket and file."""

import hashlib
import os

import pytest

from services.storage.domain.files import CHUNK_BYTES
from tests.accounts import GUEST, Headers
from tests.eventually import eventually
from tests.integration.storage.api import Answer, Api, Json
from tests.integration.storage.uploads import upload

ANYONE = ['read("any")', 'create("any")', 'update("any")', 'delete("any")']


async def chunk(
    api: Api, bucket: str, content: bytes, number: int, file_id: str, caller: Headers | None = None
) -> Answer:
    start = (number - 1) * CHUNK_BYTES
    part = content[start : start + CHUNK_BYTES]
    headers = {"content-range": f"bytes {start}-{start + len(part) - 1}/{len(content)}", "x-appwrite-id": file_id}
    return await upload(api, bucket, part, caller, file_id=file_id, headers=headers)


async def read(
    api: Api, bucket: str, file: str, caller: Headers | None = None, way: str = "download", **headers: str
) -> Answer:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return await api.call("GET", f"/{bucket}/files/{file}/{way}", (api.key if caller is None else caller) | sent)


def stored(api: Api) -> list[bytes]:
    return [file.read_bytes() for file in api.folder.rglob("*") if file.is_file()]


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
@pytest.mark.parametrize("encryption", [True, False])
@pytest.mark.check("storage 12")
async def test_what_comes_back_is_what_was_sent(api: Api, compression: str, encryption: bool) -> None:
    bucket = await api.new_bucket(compression=compression, encryption=encryption)
    content = b"secret words " * 20_000 + os.urandom(100_000)
    made = (await upload(api, bucket, content)).json
    whole = await read(api, bucket, made["$id"])
    ranges = [(0, 99), (0, 0), (65_535, 65_536), (200_000, len(content) - 1)]
    parts = [await read(api, bucket, made["$id"], Range=f"bytes={first}-{last}") for first, last in ranges]

    assert whole.content == content
    assert (made["sizeOriginal"], made["signature"]) == (len(content), hashlib.md5(content).hexdigest())
    assert (made["encryption"], made["compression"]) == (encryption, compression)
    for (first, last), part in zip(ranges, parts, strict=True):
        assert (part.status, part.content) == (206, content[first : last + 1])
        assert part.headers["Content-Range"] == f"bytes {first}-{last}/{len(content)}"
    if encryption:
        assert not any(b"secret words" in one for one in stored(api) if len(one) == made["sizeActual"])


@pytest.mark.check("storage 12")
@pytest.mark.parametrize("range_", ["bytes=5-3", "bytes=-10", "items=0-5", "bytes=10-", "bytes=0-10", "bytes=0-1,3-4"])
async def test_a_range_that_cannot_be_is_416(api: Api, range_: str) -> None:
    bucket = await api.new_bucket()
    file = (await upload(api, bucket, b"0123456789")).json["$id"]

    assert (await read(api, bucket, file, Range=range_)).said == (416, "storage_invalid_range")


@pytest.mark.check("storage 2")
async def test_uploads_that_cannot_be_are_refused_and_leave_nothing_behind(api: Api) -> None:
    bucket = await api.new_bucket(maximumFileSize=100_000, allowedFileExtensions=["txt"])
    before = len(stored(api))

    assert (await upload(api, bucket, b"", name="a.txt")).said == (400, "storage_file_empty")
    assert (await upload(api, bucket, b"a", name="a.exe")).said == (400, "storage_file_type_unsupported")
    assert (await upload(api, bucket, b"a" * 100_001, name="a.txt")).said == (400, "storage_invalid_file_size")
    assert (await upload(api, bucket, b"a", name="a.txt", file_id="../a")).said == (400, "general_argument_invalid")
    for folder in ("/x", "a//b", "../x"):
        assert (await upload(api, bucket, b"a", name="a.txt", folder=folder)).said == (400, "general_argument_invalid")
    await eventually(lambda: len(stored(api)) <= before, expected=True)


@pytest.mark.check("storage 3")
@pytest.mark.check("storage 16")
async def test_an_id_is_used_once_and_a_folder_begins_the_key(api: Api) -> None:
    bucket = await api.new_bucket()
    made = (await upload(api, bucket, b"a", name="../../etc/passwd", folder="photos/2026")).json
    again = await upload(api, bucket, b"b", file_id=made["$id"])

    assert again.said == (409, "storage_file_already_exists")
    assert (made["folder"], made["key"]) == ("photos/2026/", "photos/2026/../../etc/passwd")
    assert (await read(api, bucket, made["$id"])).content == b"a"


@pytest.mark.check("storage 1")
@pytest.mark.check("storage 7")
@pytest.mark.check("storage 8")
@pytest.mark.check("storage 9")
@pytest.mark.check("storage 10")
async def test_files_are_open_to_whom_their_permissions_name(api: Api) -> None:
    ada, eve = api.accounts.sign_in("ada"), api.accounts.sign_in("eve")
    bucket = await api.new_bucket(fileSecurity=True, permissions=['create("users")'])
    closed = await api.new_bucket(permissions=['create("users")'])
    made = (await upload(api, bucket, b"hers", ada)).json
    path = f"/{bucket}/files/{made['$id']}"
    by_key = (await upload(api, bucket, b"a", permissions=['write("any")'])).json
    hidden = (await upload(api, closed, b"a", ada)).json["$id"]

    assert made["$permissions"] == [f'{action}("user:ada")' for action in ("read", "update", "delete")]
    assert (await upload(api, bucket, b"a")).json["$permissions"] == []
    assert by_key["$permissions"] == ['update("any")', 'delete("any")']
    assert (await upload(api, bucket, b"a", permissions=['create("any")'])).said == (400, "general_argument_invalid")
    assert (await upload(api, bucket, b"a", GUEST)).said == (401, "user_unauthorized")
    assert (await upload(api, bucket, b"a", eve, permissions=['read("user:ada")'])).said == (401, "user_unauthorized")
    assert (await read(api, bucket, made["$id"], ada)).content == b"hers"
    for way in ("", "/view", "/download"):
        assert (await api.call("GET", path + way, eve)).said == (404, "storage_file_not_found")
        assert (await api.call("GET", f"/{closed}/files/{hidden}{way}", ada)).said == (401, "user_unauthorized")
    assert [one["$id"] for one in (await api.call("GET", f"/{bucket}/files", ada)).json["files"]] == [made["$id"]]
    assert (await api.call("GET", f"/{bucket}/files", eve)).json["total"] == 0
    assert (await api.call("PUT", path, eve, {"name": "b"})).said == (404, "storage_file_not_found")
    assert (await api.call("PUT", path, ada, {"name": "b", "permissions": ['read("users")']})).json["name"] == "b"
    assert (await api.call("DELETE", path, eve)).said == (401, "user_unauthorized")
    assert (await api.call("DELETE", path)).status == 204
    assert (await api.call("DELETE", path)).said == (404, "storage_file_not_found")


@pytest.mark.check("storage 11")
async def test_a_bucket_that_is_off_is_there_for_keys_alone(api: Api) -> None:
    bucket = await api.new_bucket(enabled=False, permissions=ANYONE)

    assert (await upload(api, bucket, b"a", GUEST)).said == (404, "storage_bucket_not_found")
    assert (await upload(api, bucket, b"a")).status == 201


@pytest.mark.check("storage 13")
async def test_nothing_that_is_viewed_runs(api: Api) -> None:
    bucket = await api.new_bucket()
    pages = [b"<!DOCTYPE html><script>1</script>", b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>']
    for page in pages:
        file = (await upload(api, bucket, page, name="x y\u00e9.png")).json["$id"]
        viewed, kept = await read(api, bucket, file, way="view"), await read(api, bucket, file)

        assert viewed.headers["Content-Type"] == "text/plain"
        assert viewed.headers["X-Content-Type-Options"] == "nosniff"
        assert viewed.headers["Content-Security-Policy"].endswith("sandbox")
        assert kept.headers["Content-Disposition"] == (
            "attachment; filename=\"x y_.png\"; filename*=UTF-8''x%20y%C3%A9.png"
        )
    plain = (await upload(api, bucket, b"a", name="a b.txt")).json["$id"]
    assert (await read(api, bucket, plain)).headers["Content-Disposition"] == 'attachment; filename="a b.txt"'


async def test_a_kept_copy_is_asked_for_again_and_only_for_whom_may_read(api: Api) -> None:
    bucket = await api.new_bucket(permissions=ANYONE)
    file = (await upload(api, bucket, b"a")).json["$id"]
    first = await read(api, bucket, file, GUEST)
    again = await read(api, bucket, file, GUEST, If_None_Match=first.headers["ETag"])
    await api.call("PUT", f"/{bucket}", body={"name": "closed", "permissions": []})
    refused = await read(api, bucket, file, GUEST, If_None_Match=first.headers["ETag"])

    assert first.headers["Cache-Control"] == "private, no-cache"
    assert (again.status, again.content) == (304, b"")
    assert refused.said == (401, "user_unauthorized")


@pytest.mark.check("storage 4")
@pytest.mark.check("storage 5")
async def test_chunks_come_in_any_order_and_more_than_once(api: Api) -> None:
    ada = api.accounts.sign_in("ada")
    bucket = await api.new_bucket(permissions=ANYONE)
    content, file = os.urandom(2 * CHUNK_BYTES + 1000), api.new_id("file")
    shown = [(await chunk(api, bucket, content, number, file, ada)) for number in (1, 3, 3)]
    early = await read(api, bucket, file, ada)
    other = await chunk(api, bucket, content, 2, file, api.accounts.sign_in("eve"))
    last = await chunk(api, bucket, content, 2, file, ada)
    repeated = await chunk(api, bucket, content, 1, file, ada)

    assert [(one.status, one.json["chunksUploaded"], one.json["chunksTotal"]) for one in shown] == [(201, 1, 3)] * 3
    assert early.said == (404, "storage_file_not_found")
    assert other.said == (409, "storage_file_already_exists")
    assert (last.status, last.json["chunksUploaded"]) == (201, 3)
    assert last.json["signature"] == hashlib.md5(content).hexdigest()
    assert (repeated.status, repeated.json["$id"]) == (200, file)
    assert (await read(api, bucket, file, ada)).content == content
    span = await read(api, bucket, file, ada, Range=f"bytes={CHUNK_BYTES - 10}-{CHUNK_BYTES + 10}")
    assert span.content == content[CHUNK_BYTES - 10 : CHUNK_BYTES + 11]


@pytest.mark.check("storage 6")
@pytest.mark.parametrize("content_range", ["bytes 0-", "bytes 5-9/10", "bytes 0-20/10", "items 0-9/10", "bytes 0-8/10"])
async def test_a_chunk_names_a_range_and_an_id_that_can_be(api: Api, content_range: str) -> None:
    bucket = await api.new_bucket()
    wrong: Json = {"content-range": content_range}
    unnamed = {"content-range": "bytes 0-9/10", "x-appwrite-id": "unique()"}

    refused = await upload(api, bucket, b"0123456789", headers=wrong)
    assert refused.said == (400, "storage_invalid_content_range")
    assert (await upload(api, bucket, b"0123456789", headers=unnamed)).said == (400, "storage_invalid_appwrite_id")


async def test_the_bytes_of_what_is_deleted_are_removed(api: Api) -> None:
    bucket = await api.new_bucket()
    content = os.urandom(50_001)
    made = (await upload(api, bucket, content)).json
    kept = [len(one) for one in stored(api)].count(made["sizeActual"])
    await api.call("DELETE", f"/{bucket}")

    assert kept == 1
    await eventually(lambda: [len(one) for one in stored(api)].count(made["sizeActual"]), 0)
