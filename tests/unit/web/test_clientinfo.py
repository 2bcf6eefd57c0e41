import pytest
from aiohttp.test_utils import make_mocked_request

from shared.web.clientinfo import ClientInfo, TrustedProxies, host_name, is_local


def client(proxies: list[str], headers: list[tuple[str, str]], peer: str = "10.0.0.9") -> ClientInfo:
    request = make_mocked_request("GET", "/", headers=dict(headers)).clone(remote=peer)
    return TrustedProxies(proxies).client(request)


FORWARDED = [
    ("Host", "inner:8080"),
    ("X-Forwarded-For", "203.0.113.7"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Host", "API.example.com:443"),
]


def test_a_trusted_proxy_is_believed() -> None:
    assert client(["10.0.0.0/8"], FORWARDED) == ClientInfo(ip="203.0.113.7", scheme="https", host="api.example.com")


@pytest.mark.parametrize("proxies", [[], ["192.0.2.0/24"], ["::/0"]])
def test_nobody_else_is(proxies: list[str]) -> None:
    assert client(proxies, FORWARDED) == ClientInfo(ip="10.0.0.9", scheme="http", host="inner")


@pytest.mark.parametrize(
    ("forwarded", "ip"),
    [
        ("203.0.113.7, 10.1.1.1", "203.0.113.7"),
        ("198.51.100.1, 203.0.113.7, 10.1.1.1", "203.0.113.7"),
        ("10.2.2.2, 10.1.1.1", "10.2.2.2"),
        ("garbage, 10.1.1.1", "10.1.1.1"),
        ("garbage", "10.0.0.9"),
        ("", "10.0.0.9"),
        ("2001:db8::7", "2001:db8::7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
    ],
)
def test_the_first_address_from_the_right_that_no_proxy_has_is_the_client(forwarded: str, ip: str) -> None:
    assert client(["10.0.0.0/8"], [("X-Forwarded-For", forwarded)]).ip == ip


def test_a_proxy_that_says_nothing_leaves_things_as_they_are() -> None:
    assert client(["10.0.0.9"], [("Host", "a.b")]) == ClientInfo(ip="10.0.0.9", scheme="http", host="a.b")


@pytest.mark.parametrize(
    ("authority", "host"),
    [
        ("Example.COM:8080", "example.com"),
        ("[::1]:80", "::1"),
        ("localhost", "localhost"),
        ("a;Domain=.evil.test", ""),
        ("a\r\nSet-Cookie: x", ""),
        ("a b", ""),
        ("", ""),
        ("x" * 300, ""),
    ],
)
def test_hosts_are_read_or_dropped(authority: str, host: str) -> None:
    assert host_name(authority) == host


@pytest.mark.parametrize(
    ("host", "local"),
    [("localhost", True), ("127.0.0.1", True), ("::1", True), ("10.0.0.1", True), ("example.com", False)],
)
def test_local_hosts_are_names_without_a_domain(host: str, local: bool) -> None:
    assert is_local(host) is local


def test_a_network_that_is_none_is_refused_at_start() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        TrustedProxies(["nonsense"])
