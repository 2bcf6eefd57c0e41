import pytest
from aiohttp.test_utils import make_mocked_request

from shared.appwrite.clientinfo import ClientInfo, Edge, is_local
from shared.kernel.hosts import host_name, is_internal


def client(
    proxies: list[str], headers: list[tuple[str, str]], peer: str = "10.0.0.9", urls: tuple[str, ...] = ()
) -> ClientInfo:
    request = make_mocked_request("GET", "/", headers=dict(headers)).clone(remote=peer)
    return Edge(trusted_proxies=proxies, public_urls=urls).client(request)


FORWARDED = [
    ("Host", "inner:8080"),
    ("X-Forwarded-For", "203.0.113.7"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Host", "API.example.com:443"),
]


def test_a_trusted_proxy_is_believed() -> None:
    assert client(["10.0.0.0/8"], FORWARDED) == ClientInfo(ip="203.0.113.7", scheme="https", host="api.example.com")


@pytest.mark.parametrize("proxies", [[], ["192.0.2.0/24"], ["::/0"]])
def test_headers_of_an_untrusted_peer_are_ignored(proxies: list[str]) -> None:
    assert client(proxies, FORWARDED) == ClientInfo(ip="10.0.0.9", scheme="http", host="inner", own_host="inner")


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
        ("203.0.113.7:5678, 10.1.1.1:80", "203.0.113.7"),
        ("[2001:db8::7]:443, 10.1.1.1", "2001:db8::7"),
        ("[2001:db8::7], 10.1.1.1", "2001:db8::7"),
        ("[::ffff:203.0.113.7]:443", "203.0.113.7"),
        ('"[2001:db8::7]:443"', "2001:db8::7"),
        ("[nonsense]:443", "10.0.0.9"),
        ("unknown, 10.1.1.1", "10.1.1.1"),
        ("fe80::7%eth0, 10.1.1.1", "10.1.1.1"),
        ("[fe80::7%eth0]:443", "10.0.0.9"),
    ],
)
def test_the_first_address_from_the_right_that_no_proxy_has_is_the_client(forwarded: str, ip: str) -> None:
    assert client(["10.0.0.0/8"], [("X-Forwarded-For", forwarded)]).ip == ip


@pytest.mark.parametrize(
    ("forwarded", "scheme"),
    [("https", "https"), ("https,http", "https"), ("HTTPS , http", "https"), ("http,https", "http"), ("wss", "http")],
)
def test_the_first_scheme_of_a_list_is_that_of_the_client(forwarded: str, scheme: str) -> None:
    assert client(["10.0.0.0/8"], [("X-Forwarded-Proto", forwarded)]).scheme == scheme


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("api.example.com:443", "api.example.com"),
        ("inner.example.com", "inner.example.com"),
        ("evil.example", ""),
        ("localhost", ""),
    ],
)
def test_the_public_hosts_are_the_own_ones(host: str, own: str) -> None:
    urls = ("https://api.example.com", "http://inner.example.com:8080/")

    assert client([], [("Host", host)], urls=urls).own_host == own


@pytest.mark.parametrize(
    ("host", "own"),
    [("localhost:80", "localhost"), ("[::1]", "::1"), ("192.168.0.7", "192.168.0.7"), ("8.8.8.8", ""), ("a.b", "")],
)
def test_without_public_hosts_only_a_local_one_is_the_own(host: str, own: str) -> None:
    assert client([], [("Host", host)]).own_host == own


@pytest.mark.parametrize(
    ("urls", "host", "scheme"),
    [
        (("https://api.example.com",), "api.example.com", "https"),
        (("https://api.example.com",), "127.0.0.1", "https"),
        (("https://api.example.com", "http://b.example.com"), "b.example.com", "http"),
        (("https://api.example.com", "http://b.example.com"), "127.0.0.1", "http"),
        (("http://api.example.com",), "api.example.com", "http"),
        ((), "api.example.com", "http"),
    ],
)
def test_a_public_url_says_the_scheme(urls: tuple[str, ...], host: str, scheme: str) -> None:
    assert client([], [("Host", host)], urls=urls).scheme == scheme


def test_a_trusted_proxy_may_say_that_a_public_url_of_http_is_reached_by_https() -> None:
    headers = [("Host", "api.example.com"), ("X-Forwarded-Proto", "https")]

    assert client(["10.0.0.9"], headers, urls=("http://api.example.com",)).scheme == "https"


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
    [("localhost", True), ("gateway", True), ("127.0.0.1", True), ("::1", True), ("8.8.8.8", True), ("a.com", False)],
)
def test_local_hosts_are_names_without_a_domain(host: str, local: bool) -> None:
    assert is_local(host) is local


@pytest.mark.parametrize(
    ("host", "internal"),
    [("localhost", True), ("gateway", True), ("::1", True), ("10.0.0.1", True), ("8.8.8.8", False), ("a.com", False)],
)
def test_internal_hosts_are_reached_from_one_network_only(host: str, internal: bool) -> None:
    assert is_internal(host) is internal
    assert not is_internal("")


@pytest.mark.parametrize("network", ["nonsense", "fe80::%eth0/64", "fe80::1%1"])
def test_a_network_that_is_none_is_refused_at_start(network: str) -> None:
    with pytest.raises(ValueError, match=network):
        Edge(trusted_proxies=[network])


@pytest.mark.parametrize(("proxies", "ip"), [([], "fe80::9"), (["fe80::/10"], "203.0.113.7")])
def test_a_peer_in_a_link_local_network_has_no_zone(proxies: list[str], ip: str) -> None:
    assert client(proxies, FORWARDED, peer="fe80::9%eth0").ip == ip
