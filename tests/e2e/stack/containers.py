"""Containers of a test: on one network, published on 127.0.0.1 at most, with no more rights than deployed ones."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import docker  # type: ignore[import-untyped] # no stubs among our packages
import pytest

os.environ["TESTCONTAINERS_RYUK_DISABLED"] = "true"  # it would be pulled; what is started here is stopped here
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network

ROOT = Path(__file__).parents[3]
PATIENCE_S = 90
HARDENED = {"cap_drop": ["ALL"], "security_opt": ["no-new-privileges:true"], "read_only": True}


def need_docker() -> None:
    """Skip where there is no Docker."""
    try:
        client = docker.from_env()
        client.ping()
        client.close()
    except docker.errors.DockerException as error:
        pytest.skip(f"no Docker here: {error}")


@contextlib.contextmanager
def open_network() -> Iterator[Network]:
    """Make a network, and remove it in the end."""
    with Network() as network:
        yield network


def container(image: str, *command: str, alias: str, network: Network, **named: object) -> DockerContainer:
    """Describe a container that others on the network know by `alias`."""
    made = DockerContainer(image).with_network(network).with_network_aliases(alias)
    if command:
        made.with_command(list(command))
    return made.with_kwargs(**HARDENED, **named)


def publish(made: DockerContainer, port: int) -> DockerContainer:
    """Have a port published on any free one of 127.0.0.1, where nobody else can reach it."""
    made.ports[f"{port}/tcp"] = ("127.0.0.1", None)  # type: ignore[assignment] # the client takes pairs, its hints forget
    return made


def await_exec(running: DockerContainer, *command: str) -> None:
    """Run a command in a container again and again until it succeeds."""
    deadline = time.monotonic() + PATIENCE_S
    while running.exec(list(command)).exit_code != 0:
        wrapped = running.get_wrapped_container()
        wrapped.reload()
        if wrapped.status != "running" or time.monotonic() > deadline:
            raise AssertionError(f"{command} never succeeded ({wrapped.status}):\n{wrapped.logs(tail=60).decode()}")
        time.sleep(0.1)
