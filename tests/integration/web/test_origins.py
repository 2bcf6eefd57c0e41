from typing import Any

import pytest

from shared.appwrite.clientinfo import Edge
from shared.contracts.credentials import SessionSecret

PAGE = {"Origin": "https://App.test:8443"}
EVIL = {"Origin": "https://evil.test"}
SECRET = SessionSecret("u1", "secret").wire()
SIGNED_IN = f"a_session_demo={SECRET}"
SESSION = {"X-Appwrite-Session": SECRET}


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
async def test_another_page_may_only_read_how_to_be_allowed(client: Any) -> None:
    answer = await client.call("GET", "/v1/open", headers=EVIL)

    assert answer.error == (403, "general_unknown_origin")
    assert answer.headers["Access-Control-Allow-Origin"] == "https://evil.test"
    assert "daypass project update demo --add-origin evil.test" in answer.json["message"]


@pytest.mark.parametrize(
    "credentials",
    [{"X-Appwrite-JWT": "forged"}, {"X-Appwrite-JWT": "good", "Cookie": SIGNED_IN}, {"Cookie": SIGNED_IN}],
)
async def test_another_page_reads_the_same_whatever_credentials_its_visitor_has(
    client: Any, credentials: dict[str, str]
) -> None:
    without = await client.call("GET", "/v1/account", headers=EVIL)
    answer = await client.call("GET", "/v1/account", headers=EVIL | credentials)

    assert answer == without
    assert answer.headers["Access-Control-Allow-Origin"] == without.headers["Access-Control-Allow-Origin"]


@pytest.mark.parametrize("cookies", [{}, {"Cookie": SIGNED_IN}])
async def test_another_page_with_a_key_that_it_made_up_reads_nothing(client: Any, cookies: dict[str, str]) -> None:
    made_up = EVIL | {"X-Appwrite-Key": "standard_made_up", "X-Appwrite-JWT": "good"} | cookies
    answer = await client.call("GET", "/v1/account", headers=made_up)

    assert answer.status in {401, 403}
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(
    ("method", "path", "project", "error"),
    [
        ("GET", "/v1/nowhere", "demo", (404, "general_route_not_found")),
        ("PATCH", "/v1/open", "demo", (404, "general_route_not_found")),
        ("GET", "/", None, (404, "general_route_not_found")),
        ("GET", "/v1/open", "nothing", (404, "project_not_found")),
        ("GET", "/v1/open", None, (404, "project_not_found")),
        ("GET", "/v1/open", "away", (503, "principal_unavailable")),
        ("GET", "/v1/broken", None, (500, "general_server_error")),
    ],
)
async def test_any_page_may_read_an_error_that_comes_before_its_project_is_known(
    client: Any, method: str, path: str, project: str | None, error: tuple[int, str]
) -> None:
    answer = await client.call(method, path, project=project, headers=EVIL)

    assert answer.error == error
    assert answer.headers.getall("Access-Control-Allow-Origin") == ["https://evil.test"]
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"


@pytest.mark.parametrize("project", ["demo", None])
async def test_a_page_may_read_that_its_body_is_too_large(client: Any, project: str | None) -> None:
    body = {"thingId": "one", "note": "x" * 70_000}
    answer = await client.call("POST", "/v1/admitted", project=project, headers=PAGE | SESSION, json=body)

    assert answer.error == (413, "general_payload_too_large")
    assert answer.headers.getall("Access-Control-Allow-Origin") == ["https://app.test:8443"]


async def test_a_page_may_read_that_what_it_sent_is_not_http(client: Any) -> None:
    answer = await client.raw(b"GET /v1/open HTTP/1.1\r\nHost: x\r\nOrigin: https://app.test\r\nbroken\r\n\r\n")

    assert b" 400 " in answer.splitlines()[0]
    assert b"\r\nAccess-Control-Allow-Origin: *\r\n" in answer


async def test_any_page_may_read_what_is_public(client: Any) -> None:
    answer = await client.call("GET", "/v1/openapi.json", project=None, headers=EVIL)
    navigated = await client.call("GET", "/v1/openapi.json", project=None)

    assert answer.headers["Access-Control-Allow-Origin"] == "https://evil.test"
    assert navigated.headers["Vary"] == "Origin"
    for path in ("/livez", "/readyz"):
        health = await client.call("GET", path, project=None, headers=EVIL)
        assert "Access-Control-Allow-Origin" not in health.headers


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
