from typing import Any

import pytest

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


async def test_the_host_that_is_called_may_call_itself(client: Any) -> None:
    headers = {"Origin": "https://api.example.com", "Host": "api.example.com:443"}

    assert (await client.call("GET", "/v1/open", headers=headers)).status == 200


async def test_without_an_origin_nothing_is_said_of_it(client: Any) -> None:
    assert "Access-Control-Allow-Origin" not in (await client.call("GET", "/v1/open")).headers


async def test_an_origin_that_is_no_ascii_is_never_echoed(client: Any) -> None:
    answer = await client.raw(
        b"OPTIONS /v1/open HTTP/1.1\r\nHost: x\r\nOrigin: http://localhost:\xff\r\nConnection: close\r\n\r\n"
    )

    assert answer.startswith(b"HTTP/1.1 204 ")
    assert b"Access-Control-Allow-Origin" not in answer
