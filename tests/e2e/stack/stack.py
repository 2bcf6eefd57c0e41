"""All of a deployment as plain containers: the same images, settings, secrets and gateway as docker-compose.yml."""

import contextlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import requests
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network

from shared.messaging import names
from tests.e2e.instance import Instance
from tests.e2e.stack.built import built
from tests.e2e.stack.containers import ROOT, await_exec, container, need_docker, open_network, publish

SERVICES = {"auth": "auth", "token": "token", "data-1": "data", "data-2": "data"}
"""The container of each replica, and its service."""

HOSTED = {"data": ["storage"]}
"""The services that a process of another hosts."""

GATEWAY_PORT = 8080
PING = "redis-cli --no-auth-warning --user health --pass any ping | grep -q PONG"
PROXIES = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16"


@dataclass(frozen=True, kw_only=True)
class Stack:
    """The running containers by name (as in docker-compose.yml), and the instance that they are."""

    containers: Mapping[str, DockerContainer]
    instance: Instance
    network: Network

    def make_key(self, *scopes: str) -> dict[str, dict[str, str]]:
        """Make an API key, as an operator would."""
        chosen = [part for scope in scopes for part in ("--scope", scope)]
        return _daypass(
            self.containers["auth"], "key", "create", "--project", "library", "--name", "of a round", *chosen
        )

    def disconnect(self, name: str) -> None:
        """Take a container off the network; it runs on."""
        network = self.network._network  # noqa: SLF001 testcontainers makes a network, and disconnects nobody
        network.disconnect(self.containers[name].get_wrapped_container())

    def connect(self, name: str) -> None:
        """Put a container back on the network, under its service's name."""
        network = self.network._network  # noqa: SLF001 as above
        own = SERVICES[name]
        network.connect(self.containers[name].get_wrapped_container(), aliases=[own, *HOSTED.get(own, ())])


@contextlib.contextmanager
def open_stack(**settings: str) -> Iterator[Stack]:
    """Start everything, with a project and a key; `settings` are for gateway and services; skips without Docker."""
    need_docker()
    image = built()
    with contextlib.ExitStack() as stack:
        secrets = stack.enter_context(_secrets())
        network = stack.enter_context(open_network())
        running: dict[str, DockerContainer] = {}

        def start(name: str, made: DockerContainer, *ready: str) -> None:
            running[name] = stack.enter_context(made)
            await_exec(running[name], *ready)

        start("postgres", postgres(image["postgres"], network, secrets), "pg_isready", "-q", "-h", "127.0.0.1")
        start(
            "redis",
            redis(image["redis"], network, secrets),
            *["redis-cli", "-e", "--user", "health", "--pass", "any", "ping"],
        )
        for name in SERVICES:
            made = service(image["services"], name, network, secrets)
            start(name, made.with_envs(**settings), "healthcheck")
        start("gateway", gateway(image["gateway"], network, **settings), "bash", "/usr/local/bin/healthcheck")
        yield Stack(containers=running, instance=_instance(running), network=network)


@contextlib.contextmanager
def _secrets() -> Iterator[Path]:
    """Make secrets of a deployment in a folder of their own, by the script that makes the real ones."""
    with tempfile.TemporaryDirectory(prefix="daypass-") as folder:
        for name in ("secrets/generate", "redis/users.acl.template", "redis/limits.acl.template"):
            copy = Path(folder) / name
            copy.parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / "deploy" / name, copy)
        subprocess.run([Path(folder) / "secrets" / "generate"], check=True)
        files = Path(folder) / "files"  # of all replicas, whose user is another one than ours
        files.mkdir()
        files.chmod(0o777)
        yield Path(folder) / "secrets"


def postgres(image: str, network: Network, secrets: Path) -> DockerContainer:
    made = container(image, alias="postgres", network=network, user="postgres")
    made.tmpfs = {"/var/run/postgresql": "", "/tmp": ""}
    _mount(made, secrets, "postgres_password", *(f"{name}_postgres_password" for name in names.SERVICES))
    made.with_volume_mapping(ROOT / "deploy/postgres/init.sh", "/docker-entrypoint-initdb.d/10-daypass.sh", "ro")
    made.with_volume_mapping(ROOT / "deploy/postgres/roles.sql", "/usr/local/share/daypass/roles.sql", "ro")
    return made.with_envs(
        POSTGRES_DB="daypass",
        POSTGRES_PASSWORD_FILE="/run/secrets/postgres_password",
        POSTGRES_INITDB_ARGS="--auth-local=peer --auth-host=scram-sha-256 --encoding=UTF8 --locale=C"
        " --locale-provider=builtin --builtin-locale=C.UTF-8",
    )


def redis(image: str, network: Network, secrets: Path) -> DockerContainer:
    configuration = "/usr/local/etc/redis/redis.conf"
    made = container(image, "redis-server", configuration, alias="redis", network=network, user="redis")
    made.with_volume_mapping(ROOT / "deploy/redis/redis.conf", configuration, "ro")
    return _mount(made, secrets, "redis_users_acl")


def service(image: str, name: str, network: Network, secrets: Path) -> DockerContainer:
    own = SERVICES[name]
    made = container(image, "python", "-m", f"services.{own}", alias=own, network=network)
    made.with_network_aliases(own, *HOSTED.get(own, ()))
    made.tmpfs = {"/tmp": ""}
    _mount(made, secrets, f"{own}_database_url", f"{own}_redis_url")
    for hosted in HOSTED.get(own, ()):
        _mount(made, secrets, f"{hosted}_database_url", f"{hosted}_redis_url").with_envs(
            **{
                f"DAYPASS_{hosted.upper()}_DATABASE_URL_FILE": f"/run/secrets/{hosted}_database_url",
                f"DAYPASS_{hosted.upper()}_REDIS_URL_FILE": f"/run/secrets/{hosted}_redis_url",
            }
        )
        _mount(made, secrets, "file_key").with_envs(
            DAYPASS_FILES="/var/lib/daypass/files", DAYPASS_FILE_KEY_FILE="/run/secrets/file_key"
        )
        made.with_volume_mapping(secrets.parent / "files", "/var/lib/daypass", "rw")
    made.with_envs(
        DAYPASS_DATABASE_URL_FILE=f"/run/secrets/{own}_database_url",
        DAYPASS_REDIS_URL_FILE=f"/run/secrets/{own}_redis_url",
        DAYPASS_TRUSTED_PROXIES=PROXIES,
        DAYPASS_RATE_LIMITS="off",
    )
    if own == "data":
        _mount(made, secrets, "column_key").with_env("DAYPASS_COLUMN_KEY_FILE", "/run/secrets/column_key")
    if own == "token":
        _mount(made, secrets, "master_key").with_env("DAYPASS_MASTER_KEY_FILE", "/run/secrets/master_key")
    return made


def gateway(image: str, network: Network, *, alias: str = "gateway", **settings: str) -> DockerContainer:
    configuration = "/usr/local/etc/haproxy"
    made = container(image, "bash", f"{configuration}/start", alias=alias, network=network, user="haproxy")
    made.with_envs(**settings)
    made.with_volume_mapping(ROOT / "deploy/gateway", configuration, "ro")
    made.with_volume_mapping(ROOT / "deploy/healthcheck", "/usr/local/bin/healthcheck", "ro")
    return publish(made, GATEWAY_PORT)


def _mount(made: DockerContainer, secrets: Path, *names: str) -> DockerContainer:
    for name in names:
        made.with_volume_mapping(secrets / name, f"/run/secrets/{name}", "ro")
    return made


def _instance(running: Mapping[str, DockerContainer]) -> Instance:
    endpoint = f"http://127.0.0.1:{running['gateway'].get_exposed_port(GATEWAY_PORT)}/v1"
    project = _daypass(running["auth"], "project", "create", "library", "--name", "Library")["project"]
    key = _daypass(running["auth"], "key", "create", "--project", project["id"], "--name", "tests")["key"]
    made = Instance(topology="compose", endpoint=endpoint, project=project["id"], key=key["secret"])
    headers = {"X-Appwrite-Project": made.project, "X-Appwrite-Key": made.key}
    assert requests.get(f"{endpoint}/health", headers=headers, timeout=30).status_code == 200
    return made


def _daypass(auth: DockerContainer, *arguments: str) -> dict[str, dict[str, str]]:
    done = auth.get_wrapped_container().exec_run(["daypass", *arguments, "--json"], demux=True)
    out, err = done.output
    assert done.exit_code == 0, err
    found: dict[str, dict[str, str]] = json.loads(out)
    return found
