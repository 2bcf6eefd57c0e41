"""WebSockets: authenticated as any call, and closed with a code that says why."""

import asyncio
import contextlib
import struct
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import WSMsgType

from shared.contracts.credentials import SessionSecret
from shared.kernel.errors import ErrorType, Refusal
from shared.web.endpoint import Call, Caller, Routes, Stream, Upgrade, WebSocket
from shared.web.timing import WebTiming
from tests.eventually import eventually
from tests.integration.web.conftest import SESSION

KIB, MIB = 1024, 1024 * 1024
SIGNED_IN = {"X-Appwrite-Session": SessionSecret("u1", "fresh").wire()}
JWT = {"X-Appwrite-JWT": "good"}
KEY = {"X-Appwrite-Key": "standard_good"}
PROJECT = {"X-Appwrite-Project": "demo"}
FOREIGN = {"Origin": "https://evil.test"}


class Deps(msgspec.Struct, kw_only=True):
    opened: asyncio.Event = msgspec.field(default_factory=asyncio.Event)
    closed: asyncio.Event = msgspec.field(default_factory=asyncio.Event)
    sent: int = 0


class Listen(msgspec.Struct):
    channels: list[str] = []


routes: Routes[Deps] = Routes("realtime")


@routes.endpoint(
    "GET", "/v1/echo", name="echo", callers=Caller.ANYONE, scopes=("rows.read", "users.read"),
    upgrade=Upgrade(subprotocols=("v2", "v1"), max_message_bytes=64 * KIB, ping_s=0.4),
)  # fmt: skip
async def echo(call: Call[Deps], params: Listen, socket: WebSocket) -> None:
    call.deps.opened.set()
    try:
        await socket.send(
            f"{call.principal.kind.value} {call.principal.user_id} {params.channels} {socket.subprotocol}"
        )
        async for message in socket:
            if message == "fail":
                raise ValueError("the password is hunter2")
            if message == "refuse":
                raise Refusal(ErrorType.ROW_NOT_FOUND)
            if message == "end":
                return
            await socket.send(message)
    finally:
        call.deps.closed.set()


@routes.endpoint("GET", "/v1/push", name="push", callers=Caller.USER, scopes=("account",), upgrade=Upgrade())
async def push(call: Call[Deps], socket: WebSocket) -> None:
    try:
        while True:
            await socket.send(b"x" * 16 * KIB)
            call.deps.sent += 1
    finally:
        call.deps.closed.set()


@routes.endpoint("GET", "/v1/wait", name="wait", callers=Caller.ANYONE, scopes=("rows.read",), upgrade=Upgrade())
async def wait(call: Call[Deps], socket: WebSocket) -> None:
    call.deps.opened.set()
    try:
        await asyncio.Event().wait()
    finally:
        call.deps.closed.set()


@routes.endpoint("GET", "/v1/events", name="events", callers=Caller.ANYONE, scopes=("rows.read",))
async def events(call: Call[Deps]) -> Stream:
    async def rest() -> AsyncGenerator[bytes, None]:
        try:
            call.deps.opened.set()
            await asyncio.Event().wait()
            yield b"never"
        finally:
            call.deps.closed.set()

    return Stream(b"data: first\n\n", rest(), content_type="text/event-stream")


@pytest.fixture
def deps() -> Deps:
    return Deps()


@pytest.fixture
async def own(serve: Any, deps: Deps) -> Any:
    return await serve(deps, routes=routes)


@pytest.fixture
async def connect(own: Any, http: aiohttp.ClientSession) -> AsyncIterator[Any]:
    opened: list[aiohttp.ClientWebSocketResponse] = []

    async def start(path: str = "/v1/echo", headers: dict[str, str] = JWT, **options: Any) -> Any:
        socket = await http.ws_connect(f"http://127.0.0.1:{own.port}{path}", headers=PROJECT | headers, **options)
        opened.append(socket)
        return socket

    yield start
    for socket in opened:
        await socket.close()


async def code_of(socket: aiohttp.ClientWebSocketResponse) -> tuple[int | None, str]:
    """Return with which code and words the server closes, whatever it sends before."""
    async with asyncio.timeout(20):
        while (message := await socket.receive()).type in {WSMsgType.TEXT, WSMsgType.BINARY}:
            pass
    assert message.type is WSMsgType.CLOSE
    return message.data, message.extra


@pytest.mark.parametrize(
    ("headers", "who"),
    [(SIGNED_IN, "session u1"), (JWT, "jwt u1"), (KEY, "key "), ({}, "guest "), (KEY | FOREIGN, "key ")],
)
async def test_messages_go_both_ways_for_whoever_may_call(connect: Any, headers: dict[str, str], who: str) -> None:
    socket = await connect("/v1/echo?channels[]=a&channels[]=b", headers)

    assert await socket.receive_str() == f"{who} ['a', 'b'] "
    await socket.send_str("hello")
    assert await socket.receive_str() == "hello"
    await socket.send_bytes(b"\0\1")
    assert await socket.receive_bytes() == b"\0\1"
    await socket.send_str("end")
    assert await code_of(socket) == (1000, "")


async def test_the_query_may_name_the_project_as_browsers_must(own: Any, http: aiohttp.ClientSession) -> None:
    cookie = {"Cookie": f"a_session_demo={SIGNED_IN['X-Appwrite-Session']}", "Origin": "https://app.test"}
    async with http.ws_connect(f"http://127.0.0.1:{own.port}/v1/echo?project=demo", headers=cookie) as socket:
        assert (await socket.receive_str()).startswith("session u1")


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/v1/echo", FOREIGN, 403),
        ("/v1/echo", FOREIGN | SIGNED_IN, 403),
        ("/v1/echo", {"X-Appwrite-JWT": "forged"}, 401),
        ("/v1/echo", {"X-Appwrite-JWT": "blocked"}, 403),
        ("/v1/echo", {"X-Appwrite-Project": "other"}, 404),
        ("/v1/push", {}, 401),
        ("/v1/push", KEY, 401),
        ("/v1/echo", {"Sec-WebSocket-Version": "1"}, 400),
        ("/v1/echo", {"Sec-WebSocket-Protocol": "v9"}, 400),
        ("/v1/wait", {"Sec-WebSocket-Protocol": "v1"}, 400),
    ],
)
async def test_a_caller_without_the_right_is_refused_before_the_upgrade(
    connect: Any, deps: Deps, path: str, headers: dict[str, str], status: int
) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await connect(path, headers)

    assert refused.value.status == status
    assert not deps.opened.is_set()


async def test_a_call_that_is_no_upgrade_is_told_so(own: Any) -> None:
    assert (await own.call("GET", "/v1/echo")).error == (400, "general_bad_request")


async def test_the_first_subprotocol_of_the_client_that_is_known_is_spoken(connect: Any) -> None:
    socket = await connect(protocols=("v0", "v1", "v2"))

    assert socket.protocol == "v1"
    assert (await socket.receive_str()).endswith(" v1")


@pytest.mark.parametrize(("path", "headers"), [("/v1/wait", SIGNED_IN), ("/v1/echo", SIGNED_IN), ("/v1/push", JWT)])
async def test_the_end_of_the_session_ends_the_websocket(
    connect: Any, own: Any, deps: Deps, path: str, headers: dict[str, str]
) -> None:
    socket = await connect(path, headers)
    own.guard.cache.apply(1, ("session:demo/another",))
    if path == "/v1/echo":
        await socket.receive_str()
        await socket.send_str("still here")
        assert await socket.receive_str() == "still here"

    own.guard.cache.apply(2, (SESSION,))

    assert await code_of(socket) == (1008, "The caller's rights have changed.")
    await asyncio.wait_for(deps.closed.wait(), 20)
    assert len(own.guard.watches) == 0


async def test_where_rights_cannot_be_checked_the_client_is_asked_to_come_back(connect: Any, own: Any) -> None:
    socket = await connect("/v1/wait")

    own.guard.cache.end_lease()

    assert (await code_of(socket))[0] == 1013


async def test_a_server_that_is_about_to_stop_sends_clients_elsewhere(connect: Any, own: Any, deps: Deps) -> None:
    socket = await connect("/v1/wait")
    await asyncio.wait_for(deps.opened.wait(), 20)

    own.app.drain()

    assert (await code_of(socket))[0] == 1001


@pytest.mark.parametrize(("message", "code", "reason"), [("fail", 1011, ""), ("refuse", 1008, "row_not_found")])
async def test_a_handler_that_fails_closes_without_saying_more(
    connect: Any, message: str, code: int, reason: str
) -> None:
    socket = await connect()
    await socket.send_str(message)

    assert await code_of(socket) == (code, reason)


async def test_a_message_beyond_the_limit_closes(connect: Any) -> None:
    socket = await connect()
    await socket.send_bytes(bytes(64 * KIB + 1))

    assert (await code_of(socket))[0] == 1009


UPGRADE = (
    b"GET %b HTTP/1.1\r\nHost: x\r\nX-Appwrite-Project: demo\r\nX-Appwrite-JWT: good\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


async def test_a_frame_that_is_announced_too_long_is_not_collected(own: Any) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", own.port)
    writer.write(UPGRADE % b"/v1/echo")
    await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
    writer.write(struct.pack("!BBQ4s", 0x82, 0xFF, 1 << 30, b"\0\0\0\0") + bytes(256 * KIB))

    with contextlib.suppress(ConnectionResetError):  # closed before all that was sent had been read
        await asyncio.wait_for(reader.read(), 20)
    writer.close()


async def test_a_client_that_answers_no_ping_is_given_up(own: Any, deps: Deps) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", own.port)
    writer.write(UPGRADE % b"/v1/echo")

    await asyncio.wait_for(deps.closed.wait(), 20)
    writer.close()


@pytest.mark.parametrize("path", ["/v1/echo", "/v1/wait", "/v1/events"])
async def test_a_client_that_disappears_ends_its_handler(own: Any, deps: Deps, path: str) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", own.port)
    writer.write(UPGRADE % path.encode())
    await asyncio.wait_for(deps.opened.wait(), 20)

    writer.transport.abort()

    await asyncio.wait_for(deps.closed.wait(), 20)
    await eventually(lambda: len(own.guard.watches), 0)


async def test_a_client_that_takes_nothing_is_given_up(serve: Any, deps: Deps) -> None:
    own = await serve(deps, routes=routes, timing=WebTiming(message_s=0.5))
    reader, writer = await asyncio.open_connection("127.0.0.1", own.port, limit=KIB)
    writer.write(UPGRADE % b"/v1/push")
    await reader.readexactly(KIB)

    await asyncio.wait_for(deps.closed.wait(), 30)
    assert deps.sent * 16 * KIB < 32 * MIB
    writer.transport.abort()


async def test_a_stream_that_waits_ends_with_the_session(own: Any, deps: Deps, http: aiohttp.ClientSession) -> None:
    url = f"http://127.0.0.1:{own.port}/v1/events"
    async with http.get(url, headers=PROJECT | SIGNED_IN) as answer:
        assert answer.headers["Content-Type"] == "text/event-stream"
        assert await answer.content.readexactly(13) == b"data: first\n\n"
        own.guard.cache.apply(1, (SESSION,))
        with pytest.raises(aiohttp.ClientError):
            await asyncio.wait_for(answer.content.read(), 20)

    await asyncio.wait_for(deps.closed.wait(), 20)
