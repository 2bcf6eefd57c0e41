from typing import Any

import pytest

from shared.appwrite.clientinfo import Edge

PAGE = {"Origin": "https://App.test:8443"}


@pytest.mark.parametrize("path", ["/v1/account", "/v1/nowhere", "/"])
@pytest.mark.parametrize("origin", ["https://evil.test", "http://localhost:3000"])
@pytest.mark.check("identity 55")
async def test_a_preflight_is_answered_for_any_path_and_origin(client: Any, path: str, origin: str) -> None:
    answer = await client.call("OPTIONS", path, project=None, headers={"Origin": origin})

    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, POST, PUT, PATCH, DELETE"
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert answer.headers["Access-Control-Max-Age"] == "86400"
    assert "X-Appwrite-Project, " in answer.headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize(("path", "status"), [("/v1/open", 200), ("/v1/account", 401), ("/v1/users/_", 400)])
async def test_an_allowed_page_may_read_answers_and_errors(client: Any, path: str, status: int) -> None:
    answer = await client.call("GET", path, headers=PAGE)

    assert answer.status == status
    assert answer.headers["Access-Control-Allow-Origin"] == "https://app.test:8443"
    assert answer.headers["Access-Control-Expose-Headers"] == "X-Appwrite-Session, X-Fallback-Cookies"
    assert answer.headers["Vary"] == "Origin"


async def test_an_allowed_page_reads_why_its_credential_is_refused(client: Any) -> None:
    answer = await client.call("GET", "/v1/account", headers=PAGE | {"X-Appwrite-JWT": "forged"})

    assert answer.error == (401, "user_jwt_invalid")
    assert "Access-Control-Allow-Origin" in answer.headers


@pytest.mark.check("identity 54")
async def test_another_page_may_not(client: Any) -> None:
    answer = await client.call("GET", "/v1/open", headers={"Origin": "https://evil.test"})

    assert answer.error == (403, "general_unknown_origin")
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "--origin evil.test" in answer.json["message"]


async def test_a_public_host_may_call_itself(serve: Any) -> None:
    public = await serve(edge=Edge(public_urls=["https://api.example.com"]))
    headers = {"Origin": "https://api.example.com", "Host": "api.example.com:443"}

    assert (await public.call("GET", "/v1/open", headers=headers)).status == 200


async def test_without_public_hosts_only_a_local_host_may_call_itself(client: Any) -> None:
    local = {"Origin": "http://192.168.0.7:3000", "Host": "192.168.0.7:8080"}
    named = {"Origin": "https://api.example.com", "Host": "api.example.com:443"}

    assert (await client.call("GET", "/v1/open", headers=local)).status == 200
    assert (await client.call("GET", "/v1/open", headers=named)).error == (403, "general_unknown_origin")


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
@pytest.mark.parametrize("path", ["/v1/open", "/v1/nowhere", "/v1/openapi.json"])
async def test_only_public_hosts_are_served_if_any_are_set(serve: Any, path: str, method: str) -> None:
    public = await serve(edge=Edge(public_urls=["https://api.example.com"], trusted_proxies=["127.0.0.1"]))

    for headers in ({"Host": "evil.example"}, {"Host": "api.example.com", "X-Forwarded-Host": "evil.example"}):
        refused = await public.call(method, path, headers=headers)
        assert refused.error == (401, "general_access_forbidden")
        assert "DAYPASS_PUBLIC_URL" in refused.json["message"]


async def test_health_is_told_under_any_host_and_all_under_internal_ones(serve: Any) -> None:
    public = await serve(edge=Edge(public_urls=["https://api.example.com"]))

    for path in ("/livez", "/readyz"):
        assert (await public.call("GET", path, headers={"Host": "10.0.0.7"})).status == 200
        assert (await public.call("GET", path, headers={"Host": "pod.cluster.example"})).status == 200
    for host in ("api.example.com", "localhost:8080", "127.0.0.1", "gateway:8080"):
        assert (await public.call("GET", "/v1/open", headers={"Host": host})).status == 200


async def test_a_request_without_an_origin_gets_no_cors_headers(client: Any) -> None:
    assert "Access-Control-Allow-Origin" not in (await client.call("GET", "/v1/open")).headers


async def test_an_origin_that_is_no_ascii_is_never_echoed(client: Any) -> None:
    answer = await client.raw(
        b"OPTIONS /v1/open HTTP/1.1\r\nHost: x\r\nOrigin: http://localhost:\xff\r\nConnection: close\r\n\r\n"
    )

    assert answer.startswith(b"HTTP/1.1 204 ")
    assert b"Access-Control-Allow-Origin" not in answer
