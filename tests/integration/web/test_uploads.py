"""Bodies that their handlers read in chunks."""

import asyncio
import io
import tracemalloc
from typing import Any

import msgspec
import pytest

from shared.kernel.errors import ErrorType, Refusal
from shared.web.endpoint import Call, Caller, Routes, Upload
from shared.web.parameters import Id
from shared.web.timing import WebTiming
from shared.web.uploads import UPLOAD_BYTES
from tests.eventually import eventually
from tests.integration.web.conftest import SESSION

KIB, MIB = 1024, 1024 * 1024
JWT = {"X-Appwrite-JWT": "good"}
MOST = 8 * MIB
HEAD = (
    b"PUT /v1/parts/%b HTTP/1.1\r\nHost: x\r\nX-Appwrite-Project: demo\r\nX-Appwrite-JWT: good\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)


class Deps(msgspec.Struct, kw_only=True):
    started: asyncio.Event = msgspec.field(default_factory=asyncio.Event)
    go_on: asyncio.Event = msgspec.field(default_factory=asyncio.Event)
    ended: asyncio.Event = msgspec.field(default_factory=asyncio.Event)
    received: int = 0


class PartParams(msgspec.Struct, kw_only=True, rename="camel"):
    part_id: Id
    note: str = ""


class Part(msgspec.Struct, kw_only=True):
    part: str
    note: str
    size: int
    announced: int | None
    type: str


routes: Routes[Deps] = Routes("files")


@routes.endpoint(
    "PUT", "/v1/parts/{partId}", name="parts.put", callers=Caller.ANYONE, scopes=("rows.write",), max_body_bytes=MOST
)
async def put_part(call: Call[Deps], params: PartParams, upload: Upload) -> Part:
    call.deps.started.set()
    if params.part_id == "forbidden":
        raise Refusal(ErrorType.USER_UNAUTHORIZED)
    if params.part_id == "held":
        await call.deps.go_on.wait()
    size = 0
    try:
        async for chunk in upload:
            size += len(chunk)
            call.deps.received = size
    finally:
        call.deps.ended.set()
    return Part(part=params.part_id, note=params.note, size=size, announced=upload.size, type=upload.content_type)


@routes.endpoint("PUT", "/v1/keys/part", name="parts.key", callers=Caller.KEY, scopes=("files.write",), status=204)
async def put_part_as_key(call: Call[Deps], upload: Upload) -> None:
    raise AssertionError("nobody here has this scope")


@pytest.fixture
def deps() -> Deps:
    return Deps()


@pytest.mark.parametrize("size", [0, 1, 64 * KIB + 1, MOST])
@pytest.mark.parametrize("is_announced", [True, False])
async def test_a_body_comes_in_chunks(serve: Any, deps: Deps, size: int, is_announced: bool) -> None:
    own = await serve(deps, routes=routes)

    async def parts() -> Any:
        for start in range(0, size, 100_000):
            yield bytes(min(100_000, size - start))

    answer = await own.call(
        "PUT",
        "/v1/parts/p1?note=of+the+query",
        data=io.BytesIO(bytes(size)) if is_announced else parts(),
        headers=JWT | {"Content-Type": "image/png"},
    )

    assert answer.status == 200
    assert answer.json["size"] == size
    assert answer.json["announced"] == (size if is_announced else None)
    assert (answer.json["part"], answer.json["note"], answer.json["type"]) == ("p1", "of the query", "image/png")


async def pump(writer: asyncio.StreamWriter, count: int) -> int:
    """Send chunks until nobody takes them, at most `count`; return how many were taken."""
    chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
    for number in range(count):
        try:
            writer.write(chunk)
            await asyncio.wait_for(writer.drain(), 10)
        except (ConnectionError, TimeoutError):
            return number
    return count


async def test_a_body_that_becomes_too_long_is_cut_off_and_the_connection_closed(serve: Any, deps: Deps) -> None:
    own = await serve(deps, routes=routes)
    reader, writer = await asyncio.open_connection("127.0.0.1", own.port)
    writer.write(HEAD % b"p1")
    sending = asyncio.create_task(pump(writer, 100_000))

    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
    body = await asyncio.wait_for(reader.readuntil(b"}"), 20)
    taken = await asyncio.wait_for(sending, 20)
    writer.close()

    assert head.startswith(b"HTTP/1.1 413")
    assert b"connection: close" in head.lower()
    assert msgspec.json.decode(body)["type"] == "general_payload_too_large"
    assert deps.received <= MOST
    assert taken < 100_000


async def test_a_body_that_is_announced_too_long_never_reaches_the_handler(serve: Any, deps: Deps) -> None:
    own = await serve(deps, routes=routes)
    reader, writer = await asyncio.open_connection("127.0.0.1", own.port)
    writer.write(HEAD.replace(b"Transfer-Encoding: chunked", b"Content-Length: %d" % (MOST + 1)) % b"p1")

    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
    writer.close()

    assert head.startswith(b"HTTP/1.1 413")
    assert not deps.started.is_set()


@pytest.mark.parametrize(
    ("path", "credential", "status"),
    [
        (b"/v1/parts/p1", b"X-Appwrite-JWT: forged", b"401"),
        (b"/v1/parts/p1", b"Origin: https://evil.test", b"403"),
        (b"/v1/parts/p1", b"X-Appwrite-JWT: blocked", b"403"),
        (b"/v1/parts/forbidden", b"X-Appwrite-JWT: good", b"401"),
        (b"/v1/keys/part", b"X-Appwrite-JWT: good", b"401"),
        (b"/v1/keys/part", b"X-Appwrite-Key: standard_good", b"401"),
    ],
)
async def test_a_caller_who_may_not_send_is_refused_before_any_of_it_is_asked_for(
    serve: Any, deps: Deps, path: bytes, credential: bytes, status: bytes
) -> None:
    own = await serve(deps, routes=routes)
    reader, writer = await asyncio.open_connection("127.0.0.1", own.port)
    writer.write(
        b"PUT %b HTTP/1.1\r\nHost: x\r\nX-Appwrite-Project: demo\r\n%b\r\n"
        b"Expect: 100-continue\r\nContent-Length: 1000000\r\n\r\n" % (path, credential)
    )

    answer = await asyncio.wait_for(reader.read(), 20)
    writer.close()

    assert answer.startswith(b"HTTP/1.1 " + status)
    assert b"connection: close" in answer.lower()
    assert deps.received == 0


async def test_a_client_that_waits_to_be_asked_for_the_body_is_asked(serve: Any, deps: Deps) -> None:
    own = await serve(deps, routes=routes)
    reader, writer = await asyncio.open_connection("127.0.0.1", own.port)
    writer.write(HEAD.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n") % b"p1")
    asked = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
    writer.write(b"3\r\nabc\r\n0\r\n\r\n")

    answer = await asyncio.wait_for(reader.read(), 20)
    writer.close()

    assert asked.startswith(b"HTTP/1.1 100")
    assert b'"size":3' in answer


async def test_a_handler_that_does_not_read_holds_the_client_up_and_little_memory(serve: Any, deps: Deps) -> None:
    own = await serve(deps, routes=routes)
    _, writer = await asyncio.open_connection("127.0.0.1", own.port)
    writer.write(HEAD % b"held")
    await asyncio.wait_for(deps.started.wait(), 20)
    writer.transport.set_write_buffer_limits(0)
    tracemalloc.start()

    async def sends_more() -> bool:
        writer.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")
        try:
            await asyncio.wait_for(writer.drain(), 0.5)
        except TimeoutError:
            return False
        return True

    await asyncio.wait_for(eventually(sends_more, False), 30)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * MIB
    assert deps.received == 0
    writer.transport.abort()
    deps.go_on.set()
    await asyncio.wait_for(deps.ended.wait(), 20)


async def test_a_client_that_disappears_ends_the_upload(serve: Any, deps: Deps) -> None:
    own = await serve(deps, routes=routes)
    _, writer = await asyncio.open_connection("127.0.0.1", own.port)
    writer.write(HEAD % b"p1" + b"3\r\nabc\r\n")

    async def received() -> int:
        return deps.received

    await eventually(received, 3)
    writer.transport.abort()

    await asyncio.wait_for(deps.ended.wait(), 20)
    assert (await own.call("PUT", "/v1/parts/p1", data=b"x", headers=JWT)).status == 200


async def test_a_body_that_comes_too_slowly_is_given_up(serve: Any, deps: Deps) -> None:
    own = await serve(deps, routes=routes, timing=WebTiming(body_s=0.2))
    reader, writer = await asyncio.open_connection("127.0.0.1", own.port)
    writer.write(HEAD % b"p1" + b"3\r\nabc\r\n")

    answer = await asyncio.wait_for(reader.read(), 20)
    writer.close()

    assert answer.startswith(b"HTTP/1.1 400")
    assert b"general_bad_request" in answer


async def test_an_upload_whose_caller_ends_takes_no_more(serve: Any, deps: Deps) -> None:
    own = await serve(deps, routes=routes)
    reader, writer = await asyncio.open_connection("127.0.0.1", own.port)
    writer.write(HEAD % b"p1" + b"3\r\nabc\r\n")

    async def received() -> int:
        return deps.received

    await eventually(received, 3)
    own.guard.cache.apply(1, (SESSION,))
    writer.write(b"3\r\ndef\r\n")

    answer = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 503")
    assert deps.received == 3


async def test_uploads_hold_their_part_of_what_all_bodies_may(serve: Any, deps: Deps) -> None:
    own = await serve(deps, routes=routes, body_bytes=2 * UPLOAD_BYTES - 1)
    _, held = await asyncio.open_connection("127.0.0.1", own.port)
    held.write(HEAD % b"p1" + b"3\r\nabc\r\n")

    async def upload() -> int:
        status: int = (await own.call("PUT", "/v1/parts/p2", data=b"x", headers=JWT)).status
        return status

    await eventually(upload, 503)
    held.transport.abort()
    await eventually(upload, 200)
