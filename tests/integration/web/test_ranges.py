"""Byte ranges (RFC 9110, section 14), and answers of a known length."""

from collections.abc import AsyncGenerator
from typing import Any

import aiohttp
import msgspec
import pytest

from shared.web.endpoint import Blob, Call, Caller, Routes
from shared.web.parameters import Id

DATA = bytes(range(100))
ETAG = '"v1"'
JWT = {"X-Appwrite-JWT": "good"}


class Deps(msgspec.Struct):
    reads: list[tuple[int, int]] = msgspec.field(default_factory=list)


class BlobParams(msgspec.Struct, kw_only=True, rename="camel"):
    file_id: Id


routes: Routes[Deps] = Routes("files")


@routes.endpoint("GET", "/v1/files/{fileId}", name="files.get", callers=Caller.ANYONE, scopes=("files.read",))
async def get_file(call: Call[Deps], params: BlobParams) -> Blob:
    data = b"" if params.file_id == "empty" else DATA

    async def read(start: int, stop: int) -> AsyncGenerator[bytes, None]:
        call.deps.reads.append((start, stop))
        end = stop - 1 if params.file_id == "torn" else stop
        for at in range(start, end, 7):
            yield data[at : min(at + 7, end)]

    return Blob(size=len(data), etag=ETAG, content_type="image/png", read=read)


@pytest.fixture
def deps() -> Deps:
    return Deps()


@pytest.fixture
async def own(serve: Any, deps: Deps) -> Any:
    return await serve(deps, routes=routes)


async def test_without_a_range_all_of_it_is_sent(own: Any) -> None:
    answer = await own.call("GET", "/v1/files/f1")

    assert (answer.status, answer.content) == (200, DATA)
    headers = answer.headers
    assert (headers["Content-Length"], headers["Content-Type"]) == ("100", "image/png")
    assert (headers["Accept-Ranges"], headers["ETag"]) == ("bytes", ETAG)
    assert "Content-Range" not in headers


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-9", 0, 10),
        ("bytes=10-19", 10, 20),
        ("bytes=99-99", 99, 100),
        ("bytes=90-", 90, 100),
        ("bytes=90-1000", 90, 100),
        ("bytes=0-", 0, 100),
        ("bytes=-1", 99, 100),
        ("bytes=-10", 90, 100),
        ("bytes=-1000", 0, 100),
        ("Bytes=5-6", 5, 7),
    ],
)
async def test_a_range_is_sent_alone_and_no_other_byte_is_made(
    own: Any, deps: Deps, asked: str, start: int, stop: int
) -> None:
    answer = await own.call("GET", "/v1/files/f1", headers={"Range": asked})

    assert (answer.status, answer.content) == (206, DATA[start:stop])
    assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/100"
    assert answer.headers["Content-Length"] == str(stop - start)
    assert deps.reads == [(start, stop)]


@pytest.mark.parametrize(
    ("path", "asked"), [("f1", "bytes=100-"), ("f1", "bytes=500-600"), ("f1", "bytes=-0"), ("empty", "bytes=0-")]
)
async def test_a_range_beyond_the_end_is_refused_with_the_size(own: Any, deps: Deps, path: str, asked: str) -> None:
    answer = await own.call("GET", f"/v1/files/{path}", headers={"Range": asked})

    assert answer.error == (416, "storage_invalid_range")
    assert answer.headers["Content-Range"] == f"bytes */{0 if path == 'empty' else 100}"
    assert deps.reads == []


@pytest.mark.parametrize(
    "asked",
    ["bytes=0-1,5-6", "bytes=9-0", "bytes=-", "bytes=x-1", "bytes=1", "lines=0-1", "", "bytes=" + "9" * 30 + "-"],
)
async def test_several_ranges_and_what_is_none_are_answered_by_the_whole(own: Any, asked: str) -> None:
    answer = await own.call("GET", "/v1/files/f1", headers={"Range": asked})

    assert (answer.status, answer.content) == (200, DATA)


@pytest.mark.parametrize(
    ("condition", "status"),
    [(ETAG, 206), ('"v2"', 200), ('W/"v1"', 200), ("v1", 200), ("Sat, 29 Oct 1994 19:43:31 GMT", 200)],
)
async def test_a_range_of_another_state_is_answered_by_the_whole(own: Any, condition: str, status: int) -> None:
    answer = await own.call("GET", "/v1/files/f1", headers={"Range": "bytes=0-9", "If-Range": condition})

    assert (answer.status, answer.content) == (status, DATA[:10] if status == 206 else DATA)


async def test_a_head_tells_of_the_whole_and_reads_nothing(own: Any, deps: Deps) -> None:
    answer = await own.call("HEAD", "/v1/files/f1", headers={"Range": "bytes=0-9"})

    assert (answer.status, answer.content) == (200, b"")
    assert answer.headers["Content-Length"] == "100"
    assert deps.reads == []
    assert (await own.call("GET", "/v1/files/f1")).content == DATA


async def test_a_blob_that_turns_out_shorter_is_not_taken_for_the_whole(own: Any) -> None:
    with pytest.raises(aiohttp.ClientPayloadError):
        await own.call("GET", "/v1/files/torn")
