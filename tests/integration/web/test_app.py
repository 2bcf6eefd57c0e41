import asyncio
import socket
from typing import Any

import msgspec
import structlog

from shared.appwrite.clientinfo import Edge


async def test_a_request_in_flight_ends_before_the_server_stops(serve: Any, deps: Any) -> None:
    client = await serve(deps)
    slow = asyncio.create_task(client.call("GET", "/v1/slow"))
    await deps.begun.wait()

    stopping = asyncio.create_task(client.app.stop(grace_s=30))
    await refuses_connections(client.port)
    deps.released.set()

    answer = await slow
    assert (answer.status, answer.headers["Connection"]) == (200, "close")
    await stopping


async def test_one_that_does_not_end_is_given_up(serve: Any, deps: Any) -> None:
    client = await serve(deps)
    slow = asyncio.create_task(client.call("GET", "/v1/slow"))
    await deps.begun.wait()

    await client.app.stop(grace_s=0.1)

    assert isinstance((await asyncio.gather(slow, return_exceptions=True))[0], Exception)


async def test_idle_connections_are_closed_when_the_server_stops(serve: Any) -> None:
    client = await serve()
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    await reader.readuntil(b"ok")

    await client.app.stop()

    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()


async def test_an_application_may_listen_on_a_socket_that_it_is_given(serve: Any) -> None:
    client = await serve()
    given = socket.create_server(("127.0.0.1", 0))
    client.port = given.getsockname()[1]

    assert await client.app.start(given) == client.port
    assert (await client.call("GET", "/livez")).content == b"ok"


async def fine() -> None: ...


async def gone() -> None:
    raise ConnectionRefusedError("at 10.0.0.1, with password hunter2")


async def hangs() -> None:
    await asyncio.Event().wait()


async def test_readiness_is_the_sum_of_its_checks(serve: Any) -> None:
    good = await serve(checks={"redis": fine})
    bad = await serve(checks={"redis": fine, "postgres": gone, "feed": hangs})

    ready = await good.call("GET", "/readyz", project=None)
    unready = await bad.call("GET", "/readyz", project=None)

    assert (ready.status, ready.json) == (200, {"status": "ready", "checks": {"redis": "ok"}})
    assert unready.status == 503
    assert unready.json["checks"] == {"redis": "ok", "postgres": "ConnectionRefusedError", "feed": "TimeoutError"}
    assert (await bad.call("GET", "/livez", project=None)).status == 200


async def test_a_server_that_drains_is_not_ready_but_serves(serve: Any) -> None:
    client = await serve()

    client.app.drain()

    unready = await client.call("GET", "/readyz", project=None)
    assert (unready.status, unready.json["checks"]) == (503, {"draining": "about to stop"})
    assert (await client.call("GET", "/v1/ping")).content == b"Pong!"


async def test_health_is_for_keys(client: Any) -> None:
    answer = await client.call("GET", "/v1/health", headers={"X-Appwrite-Key": "standard_good"})

    assert answer.json == {"name": "http", "ping": 0, "status": "pass"}
    assert (await client.call("GET", "/v1/health")).error == (401, "general_unauthorized_scope")


async def test_the_openapi_document_covers_all_routes_or_is_the_given_one(client: Any, serve: Any) -> None:
    own = (await client.call("GET", "/v1/openapi.json", project=None)).json
    other = await serve(document=b'{"openapi":"3.1.0"}')

    assert {path for endpoint in client.app.endpoints for path in endpoint.paths} == set(own["paths"])
    assert (await other.call("GET", "/v1/openapi.json")).json == {"openapi": "3.1.0"}


async def test_the_request_id_is_in_the_log(client: Any) -> None:
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as logs:
        answer = await client.call("GET", "/v1/broken")

    assert [line["request_id"] for line in logs if line["log_level"] == "error"] == [answer.headers["X-Request-Id"]]


async def test_https_behind_a_proxy_is_told_to_stay_so(serve: Any) -> None:
    trusted = await serve(edge=Edge(trusted_proxies=["127.0.0.0/8"]))

    secure = await trusted.call("GET", "/v1/open", headers={"X-Forwarded-Proto": "https"})
    plain = await trusted.call("GET", "/v1/open")

    assert secure.headers["Strict-Transport-Security"] == "max-age=10886400"
    assert "Strict-Transport-Security" not in plain.headers


async def test_the_address_of_a_client_comes_from_a_trusted_proxy_only(serve: Any, client: Any) -> None:
    trusted = await serve(edge=Edge(trusted_proxies=["127.0.0.1/32"]))
    forwarded = {"X-Forwarded-For": "203.0.113.7"}

    assert (await trusted.call("GET", "/v1/open", headers=forwarded)).json["ip"] == "203.0.113.7"
    assert (await client.call("GET", "/v1/open", headers=forwarded)).json["ip"] == "127.0.0.1"


async def test_answers_are_bytes_of_json_as_msgspec_writes_them(client: Any) -> None:
    answer = await client.call("GET", "/v1/users/u1")

    assert answer.content == msgspec.json.encode({"userId": "u1", "queries": [], "total": True})


async def refuses_connections(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return
        writer.close()
        await asyncio.sleep(0)
