from datetime import UTC, datetime
from urllib.parse import quote

import msgspec
import pytest
from multidict import CIMultiDict

from shared.appwrite.clientinfo import ClientInfo
from shared.appwrite.cookie_scope import CookieScope
from shared.appwrite.cookies import are_kept, expired_cookies, find_secret, session_cookies
from shared.contracts.credentials import SessionSecret

SECRETS = {name: SessionSecret("u1", name) for name in ("cookie", "legacy", "header", "fallback")}
WIRE = {name: secret.wire() for name, secret in SECRETS.items()}

COOKIE = f"a_session_demo={WIRE['cookie']}"
LEGACY = f"a_session_demo_legacy={WIRE['legacy']}"
FALLBACK = msgspec.json.encode({"a_session_demo": WIRE["fallback"]}).decode()


def secret_in(**headers: str) -> str | None:
    names = {"cookie": "Cookie", "session": "X-Appwrite-Session", "fallback": "X-Fallback-Cookies"}
    secret = find_secret("demo", CIMultiDict({names[name]: value for name, value in headers.items()})).secret
    return None if secret is None else secret.secret


def test_secrets_are_looked_for_in_appwrites_order() -> None:
    assert secret_in(cookie=f"x=1; {LEGACY}; {COOKIE}", session=WIRE["header"], fallback=FALLBACK) == "cookie"
    assert secret_in(cookie=LEGACY, session=WIRE["header"], fallback=FALLBACK) == "legacy"
    assert secret_in(session=WIRE["header"], fallback=FALLBACK) == "header"
    assert secret_in(fallback=FALLBACK) == "fallback"
    assert secret_in() is None


@pytest.mark.parametrize("garbage", ["", "deleted", "!!!", "e30=", "é", "W10=", "%", "%ff"])
def test_an_unreadable_cookie_gives_way_to_the_next(garbage: str) -> None:
    assert secret_in(cookie=f"a_session_demo={garbage}; {LEGACY}") == "legacy"
    assert secret_in(cookie=f"a_session_demo={garbage}", session=WIRE["header"]) == "header"
    assert secret_in(session=garbage, fallback=FALLBACK) == "fallback"


@pytest.mark.parametrize(
    "fallback",
    ["[]", "", "null", "{", '{"a_session_demo": 5}', '{"a_session_other": "x"}', "[" * 60_000, '"x"', "\udcff"],
)
def test_a_fallback_header_of_any_shape_is_survived(fallback: str) -> None:
    assert secret_in(fallback=fallback) is None


def test_cookie_values_may_be_percent_encoded_or_quoted() -> None:
    assert secret_in(cookie=f"a_session_demo={quote(WIRE['cookie'], safe='')}") == "cookie"
    assert secret_in(cookie=f'a_session_demo="{WIRE["cookie"]}"') == "cookie"


def test_cookies_of_other_projects_are_not_ours() -> None:
    assert secret_in(cookie=f"a_session_demo2={WIRE['cookie']}; xa_session_demo={WIRE['cookie']}") is None


@pytest.mark.parametrize(("cookie", "is_fallback"), [(COOKIE, False), ("", True)])
def test_a_request_says_where_only_the_fallback_cookie_was_left(cookie: str, is_fallback: bool) -> None:
    headers = CIMultiDict({"Cookie": cookie, "X-Fallback-Cookies": FALLBACK})

    assert find_secret("demo", headers).is_fallback is is_fallback


@pytest.mark.parametrize(
    ("scheme", "host", "tail"),
    [
        ("https", "api.example.com", "; Domain=.api.example.com; Secure"),
        ("http", "api.example.com", "; Domain=.api.example.com"),
        ("http", "localhost", ""),
        ("https", "127.0.0.1", "; Secure"),
        ("http", "", ""),
    ],
)
def test_two_cookies_are_set(scheme: str, host: str, tail: str) -> None:
    client = ClientInfo(ip="", scheme=scheme, host=host)

    made = session_cookies("demo", "c2VjcmV0==", datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC), client)

    common = f"=c2VjcmV0==; Path=/; Expires=Wed, 02 Jan 2030 03:04:05 GMT; HttpOnly{tail}"
    assert made == [
        ("Set-Cookie", f"a_session_demo_legacy{common}"),
        ("Set-Cookie", f"a_session_demo{common}; SameSite=None"),
    ]


@pytest.mark.parametrize(
    ("scope", "name", "tail"),
    [(CookieScope.HOST, "a_session_demo", ""), (CookieScope.PREFIX, "__Host-a_session_demo", "; Secure")],
)
def test_cookies_of_one_host_name_no_domain(scope: CookieScope, name: str, tail: str) -> None:
    client = ClientInfo(ip="", scheme="http", host="api.example.com")
    made = session_cookies("demo", "c2VjcmV0==", datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC), client, scope)

    common = f"=c2VjcmV0==; Path=/; Expires=Wed, 02 Jan 2030 03:04:05 GMT; HttpOnly{tail}"
    assert [value for _, value in made] == [f"{name}_legacy{common}", f"{name}{common}; SameSite=None"]


def test_a_cookie_without_the_prefix_is_not_ours_where_the_prefix_is_wanted() -> None:
    headers = CIMultiDict({"Cookie": f"{COOKIE}; __Host-{LEGACY}"})
    secret = find_secret("demo", headers, CookieScope.PREFIX).secret

    assert secret is not None
    assert secret.secret == "legacy"
    assert find_secret("demo", CIMultiDict({"Cookie": COOKIE}), CookieScope.PREFIX).secret is None


def test_deleted_cookies_ended_long_ago() -> None:
    legacy, main = (value for _, value in expired_cookies("demo", ClientInfo(ip="", scheme="http", host="")))

    assert main.startswith("a_session_demo=deleted; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT")
    assert legacy.startswith("a_session_demo_legacy=deleted; ")


@pytest.mark.parametrize(
    ("host", "page", "kept"),
    [
        ("api.example.com", "https://app.example.com", True),
        ("api.example.com", "https://example.com/path", True),
        ("example.co.uk", "https://www.example.co.uk", True),
        ("a.co.uk", "https://b.co.uk", False),
        ("api.example.com", "https://example.org", False),
        ("localhost", "http://localhost:3000", False),
        ("127.0.0.1", "http://127.0.0.1", False),
        ("api.internal", "https://app.internal", False),
        ("api.example.com", "", False),
        ("api.example.com", "http://[", False),
        ("", "", False),
    ],
)
def test_browsers_keep_cookies_within_a_registrable_domain(host: str, page: str, kept: bool) -> None:
    assert are_kept(host, page) is kept
