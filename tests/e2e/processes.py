"""Daypass as separate processes: auth, token, and two replicas of data behind a router."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import requests

from services.embedded.valkey import Valkey
from tests.e2e.instance import Instance, Replica
from tests.parts import Database

MASTER_KEY = "a-master-key-for-tests-only-0123456789"
COLUMN_KEY = "a-column-key-for-tests-only-0123456789"
START_S = 60


@contextlib.contextmanager
def open_processes(database: Database, valkey: Valkey) -> Iterator[Instance]:
    """Start all services and a router; stop them in the end, and see that each ends well."""
    with contextlib.ExitStack() as stack:
        ports: dict[str, list[int]] = {}
        replicas = []
        for service in ("auth", "token", "data", "data"):
            port = free_port()
            running = stack.enter_context(process(service, port, database, valkey))
            ports.setdefault(service, []).append(port)
            if service == "data":
                replicas.append(Replica(f"http://127.0.0.1:{port}/v1", running.pid))
        ports["storage"] = ports["data"]
        for port in [port for own in ports.values() for port in own]:
            await_ready(port)
        yield replace(first_project(stack.enter_context(open_router(ports)), valkey), replicas=tuple(replicas))


def environment(service: str, port: int, database: Database, valkey: Valkey) -> dict[str, str]:
    """The settings of one service."""
    own = {
        "DAYPASS_DATABASE_URL": database.dsn(service),
        "DAYPASS_REDIS_URL": valkey.url(service),
        "DAYPASS_PORT": str(port),
        "DAYPASS_RATE_LIMITS": "off",
    }
    if service == "data":  # it hosts storage
        own["DAYPASS_COLUMN_KEY"] = COLUMN_KEY
        own["DAYPASS_STORAGE_DATABASE_URL"] = database.dsn("storage")
        own["DAYPASS_STORAGE_REDIS_URL"] = valkey.url("storage")
    if service in {"data", "storage"}:
        own["DAYPASS_FILES"] = str(files_of(database))
        own["DAYPASS_FILE_KEY"] = MASTER_KEY
    return own | ({"DAYPASS_MASTER_KEY": MASTER_KEY} if service == "token" else {})


def files_of(database: Database) -> Path:
    """Return the folder in which the files of a database are kept."""
    return Path(tempfile.gettempdir()) / f"daypass-files-{database.name}"


@contextlib.contextmanager
def process(service: str, port: int, database: Database, valkey: Valkey) -> Iterator["subprocess.Popen[bytes]"]:
    """Run `python -m services.SERVICE`."""
    environ = os.environ | environment(service, port, database, valkey)
    with subprocess.Popen([sys.executable, "-m", f"services.{service}"], env=environ) as running:
        try:
            yield running
        finally:
            running.terminate()
            assert running.wait(60) == 0


def await_ready(port: int) -> None:
    """Wait until a service says it is ready."""
    for _ in range(START_S * 20):
        with contextlib.suppress(requests.ConnectionError):
            if requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200:
                return
        time.sleep(0.05)
    raise AssertionError(f"the service on port {port} did not become ready")


@contextlib.contextmanager
def open_router(ports: dict[str, list[int]]) -> Iterator[int]:
    """Run the router; yield its port."""
    arguments = [f"{service}={','.join(map(str, own))}" for service, own in ports.items()]
    command = [sys.executable, "-m", "tests.e2e.router", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        try:
            yield int(running.stdout.readline())
        finally:
            running.stdin.close()


def first_project(port: int, valkey: Valkey) -> Instance:
    """Make a project and a key with all scopes by the command line, as an operator would."""
    environ = os.environ | {"DAYPASS_REDIS_URL": valkey.url("cli")}
    project = daypass(environ, "project", "create", "library", "--name", "Library")["project"]
    key = daypass(environ, "key", "create", "--project", project["id"], "--name", "tests")["key"]
    return Instance(
        topology="processes", endpoint=f"http://127.0.0.1:{port}/v1", project=project["id"], key=key["secret"]
    )


def daypass(environ: dict[str, str], *arguments: str) -> dict[str, dict[str, str]]:
    """Run the command line and read its JSON."""
    command = [Path(sys.executable).with_name("daypass"), *arguments, "--json"]
    done = subprocess.run(command, env=environ, capture_output=True, check=True)
    found: dict[str, dict[str, str]] = json.loads(done.stdout)
    return found


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
