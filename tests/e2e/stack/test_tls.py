"""A deployment behind TLS, by the configurations of docs/how-to/tls.md, called by clients of several addresses."""

import contextlib
import datetime as dt
import http.cookies
import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from testcontainers.core.container import DockerContainer

from tests.e2e.stack.built import built
from tests.e2e.stack.containers import ROOT, await_exec, container, need_docker
from tests.e2e.stack.stack import PROXIES, Stack, open_stack

pytestmark = pytest.mark.topology("compose")

HOSTS = {"nginx": "nginx.example.com", "haproxy": "haproxy.example.com"}
CERTIFICATES = "/etc/ssl/daypass"
PASSWORD = "correct horse battery staple"

CALLER = """
import http.client, json, ssl, sys
asked = json.loads(sys.argv[1])
context = ssl.create_default_context(cadata=asked["certificate"])
answers = []
for method, path, headers, body in asked["calls"]:
    if asked["port"] == 443:
        connection = http.client.HTTPSConnection(asked["host"], 443, context=context, timeout=60)
    else:
        connection = http.client.HTTPConnection(asked["host"], asked["port"], timeout=60)
    connection.request(method, path, json.dumps(body) if body else None, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    answers.append([answer.status, answer.getheaders(), json.loads(text) if text.startswith("{") else text])
print(json.dumps(answers))
"""
"""Runs in a client's container."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[list[str]]
    body: Any

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


@dataclass
class Client:
    """A container that calls; its address is its own."""

    running: DockerContainer
    project: str
    certificate: str
    ip: str = field(init=False)

    def __post_init__(self) -> None:
        wrapped = self.running.get_wrapped_container()
        wrapped.reload()
        (network,) = wrapped.attrs["NetworkSettings"]["Networks"].values()
        self.ip = network["IPAddress"]

    def call(self, host: str, method: str, path: str, body: object = None, port: int = 443, **headers: str) -> Answer:
        sent = {"X-Appwrite-Project": self.project, "Content-Type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        asked = {"host": host, "port": port, "certificate": self.certificate, "calls": [[method, path, sent, body]]}
        done = self.running.exec(["python", "-c", CALLER, json.dumps(asked)])
        assert done.exit_code == 0, done.output
        ((status, received, found),) = json.loads(done.output)
        return Answer(status, received, found)


@dataclass(frozen=True)
class Deployment:
    stack: Stack
    clients: list[Client]


@pytest.fixture(scope="module")
def deployment() -> Iterator[Deployment]:
    need_docker()
    with contextlib.ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="daypass-")))
        folder.chmod(0o755)
        certificate = write_certificate(folder)
        public = ",".join(f"https://{host}" for host in HOSTS.values())
        settings = {"DAYPASS_PUBLIC_URL": public, "DAYPASS_GATEWAY_TRUSTS": PROXIES, "DAYPASS_RATE_LIMITS": "on"}
        stack = opened.enter_context(open_stack(**settings))
        image = built()
        for made in (nginx(image["nginx"], stack, folder), haproxy(image["gateway"], stack, folder)):
            opened.enter_context(made)
        clients = [opened.enter_context(sleeper(image["services"], stack, number)) for number in range(5)]
        made_clients = [Client(one, stack.instance.project, certificate) for one in clients]
        for host in HOSTS.values():
            reach = f"import socket; socket.create_connection(('{host}', 443), 5)"
            await_exec(clients[0], "python", "-c", reach)
        yield Deployment(stack, made_clients)


def documented(language: str, host: str) -> str:
    """Return a configuration as the page has it, for this host, and with the gateway where it is here."""
    (text,) = re.findall(rf"```{language}\n(.*?)```", (ROOT / "docs/how-to/tls.md").read_text(), re.DOTALL)
    return str(text).replace("api.example.com", host).replace("127.0.0.1:8080", "gateway:8080")


def nginx(image: str, stack: Stack, folder: Path) -> DockerContainer:
    (folder / "nginx.conf").write_text(documented("nginx", HOSTS["nginx"]))
    made = container(image, alias=HOSTS["nginx"], network=stack.network)
    made.tmpfs = {"/tmp": ""}
    made.with_volume_mapping(folder / "nginx.conf", "/etc/nginx/conf.d/daypass.conf", "ro")
    return made.with_volume_mapping(folder, CERTIFICATES, "ro")


def haproxy(image: str, stack: Stack, folder: Path) -> DockerContainer:
    (folder / "haproxy.cfg").write_text(documented("haproxy", HOSTS["haproxy"]))
    command = ("haproxy", "-W", "-db", "-f", f"{CERTIFICATES}/haproxy.cfg")
    made = container(image, *command, alias=HOSTS["haproxy"], network=stack.network)
    return made.with_volume_mapping(folder, CERTIFICATES, "ro")


def sleeper(image: str, stack: Stack, number: int) -> DockerContainer:
    return container(image, "sleep", "3600", alias=f"client-{number}", network=stack.network)


def write_certificate(folder: Path) -> str:
    """Make a certificate of both hosts that signs itself, as the proxies want it; return it as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in HOSTS.values()]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    as_pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    for file, text in (("fullchain.pem", as_pem), ("key.pem", private), ("bundle.pem", as_pem + private)):
        (folder / file).write_text(text)
        (folder / file).chmod(0o644)  # it opens nothing
    return as_pem


@pytest.mark.parametrize("proxy", HOSTS)
def test_behind_tls_cookies_are_secure_and_sessions_know_their_client(deployment: Deployment, proxy: str) -> None:
    host, client = HOSTS[proxy], deployment.clients[4]
    account = {"userId": "unique()", "email": f"{proxy}@example.org", "password": PASSWORD}
    lies = {"X_Forwarded_For": "1.2.3.4", "X_Forwarded_Proto": "http", "X_Forwarded_Host": "evil.example"}
    assert client.call(host, "POST", "/v1/account", account).status == 201
    signed_in = client.call(host, "POST", "/v1/account/sessions/email", account | {"userId": None}, **lies)

    assert signed_in.status == 201
    assert signed_in.body["ip"] == client.ip
    assert signed_in.all("Strict-Transport-Security") == ["max-age=10886400"]
    cookies = signed_in.all("Set-Cookie")
    assert len(cookies) == 2
    assert all("; Secure" in cookie and f"Domain=.{host}" in cookie for cookie in cookies)
    sent = "; ".join(f"{name}={one.value}" for c in cookies for name, one in http.cookies.SimpleCookie(c).items())
    assert client.call(host, "GET", "/v1/account", Cookie=sent).status == 200


@pytest.mark.parametrize(("proxy", "first"), [("nginx", 0), ("haproxy", 2)])
def test_behind_tls_each_client_is_counted_by_its_own_address(deployment: Deployment, proxy: str, first: int) -> None:
    one, other = deployment.clients[first : first + 2]

    def sign_up(client: Client) -> int:
        body = {"userId": "unique()", "email": f"{proxy}{next(NUMBERS)}@example.org", "password": PASSWORD}
        return client.call(HOSTS[proxy], "POST", "/v1/account", body).status

    statuses = [sign_up(one) for _ in range(11)]
    assert set(statuses) == {201, 429}
    assert statuses[-1] == 429
    assert sign_up(other) == 201


NUMBERS = iter(range(1_000))


@pytest.mark.parametrize("proxy", HOSTS)
def test_behind_tls_other_hosts_are_refused(deployment: Deployment, proxy: str) -> None:
    refused = deployment.clients[0].call(HOSTS[proxy], "GET", "/v1/ping", Host="evil.example")

    assert (refused.status, refused.body["type"]) == (401, "general_access_forbidden")


@pytest.mark.parametrize("proxy", HOSTS)
def test_plain_http_is_sent_to_tls(deployment: Deployment, proxy: str) -> None:
    answer = deployment.clients[0].call(HOSTS[proxy], "GET", "/v1/ping?x=1", port=80)

    assert (answer.status, answer.all("Location")) == (308, [f"https://{HOSTS[proxy]}/v1/ping?x=1"])


def test_a_public_url_of_https_makes_cookies_secure_whatever_a_proxy_says(deployment: Deployment) -> None:
    client = deployment.clients[1]
    answer = client.call("gateway", "POST", "/v1/account/sessions/anonymous", port=8080, Host=HOSTS["nginx"])

    assert answer.status == 201
    assert all("; Secure" in cookie for cookie in answer.all("Set-Cookie"))
