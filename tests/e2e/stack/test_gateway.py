"""The gateway as it is deployed, in front of stand-ins that say what reached them."""

import contextlib
import socket
from collections.abc import Iterator

import pytest
import requests
from testcontainers.core.container import DockerContainer

from tests.e2e.stack.built import built
from tests.e2e.stack.containers import ROOT, await_exec, container, need_docker, open_network
from tests.e2e.stack.stack import GATEWAY_PORT, HOSTED, SERVICES, gateway
from tests.eventually import eventually

pytestmark = pytest.mark.topology("compose")

MIB = 1024 * 1024
GATEWAYS = {
    "gateway": {},
    "behind": {
        "DAYPASS_PUBLIC_URL": "https://api.example.com, http://b.example.com:8080/",
        "DAYPASS_GATEWAY_TRUSTS": "10.0.0.0/8, 172.16.0.0/12,192.168.0.0/16,203.0.113.0/24,2001:db8:ffff::/48",
    },
}
"""By name, with their settings."""

Answer = dict[str, object]


class Gateway:
    def __init__(self, running: dict[str, DockerContainer], name: str = "gateway") -> None:
        self.replicas = running
        self.port = running[name].get_exposed_port(GATEWAY_PORT)

    def call(self, method: str, path: str, **named: object) -> requests.Response:
        return requests.request(method, f"http://127.0.0.1:{self.port}{path}", timeout=60, **named)  # type: ignore[arg-type] # passed on

    def heard(self, method: str, path: str, **named: object) -> Answer:
        answer = self.call(method, path, **named)
        assert answer.status_code == 200, answer.text
        found: Answer = answer.json()
        return found

    def raw(self, data: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            connection.sendall(data)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def answering(self) -> set[object]:
        """The replicas that answer twenty requests in a row, or the statuses of those that fail."""
        answers = [self.call("GET", "/v1/tablesdb") for _ in range(20)]
        return {answer.json()["name"] if answer.status_code == 200 else answer.status_code for answer in answers}


@pytest.fixture(scope="module")
def running() -> Iterator[dict[str, DockerContainer]]:
    need_docker()
    image = built()
    with contextlib.ExitStack() as stack:
        network = stack.enter_context(open_network())
        running = {}
        for name, service in SERVICES.items():
            made = container(image["services"], "python", "/standin.py", name, alias=service, network=network)
            made.with_network_aliases(service, *HOSTED.get(service, ()))
            made.with_volume_mapping(ROOT / "tests/e2e/stack/standin.py", "/standin.py", "ro")
            running[name] = stack.enter_context(made)
            await_exec(running[name], "healthcheck")
        for name, settings in GATEWAYS.items():
            running[name] = stack.enter_context(gateway(image["gateway"], network, alias=name, **settings))
            await_exec(running[name], "bash", "/usr/local/bin/healthcheck")
        yield running


@pytest.fixture(scope="module")
def front(running: dict[str, DockerContainer]) -> Gateway:
    """The gateway as it comes."""
    return Gateway(running)


@pytest.fixture(scope="module")
def behind(running: dict[str, DockerContainer]) -> Gateway:
    """A gateway with public hosts, behind proxies that it trusts: callers from this machine, and one network."""
    return Gateway(running, "behind")


def refused(answer: requests.Response, status: int, kind: str) -> None:
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"
    assert answer.headers["X-Request-Id"]
    body = answer.json()
    assert set(body) == {"message", "code", "type", "version"}
    assert (body["code"], body["type"]) == (status, kind)


@pytest.mark.parametrize(
    ("method", "path", "service"),
    [
        ("POST", "/v1/account/jwts", "token"),
        ("POST", "/v1/users/ada/jwts", "token"),
        ("POST", "/v1/jwts/introspect", "token"),
        ("GET", "/v1/.well-known/jwks.json", "token"),
        ("GET", "/v1/projects/library/jwks", "token"),
        ("OPTIONS", "/v1/account/jwts", "token"),
        ("GET", "/v1/account", "auth"),
        ("GET", "/v1/users?queries%5B0%5D=limit(1)", "auth"),
        ("DELETE", "/v1/account/sessions/current", "auth"),
        ("GET", "/v1/ping", "auth"),
        ("GET", "/v1/no-such-thing", "auth"),
        ("GET", "/", "auth"),
        ("GET", "/v1", "auth"),
        ("GET", "/v1/tablesdb/db/tables/t/rows", "data"),
        ("GET", "/v1/storage/buckets/b/files/f/view", "data"),
    ],
)
def test_a_request_reaches_the_service_of_its_path(front: Gateway, method: str, path: str, service: str) -> None:
    heard = front.heard(method, path)

    assert SERVICES[str(heard["name"])] == service
    assert (heard["method"], heard["path"]) == (method, path)


def test_replicas_take_turns(front: Gateway) -> None:
    assert front.answering() == {"data-1", "data-2"}


def test_headers_in_which_a_caller_claims_an_origin_are_replaced(front: Gateway) -> None:
    lies = {"X-Forwarded-For": "1.2.3.4", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    heard = front.heard("GET", "/v1/account", headers={**lies, "Forwarded": "for=1.2.3.4", "Host": "api.example:8080"})
    headers = heard["headers"]
    assert isinstance(headers, dict)

    assert headers["x-forwarded-host"] == "api.example:8080"
    assert headers["x-forwarded-proto"] == "http"
    assert socket.inet_aton(headers["x-forwarded-for"]) != socket.inet_aton("1.2.3.4")
    assert "forwarded" not in headers


def test_a_page_may_read_what_the_gateway_itself_answers_and_nothing_else(front: Gateway) -> None:
    own = front.call("GET", "/nowhere", headers={"Origin": "https://app.test"})
    passed = front.call("GET", "/v1/account", headers={"Origin": "https://app.test"})

    refused(own, 404, "general_route_not_found")
    assert own.headers["Access-Control-Allow-Origin"] == "https://app.test"
    assert own.headers["Access-Control-Allow-Credentials"] == "true"
    assert "Access-Control-Allow-Origin" not in front.call("GET", "/nowhere").headers
    assert "Access-Control-Allow-Origin" not in passed.headers


def heard_headers(gateway: Gateway, **headers: str) -> dict[str, str]:
    sent = {"Host": "api.example.com"} | {name.replace("_", "-"): value for name, value in headers.items()}
    found = gateway.heard("GET", "/v1/account", headers=sent)["headers"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("1.2.3.4, 198.51.100.7", "198.51.100.7"),
        ("1.2.3.4, 198.51.100.7, 203.0.113.9", "198.51.100.7"),
        ("198.51.100.7, 203.0.113.9, 203.0.113.10", "198.51.100.7"),
        ("198.51.100.7:5678", "198.51.100.7"),
        ("198.51.100.7:5678, 203.0.113.9:443", "198.51.100.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("[2001:db8::7]:443", "2001:db8::7"),
        ("[2001:db8::7], [2001:db8:ffff::1]:443", "2001:db8::7"),
    ],
)
def test_a_trusted_proxy_says_who_calls(behind: Gateway, front: Gateway, forwarded: str, client: str) -> None:
    assert heard_headers(behind, X_Forwarded_For=forwarded)["x-forwarded-for"] == client
    assert heard_headers(front, X_Forwarded_For=forwarded)["x-forwarded-for"] != client


@pytest.mark.parametrize("forwarded", ["unknown", "", "1.2.3.4, unknown", "1.2.3.4, garbage, 203.0.113.9"])
def test_an_invalid_address_does_not_change_who_the_client_is(behind: Gateway, forwarded: str) -> None:
    assert not heard_headers(behind, X_Forwarded_For=forwarded)["x-forwarded-for"].startswith("1.2.3.4")


@pytest.mark.parametrize(
    ("forwarded", "scheme"),
    [("https", "https"), ("https,http", "https"), ("HTTPS, http", "https"), ("http,https", "http"), ("wss", "http")],
)
def test_a_trusted_proxy_says_the_scheme(behind: Gateway, front: Gateway, forwarded: str, scheme: str) -> None:
    assert heard_headers(behind, X_Forwarded_Proto=forwarded)["x-forwarded-proto"] == scheme
    assert heard_headers(front, X_Forwarded_Proto=forwarded)["x-forwarded-proto"] == "http"


def test_a_trusted_proxy_says_the_host(behind: Gateway) -> None:
    heard = heard_headers(behind, Host="gateway:8080", X_Forwarded_Host="API.example.com:443")

    assert heard["x-forwarded-host"] == "API.example.com:443"


@pytest.mark.parametrize("host", ["api.example.com", "B.example.com:8080", "localhost", "127.0.0.1:80", "gateway:8080"])
def test_public_hosts_and_those_inside_are_served(behind: Gateway, host: str) -> None:
    assert behind.call("GET", "/v1/account", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "api.example.com.evil.example", "8.8.8.8", "x_api.example.com", ""])
def test_other_hosts_are_refused_but_for_health(behind: Gateway, front: Gateway, host: str) -> None:
    refused(behind.call("GET", "/v1/account", headers={"Host": host}), 401, "general_access_forbidden")
    for forwarded in ("evil.example", "evil.example, api.example.com"):
        headers = {"Host": "api.example.com", "X-Forwarded-Host": forwarded}
        refused(behind.call("GET", "/v1/account", headers=headers), 401, "general_access_forbidden")
    for path in ("/livez", "/readyz"):
        assert behind.call("GET", path, headers={"Host": host}).status_code == 200
    assert front.call("GET", "/v1/account", headers={"Host": "evil.example"}).status_code == 200


def test_a_request_gets_an_id_unless_it_has_one(front: Gateway) -> None:
    given = front.heard("GET", "/v1/account", headers={"X-Request-Id": "mine"})["headers"]
    made = front.heard("GET", "/v1/account")["headers"]
    assert isinstance(given, dict)
    assert isinstance(made, dict)

    assert given["x-request-id"] == "mine"
    assert len(made["x-request-id"]) == 36


@pytest.mark.parametrize("length", [16 * MIB, 17 * MIB])
def test_bodies_of_any_size_are_the_services_business(front: Gateway, length: int) -> None:
    assert front.heard("POST", "/v1/tablesdb", data=b"x" * length)["length"] == length


def test_headers_and_queries_of_60_kib_pass(front: Gateway) -> None:
    long = "x" * 60 * 1024
    heard = front.heard("GET", f"/v1/account?queries={long}", headers={"Cookie": f"a={long}"})

    assert str(heard["path"]).endswith(long)
    assert heard["headers"]["cookie"] == f"a={long}"  # type: ignore[index] # JSON


@pytest.mark.parametrize("path", ["/metrics", "/v2/account"])
def test_an_unknown_endpoint_is_answered_as_such(front: Gateway, path: str) -> None:
    refused(front.call("GET", path), 404, "general_route_not_found")


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_the_gateway_says_itself_whether_it_is_well(front: Gateway, path: str) -> None:
    assert front.call("GET", path).status_code == 200


@pytest.mark.parametrize(
    "data", [b"GET /v1/account\0 HTTP/1.1\r\n\r\n", b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nX: " + b"x" * 200_000]
)
def test_a_request_that_is_not_http_is_refused_and_not_repeated(front: Gateway, data: bytes) -> None:
    answer = front.raw(data)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert data.split(b"\r\n")[0] not in answer


def test_a_read_that_a_replica_breaks_off_is_answered_by_another(front: Gateway) -> None:
    answers = {str(front.heard("GET", "/v1/tablesdb/break")["name"]) for _ in range(6)}

    assert answers == {"data-2"}


def test_a_write_that_a_replica_breaks_off_is_not_sent_again(front: Gateway) -> None:
    def broken() -> object:
        return next(
            a["broken"] for a in iter(lambda: front.heard("GET", "/v1/tablesdb/x"), None) if a["name"] == "data-1"
        )

    before = broken()
    answers = [front.call("POST", "/v1/tablesdb/break") for _ in range(6)]
    failed = [answer for answer in answers if answer.status_code != 200]

    for answer in failed:
        refused(answer, 502, "general_server_error")
    assert isinstance(before, int)
    assert failed
    assert broken() == before + len(failed)


async def test_a_killed_replica_is_not_noticed_and_one_that_returns_is_used(front: Gateway) -> None:
    both: set[object] = {"data-1", "data-2"}
    killed = front.replicas["data-1"].get_wrapped_container()

    killed.kill()
    assert front.answering() == {"data-2"}

    killed.start()
    await_exec(front.replicas["data-1"], "healthcheck")
    await eventually(front.answering, both)


def test_a_service_that_is_away_is_said_to_be_so(front: Gateway) -> None:
    away = front.replicas["token"].get_wrapped_container()
    away.kill()
    try:
        answer = front.call("POST", "/v1/account/jwts")
    finally:
        away.start()
        await_exec(front.replicas["token"], "healthcheck")
        await_exec(front.replicas["gateway"], "bash", "/usr/local/bin/healthcheck")

    refused(answer, 503, "principal_unavailable")
    assert answer.headers["Retry-After"] == "1"
