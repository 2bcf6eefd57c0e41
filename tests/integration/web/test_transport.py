import asyncio
import contextlib
import http.client
import io
from typing import Any

import msgspec
import pytest

from shared.web.timing import WebTiming

MIB = 1024 * 1024
JSON = {"Content-Type": "application/json"}
JWT = {"X-Appwrite-JWT": "good"}
INVALID = (400, "general_argument_invalid")


def split(answer: bytes) -> tuple[int, dict[str, str], Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return int(status.split()[1]), headers, msgspec.json.decode(body)


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/nope", "/v1/users", "/v1/users/a/b", "/v1/ping/", "/%00", "/v1/ping%2f"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PATCH", "TRACE"])
async def test_an_undeclared_path_is_a_json_404(client: Any, method: str, path: str) -> None:
    assert (await client.call(method, path)).error == (404, "general_route_not_found")


async def test_another_method_is_another_route(client: Any) -> None:
    assert (await client.call("POST", "/v1/ping")).error == (404, "general_route_not_found")


async def test_head_is_a_get_without_its_body(client: Any) -> None:
    got = await client.call("GET", "/v1/ping")
    headed = await client.call("HEAD", "/v1/ping")

    assert (headed.status, headed.content) == (200, b"")
    assert headed.headers["Content-Length"] == got.headers["Content-Length"]


async def test_a_literal_path_goes_before_a_parameter(client: Any) -> None:
    assert (await client.call("GET", "/v1/users/identities")).json == {"identities": []}
    assert (await client.call("GET", "/v1/users/u1")).json["userId"] == "u1"


@pytest.mark.check("identity 95")
@pytest.mark.parametrize(("method", "path"), [("OPTIONS", "/v1/anything"), ("DELETE", "/v1/account/sessions/current")])
async def test_no_content_is_not_called_json(client: Any, method: str, path: str) -> None:
    answer = await client.call(method, path, headers={"X-Appwrite-JWT": "good"})

    assert (answer.status, answer.content) == (204, b"")
    assert answer.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize(
    ("query", "body", "read"), [("?flag=true", None, True), ("?flag=true", {}, False), ("", None, False)]
)
async def test_a_delete_without_a_body_reads_its_query(client: Any, query: str, body: object, read: bool) -> None:
    assert (await client.call("DELETE", f"/v1/things{query}", json=body)).json == {"flag": read}


async def test_an_unexpected_failure_tells_nothing(client: Any) -> None:
    answer = await client.call("GET", "/v1/broken")

    assert answer.error == (500, "general_server_error")
    assert b"hunter2" not in answer.content


@pytest.mark.parametrize(("sent", "kept"), [("abc-DEF_123", True), ("a" * 65, False), ("a b", False), ("a;b", False)])
async def test_a_sane_request_id_is_kept(client: Any, sent: str, kept: bool) -> None:
    first = await client.call("GET", "/livez", headers={"X-Request-Id": sent})
    second = await client.call("GET", "/livez")

    assert (first.headers["X-Request-Id"] == sent) is kept
    assert second.headers["X-Request-Id"] != first.headers["X-Request-Id"]


@pytest.mark.parametrize(
    ("query", "queries", "total"),
    [
        ("", [], True),
        ("?queries[0]=a&queries[1]=b", ["a", "b"], True),
        ("?queries%5B0%5D=a%20b&queries%5B1%5D=c%2Bd", ["a b", "c+d"], True),
        ("?queries[]=a&queries[]=b", ["a", "b"], True),
        ("?queries=a", ["a"], True),
        ("?queries=a&queries=b", ["a", "b"], True),
        ("?total=false", [], False),
        ("?total=0&total=1", [], True),
        ("?unknown[x]=1&=&&%3D", [], True),
    ],
)
async def test_queries_are_read(client: Any, query: str, queries: list[str], total: bool) -> None:
    reply = await client.raw(
        f"GET /v1/users/u1{query} HTTP/1.1\r\nHost: x\r\nX-Appwrite-Project: demo\r\n"
        "content-type:\r\nConnection: close\r\n\r\n".encode()
    )

    status, _, body = split(reply)
    assert (status, body) == (200, {"userId": "u1", "queries": queries, "total": total})


@pytest.mark.parametrize(
    "query",
    [
        "?queries[a]=x",
        "?queries[0][1]=x",
        "?queries[-1]=x",
        "?queries[0=x",
        "?queries[0]=x&queries[one]=y",
        "?queries[0]=%00",
        "?%00=1",
        "?queries[0]=%ff",
        "?queries[0]=%ED%A0%80",
        "?total=maybe",
        "?total[]=1",
        "?queries[x]=1&queries[0]=a&total=",
        "?" + "&".join(f"a{n}=1" for n in range(1001)),
    ],
)
async def test_a_bad_query_is_refused(client: Any, query: str) -> None:
    assert (await client.call("GET", f"/v1/users/u1{query}")).error == INVALID


THING: dict[str, Any] = {"thingId": "t1", "note": None}


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "text/plain", ""])
async def test_a_body_is_json_whatever_it_is_called(client: Any, content_type: str) -> None:
    body = msgspec.json.encode(THING | {"data": {"a": {"b": [1, None, "é"]}}})

    answer = await client.call("POST", "/v1/things", data=body, headers={"Content-Type": content_type})

    assert answer.status == 201
    assert answer.json["data"] == {"a": {"b": [1, None, "é"]}}


async def test_a_body_may_be_a_form(client: Any) -> None:
    form = "thingId=t1&note=&tags[0]=a&tags[1]=b+c&enabled=1&size=-3&project=demo"

    answer = await client.call(
        "POST", "/v1/things", data=form, project=None, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )

    assert answer.status == 201
    assert answer.json["tags"] == ["a", "b c"]
    assert (answer.json["note"], answer.json["enabled"], answer.json["size"]) == ("", True, -3)


async def test_the_last_of_two_equal_keys_counts(client: Any) -> None:
    answer = await client.call("POST", "/v1/things", data=b'{"thingId":"a","note":null,"thingId":"b"}', headers=JSON)

    assert answer.json["thingId"] == "b"


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b" [] ", b'{"unknown": 1}'])
async def test_an_empty_body_is_an_empty_object(client: Any, body: bytes) -> None:
    assert (await client.call("POST", "/v1/touch", data=body, headers=JSON)).content == b"touched"
    assert (await client.call("POST", "/v1/things", data=body, headers=JSON)).json["message"] == (
        'Param "thingId" is not optional.'
    )


async def test_an_empty_list_is_an_empty_object_as_php_writes_it(client: Any) -> None:
    body = b'{"thingId":"t","note":null,"data":[]}'
    answer = await client.call("POST", "/v1/things", data=body, headers=JSON | JWT)

    assert (answer.status, answer.json["data"]) == (201, {})


BAD_BODIES = [
    b"{",
    b"[1]",
    b"[[]]",
    b"null",
    b'"x"',
    b"\xff",
    b"\xef\xbb\xbf{}",
    b'{"thingId":"t","note":"\xff"}',
    b'{"thingId":"t","note":"\\u0000"}',
    b'{"thingId":"t","note":"\\\\\\u0000"}',
    b'{"thingId":"t","note":null,"data":{"\\u0000":1}}',
    b'{"thingId":"t","note":"\x00"}',
    b'{"thingId":"t","note":"\\ud800"}',
    b'{"thingId":"t","note":null,"size":NaN}',
    b'{"thingId":"t","note":null,"data":{"a":Infinity}}',
    b'{"thingId":"t","note":null,"data":{"a":1e999}}',
    b'{"thingId":"t","note":null,"size":' + b"9" * 30 + b"}",
    b'{"thingId":"t","note":null,"size":' + b"9" * 5000 + b"}",
    b'{"thingId":"t","note":null,"data":' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"}",
    b"[" * 1_000_000,
    b'{"thingId":"t\\n","note":null}',
    b'{"thingId":["t"],"note":null}',
    b'{"thingId":"t","note":{}}',
]


@pytest.mark.parametrize("body", BAD_BODIES, ids=range(len(BAD_BODIES)))
async def test_a_bad_body_is_refused(client: Any, body: bytes) -> None:
    assert (await client.call("POST", "/v1/things", data=body, headers=JSON | JWT)).error == INVALID


async def test_an_escaped_backslash_before_u0000_is_no_nul(client: Any) -> None:
    body = b'{"thingId":"t","note":"\\\\u0000"}'

    assert (await client.call("POST", "/v1/things", data=body, headers=JSON)).json["note"] == "\\u0000"


async def test_a_body_of_10_mib_is_accepted(client: Any) -> None:
    body = msgspec.json.encode(THING | {"data": {"a": "x" * 10 * MIB}})

    answer = await client.call("POST", "/v1/things", data=io.BytesIO(body), headers=JSON | JWT)

    assert answer.status == 201


async def test_a_client_with_17_mib_reads_the_413(client: Any) -> None:
    def send() -> tuple[int, bytes]:
        # As the Python SDK does it: first all is sent, then the answer is read.
        connection = http.client.HTTPConnection("127.0.0.1", client.port)
        connection.request("POST", "/v1/things", b"x" * 17 * MIB, {"X-Appwrite-Project": "demo"})
        response = connection.getresponse()
        with contextlib.closing(connection):
            return response.status, response.read()

    status, body = await asyncio.to_thread(send)

    assert (status, msgspec.json.decode(body)["type"]) == (413, "general_payload_too_large")


async def test_a_body_of_unknown_length_that_is_too_large_is_refused(client: Any) -> None:
    async def chunks() -> Any:
        for _ in range(17):
            yield b"x" * MIB

    answer = await client.call("POST", "/v1/things", data=chunks())

    assert answer.error == (413, "general_payload_too_large")


async def test_a_connection_serves_on_after_a_413(client: Any) -> None:
    request = b"POST /v1/things HTTP/1.1\r\nHost: x\r\nX-Appwrite-Project: demo\r\nContent-Length: %d\r\n\r\n"
    then = b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

    answer = await client.raw(request % (17 * MIB), *[b"x" * MIB] * 17, then)

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert answer.endswith(b"\r\n\r\nok")


async def test_a_client_that_waits_for_100_continue_gets_it(client: Any) -> None:
    head = (
        b"POST /v1/touch HTTP/1.1\r\nHost: x\r\nX-Appwrite-Project: demo\r\nExpect: 100-continue\r\n"
        b"Content-Length: 2\r\nConnection: close\r\n\r\n"
    )

    answer = await client.raw(head, b"{}")

    first, _, rest = answer.partition(b"\r\n\r\n")
    assert first == b"HTTP/1.1 100 Continue"
    assert rest.startswith(b"HTTP/1.1 200 OK")


async def test_but_not_for_a_body_that_would_be_too_large(client: Any) -> None:
    head = (
        b"POST /v1/touch HTTP/1.1\r\nHost: x\r\nX-Appwrite-Project: demo\r\nExpect: 100-continue\r\n"
        b"Content-Length: 99999999\r\nConnection: close\r\n\r\n"
    )

    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(head)
    answer = await reader.readuntil(b"}")
    writer.close()
    await writer.wait_closed()

    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_9_kb_of_cookies_and_12_kb_of_query_work(client: Any) -> None:
    query = "&".join(f"queries[{n}]={'q' * 240}" for n in range(48))

    answer = await client.call("GET", f"/v1/users/u1?{query}", headers={"Cookie": "x=" + "c" * 9_000})

    assert answer.status == 200
    assert len(answer.json["queries"]) == 48


NO_HTTP = [
    b"nonsense\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03secret",
    b"GET /v1/ping\x00secret HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /v1/ping HTTP/1.1\r\nHost: x\r\nX-Bad: secret\x00\r\n\r\n",
    b"GET /v1/ping HTTP/1.1\r\nno colon secret\r\n\r\n",
    b"POST /v1/touch HTTP/1.1\r\nHost: x\r\nContent-Length: secret\r\n\r\n",
    b"POST /v1/touch HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"GET /" + b"s" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /v1/ping HTTP/1.1\r\nHost: x\r\nCookie: secret" + b"s" * 70_000 + b"\r\n\r\n",
    b"GET /v1/ping HTTP/1.1\r\n" + b"".join(b"X-%d: secret\r\n" % n for n in range(1000)) + b"\r\n",
]


@pytest.mark.parametrize("request_bytes", NO_HTTP, ids=range(len(NO_HTTP)))
async def test_a_request_that_is_not_http_is_answered_in_appwrites_shape(
    client: Any, request_bytes: bytes, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    status, headers, error = split(await client.raw(request_bytes))

    assert (status, error["type"]) == (400, "general_bad_request")
    assert headers["content-type"] == "application/json; charset=UTF-8"
    logged = caplog.text + "".join(capfd.readouterr())
    assert "secret" not in error["message"] + logged
    assert "sss" not in error["message"] + logged


@pytest.mark.parametrize("target", [b"/v1/users/\xff", b"/v1/users/u1?queries[0]=\xff", b"/v1/users/u1?\xed\xa0\x80=1"])
async def test_bytes_that_are_no_utf8_in_the_target_are_refused(client: Any, target: bytes) -> None:
    answer = await client.raw(
        b"GET " + target + b" HTTP/1.1\r\nHost: x\r\nX-Appwrite-Project: demo\r\nConnection: close\r\n\r\n"
    )

    assert split(answer)[0] == 400


@pytest.mark.parametrize(
    "name", ["X-Appwrite-Project", "X-Appwrite-JWT", "X-Appwrite-Key", "X-Appwrite-Session", "X-Fallback-Cookies",
             "Cookie", "Origin", "Referer", "X-Request-Id", "Content-Type", "Expect", "X-Forwarded-For", "Host"]
)  # fmt: skip
@pytest.mark.parametrize(
    "value", [b"\xff\xfe", b"\xed\xa0\x80", b"%00", b"a_session_demo=\xff", b"http://localhost:\xff", b"", b"\t"]
)
@pytest.mark.parametrize("method", [b"POST", b"OPTIONS"])
async def test_no_header_makes_the_server_fail(client: Any, method: bytes, name: str, value: bytes) -> None:
    lines = {"Host": b"x", "X-Appwrite-Project": b"demo", "Connection": b"close", "Content-Length": b"2"} | {
        name: value
    }
    head = b"".join(key.encode() + b": " + line + b"\r\n" for key, line in lines.items())

    answer = await client.raw(method + b" /v1/touch HTTP/1.1\r\n" + head + b"\r\n{}")

    assert answer
    assert b" 500 " not in answer.partition(b"\r\n")[0]


HALF_SENT = (
    b"Host: x\r\nX-Appwrite-Project: demo\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"
)


async def test_a_body_that_turns_into_garbage_is_given_up(serve: Any) -> None:
    client = await serve(timing=WebTiming(small_body_s=0.5))
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(b"POST /v1/touch HTTP/1.1\r\n" + HALF_SENT)
    await reader.readuntil(b"100 Continue\r\n\r\n")  # the body is being read by now
    writer.write(b"zz\r\nnonsense\r\n\r\n")

    answer = await reader.readuntil(b"}")
    writer.close()
    await writer.wait_closed()

    status, _, error = split(answer)
    assert (status, error["type"]) == (400, "general_bad_request")


async def test_a_client_that_goes_away_in_mid_body_is_no_failure(serve: Any, capfd: pytest.CaptureFixture[str]) -> None:
    own = await serve()
    reader, writer = await asyncio.open_connection("127.0.0.1", own.port)
    writer.write(b"POST /v1/touch HTTP/1.1\r\n" + HALF_SENT)
    await reader.readuntil(b"100 Continue\r\n\r\n")
    writer.transport.abort()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()

    await own.app.stop()

    assert "failed" not in "".join(capfd.readouterr())


ASKED = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize("before", [b"", ASKED], ids=["the first", "a later one"])
async def test_headers_that_do_not_come_are_given_up(serve: Any, before: bytes) -> None:
    client = await serve(timing=WebTiming(headers_s=0.5))
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(before)
    if before:
        await reader.readuntil(b"\r\n\r\nok")
    writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ")

    assert await asyncio.wait_for(reader.read(), 30) == b""
    writer.close()


async def test_headers_that_drip_are_given_up_too(serve: Any) -> None:
    client = await serve(timing=WebTiming(headers_s=0.5))
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(b"GET /livez HTTP/1.1\r\nX-Slow: ")

    async def drip() -> None:
        with contextlib.suppress(ConnectionError):
            while not writer.is_closing():
                writer.write(b"x")
                await asyncio.wait([closed], timeout=0.05)

    closed = asyncio.create_task(reader.read())
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        tasks.create_task(drip())
        with contextlib.suppress(ConnectionError):
            assert await closed == b""
        writer.close()


async def test_a_connection_on_which_nothing_is_asked_is_closed(serve: Any) -> None:
    own = await serve(timing=WebTiming(idle_s=0.5))

    assert await own.raw() == b""
    assert (await own.raw(ASKED)).endswith(b"ok")
