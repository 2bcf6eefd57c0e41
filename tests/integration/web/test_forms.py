"""Forms with a file: fields become parameters, the file is read in chunks, and what is malformed is refused."""

import asyncio
import io
import tracemalloc
from collections import Counter
from typing import Any

import aiohttp
import msgspec
import pytest

from shared.kernel.loops import running
from shared.web.endpoint import Call, Caller, Form, Routes
from shared.web.forms import PARSED_BYTES
from shared.web.parameters import CustomId, Id
from tests.answer import Answer
from tests.integration.web.sdk_forms import PERMISSIONS, SDK_FORMS

KIB, MIB = 1024, 1024 * 1024
JWT = {"X-Appwrite-JWT": "good"}
MOST = 8 * MIB
INVALID = (400, "general_argument_invalid")
FILE = b'Content-Disposition: form-data; name="file"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\nhello\r\n'
ID = b'Content-Disposition: form-data; name="fileId"\r\n\r\nf1\r\n'


class Deps(msgspec.Struct):
    received: int = 0
    turn: int = 0
    received_in: Counter[int] = msgspec.field(default_factory=Counter)
    """Bytes by the turn of the event loop in which they were parsed."""

    async def count_turns(self) -> None:
        while True:
            self.turn += 1
            await asyncio.sleep(0)


class FileParams(msgspec.Struct, kw_only=True, rename="camel"):
    bucket_id: Id
    file_id: CustomId
    permissions: list[str] | None = None
    size: int = 0


class Stored(msgspec.Struct, kw_only=True):
    params: FileParams
    name: str
    type: str
    size: int


routes: Routes[Deps] = Routes("files")


@routes.endpoint(
    "POST", "/v1/buckets/{bucketId}/files", name="files.create", callers=Caller.ANYONE, scopes=("files.write",),
    status=201, max_body_bytes=MOST,
)  # fmt: skip
async def create_file(call: Call[Deps], form: Form[FileParams]) -> Stored:
    assert form.path == {"bucketId": "b1"}
    file = await form.file()
    size = 0
    async for chunk in file:
        size += len(chunk)
        call.deps.received = size
        call.deps.received_in[call.deps.turn] += len(chunk)
    return Stored(params=await form.params(), name=file.name, type=file.content_type, size=size)


@pytest.fixture
async def own(serve: Any) -> Any:
    return await serve(Deps(), routes=routes)


async def send(own: Any, *parts: bytes, boundary: bytes = b"X", content_type: str = "", path: str = "b1") -> Answer:
    body = b"".join(b"--" + boundary + b"\r\n" + part for part in parts) + b"--" + boundary + b"--\r\n"
    return await send_body(own, body, content_type or f"multipart/form-data; boundary={boundary.decode()}", path)


async def send_body(
    own: Any, body: bytes, content_type: str = "multipart/form-data; boundary=X", path: str = "b1"
) -> Any:
    return await own.call("POST", f"/v1/buckets/{path}/files", data=body, headers=JWT | {"Content-Type": content_type})


def field(name: str, value: bytes) -> bytes:
    return b'Content-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % (name.encode(), value)


@pytest.mark.parametrize("size", [0, 1, 100_000, 7 * MIB])
async def test_fields_become_parameters_before_the_file_and_after_it(own: Any, size: int) -> None:
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("fileId", "f1")
    form.add_field("size", "7")
    form.add_field("permissions[]", 'read("any")')
    form.add_field("file", io.BytesIO(bytes(size)), filename="ä.png", content_type="image/png")
    form.add_field("permissions[]", 'update("users")')

    answer = await own.call("POST", "/v1/buckets/b1/files", data=form, headers=JWT)

    assert answer.status == 201
    assert answer.json == {
        "params": {"bucketId": "b1", "fileId": "f1", "permissions": ['read("any")', 'update("users")'], "size": 7},
        "name": "ä.png",
        "type": "image/png",
        "size": size,
    }


@pytest.mark.parametrize(("content_type", "body"), SDK_FORMS.values(), ids=SDK_FORMS)
async def test_a_form_of_every_official_sdk_is_read(own: Any, content_type: str, body: bytes) -> None:
    answer = await send_body(own, body, content_type)

    assert answer.status == 201, answer
    assert (answer.json["name"], answer.json["size"], answer.json["params"]["fileId"]) == ("a.txt", 5, "f1")
    assert sorted(answer.json["params"]["permissions"]) == sorted(PERMISSIONS)


@pytest.mark.parametrize("boundary", [b"a", b"-" * 40, b"0123456789" * 7])
async def test_a_text_like_a_boundary_inside_the_file_is_data(own: Any, boundary: bytes) -> None:
    data = b"\r\n--" + boundary[:-1] + b"\r\n-\r\r\n--\r\n" + boundary
    part = b'Content-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + data + b"\r\n"

    answer = await send(own, ID, part, boundary=boundary)

    assert (answer.status, answer.json["size"]) == (201, len(data))


@pytest.mark.parametrize("step", [1, 7])
async def test_a_form_may_come_in_the_smallest_pieces(own: Any, step: int) -> None:
    body = b"--X\r\n" + FILE + b"--X\r\n" + ID + b"--X--\r\n"

    async def pieces() -> Any:
        for start in range(0, len(body), step):
            yield body[start : start + step]

    answer = await own.call(
        "POST",
        "/v1/buckets/b1/files",
        data=pieces(),
        headers=JWT | {"Content-Type": "multipart/form-data; boundary=X"},
    )

    assert (answer.status, answer.json["size"]) == (201, 5)


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ([ID], '"file" is not optional'),
        ([FILE], '"fileId" is not optional'),
        ([ID, FILE, FILE], "more than one file"),
        ([ID, FILE.replace(b'name="file"', b'name="code"')], "must be the part file"),
        ([b"Content-Disposition: form-data\r\n\r\nx\r\n"], "no name"),
        ([b"Content-Type: text/plain\r\n\r\nx\r\n"], "no name"),
        ([b'Content-Disposition: attachment; name="fileId"\r\n\r\nx\r\n'], "no name"),
        ([b"Content-Transfer-Encoding: base64\r\n" + FILE], "Content-Transfer-Encoding"),
        ([b"X: y\r\n" * 9 + FILE], "told apart"),
        ([b"X: " + b"y" * 5000 + b"\r\n" + FILE], "told apart"),
        ([b"X\x00: y\r\n" + FILE], "told apart"),
        ([field("fileId", b"x" * 65 * KIB)], "more than 65536 bytes"),
        ([field(f"f{number}", b"x" * KIB) for number in range(65)], "more than 65536 bytes"),
        ([field("f", b"")] * 1001, "too many fields"),
        ([field("fileId", b"\xff"), FILE], "UTF-8"),
        ([field("fileId", b"a\0b"), FILE], "NUL"),
        ([field("fileId", b"!"), FILE], "fileId"),
        ([ID, field("size", b"many"), FILE], "size"),
    ],
)
async def test_a_malformed_form_is_an_invalid_argument(own: Any, parts: list[bytes], told: str) -> None:
    answer = await send(own, *parts)

    assert answer.error == INVALID
    assert told in answer.json["message"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no form",
        b"--X",
        b"--X\r\n" + ID,
        b"--X\r\n" + FILE[:-2],
        b"--X\r\n" + ID + b"--X\r\n" + FILE,
        b"--Y\r\n" + FILE + b"--Y--\r\n",
    ],
)
async def test_a_form_that_does_not_end_is_malformed(own: Any, body: bytes) -> None:
    assert (await send_body(own, body)).error == INVALID


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "multipart/form-data",
        "multipart/mixed; boundary=X",
        f"multipart/form-data; boundary={'x' * 300}",
    ],
)
async def test_a_body_that_is_no_form_is_refused_as_such(own: Any, content_type: str) -> None:
    answer = await send(own, ID, FILE, content_type=content_type)

    assert answer.error == INVALID
    assert "The form is malformed" in answer.json["message"]


async def test_an_id_in_the_path_is_checked_before_the_form_is_read(own: Any) -> None:
    answer = await send(own, ID, FILE, path="_b")

    assert answer.error == INVALID
    assert "bucketId" in answer.json["message"]


async def test_a_form_beyond_the_limit_is_too_large(own: Any) -> None:
    async def endless() -> Any:
        yield b'--X\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        for _ in range(2 * MOST // MIB):
            yield bytes(MIB)

    answer = await own.call(
        "POST",
        "/v1/buckets/b1/files",
        data=endless(),
        headers=JWT | {"Content-Type": "multipart/form-data; boundary=X"},
    )

    assert answer.error == (413, "general_payload_too_large")


@pytest.mark.parametrize(
    "data", [b"-" * 512 * KIB, b"\r\n-" * 128 * KIB, bytes(512 * KIB)], ids=["hyphens", "lines", "zeros"]
)
async def test_other_calls_have_their_turn_while_a_form_is_parsed(serve: Any, data: bytes) -> None:
    deps = Deps()
    own = await serve(deps, routes=routes)

    async with running([deps.count_turns()]):
        answer = await send(own, ID, FILE.replace(b"hello", data))

    assert (answer.status, answer.json["size"]) == (201, len(data))
    assert max(deps.received_in.values()) <= PARSED_BYTES + len(b"\r\n--X")


async def test_a_long_file_takes_little_memory(own: Any) -> None:
    async def parts() -> Any:
        yield b"--X\r\n" + ID + b'--X\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        for _ in range(7 * MIB // (64 * KIB)):
            yield bytes(64 * KIB)
            await asyncio.sleep(0)
        yield b"\r\n--X--\r\n"

    tracemalloc.start()
    answer = await own.call(
        "POST", "/v1/buckets/b1/files", data=parts(), headers=JWT | {"Content-Type": "multipart/form-data; boundary=X"}
    )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (answer.status, answer.json["size"]) == (201, 7 * MIB)
    assert peak < 3 * MIB
