from typing import Any

import msgspec
import pytest

from shared.appwrite.clientinfo import Edge
from shared.appwrite.cookie_scope import CookieScope
from shared.contracts.credentials import SessionSecret

SECRET = SessionSecret("u1", "fresh").wire()
SIGN_IN = {"email": "a@b.test", "password": "correct horse"}


async def test_a_sign_in_sets_two_cookies_that_authenticate(client: Any) -> None:
    answer = await client.call("POST", "/v1/account/sessions/email", json=SIGN_IN)

    assert answer.status == 201
    assert [cookie.split("=")[0] for cookie in answer.cookies] == ["a_session_demo_legacy", "a_session_demo"]
    for cookie in answer.cookies:
        seen = await client.call("GET", "/v1/account", headers={"Cookie": cookie.split(";")[0]})
        assert seen.json["user"] == "u1"


@pytest.mark.parametrize(
    ("headers", "given"),
    [
        ({}, True),
        ({"Origin": "http://localhost:3000"}, True),
        ({"Host": "api.app.test", "Origin": "https://app.test"}, True),
        ({"Host": "api.example.com", "Referer": "https://example.com/x"}, False),
        ({"Host": "api.example.com", "Referer": "https://example.org/x"}, True),
    ],
)
async def test_browsers_that_keep_no_cookies_of_ours_get_the_fallback(
    client: Any, headers: dict[str, str], given: bool
) -> None:
    answer = await client.call("POST", "/v1/account/sessions/email", json=SIGN_IN, headers=headers)

    assert ("X-Fallback-Cookies" in answer.headers) is given
    if given:
        assert msgspec.json.decode(answer.headers["X-Fallback-Cookies"]) == {"a_session_demo": SECRET}


async def test_a_sign_out_deletes_both(client: Any) -> None:
    answer = await client.call(
        "DELETE", "/v1/account/sessions/current", headers={"X-Appwrite-Session": SECRET}, json={}
    )

    assert answer.status == 204
    assert [cookie.split(";")[0] for cookie in answer.cookies] == [
        "a_session_demo_legacy=deleted",
        "a_session_demo=deleted",
    ]
    assert answer.headers["X-Fallback-Cookies"] == "[]"


async def test_cookies_are_deleted_even_where_the_answer_is_a_refusal(client: Any) -> None:
    answer = await client.call("DELETE", "/v1/sessions")

    assert answer.error == (503, "revocation_unconfirmed")
    assert answer.headers["Retry-After"] == "2"
    assert answer.cookies[-1].startswith("a_session_demo=deleted")


async def test_a_host_that_is_none_is_not_written_into_cookies(client: Any) -> None:
    answer = await client.call("POST", "/v1/account/sessions/email", json=SIGN_IN, headers={"Host": "a;Path=/evil"})

    assert answer.status == 201
    assert not any("Domain" in cookie or "evil" in cookie for cookie in answer.cookies)


async def test_a_page_that_may_not_call_gets_no_secret_though_its_key_is_good(client: Any) -> None:
    headers = {"Origin": "https://evil.test", "X-Appwrite-Key": "standard_good"}
    answer = await client.call("POST", "/v1/account/sessions/email", json=SIGN_IN, headers=headers)

    assert answer.status == 201
    assert "X-Fallback-Cookies" not in answer.headers


async def test_a_cookie_of_one_host_alone_authenticates(serve: Any) -> None:
    client = await serve(edge=Edge(cookies=CookieScope.PREFIX))
    answer = await client.call("POST", "/v1/account/sessions/email", json=SIGN_IN, headers={"Host": "api.example.com"})

    for cookie in answer.cookies:
        assert cookie.startswith("__Host-a_session_demo")
        assert "Domain" not in cookie
        seen = await client.call("GET", "/v1/account", headers={"Cookie": cookie.split(";")[0]})
        assert seen.json["user"] == "u1"
