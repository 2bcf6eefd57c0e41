"""Instances to tell stories on: one process, separate processes, a compose stack; each starts once, when asked for."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.instance import TOPOLOGIES, Instance
from tests.e2e.processes import open_processes
from tests.parts import Parts


@pytest.fixture(scope="session", params=[pytest.param(name, marks=pytest.mark.topology(name)) for name in TOPOLOGIES])
def instance(request: pytest.FixtureRequest) -> Instance:
    """An instance of each topology in turn."""
    found: Instance = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="session")
def embedded() -> Iterator[Instance]:
    """`daypass up`, on a data directory of its own."""
    with tempfile.TemporaryDirectory(prefix="daypass-") as folder:
        Path(folder).chmod(0o711)
        with open_embedded(Path(folder) / "data") as instance:
            yield instance


@pytest.fixture(scope="session")
async def processes(parts: Parts) -> AsyncIterator[Instance]:
    """auth, token and two replicas of data, each a process, on a database and a Valkey of their own."""
    database = await parts.new_database()
    async with parts.valkey() as valkey:
        with open_processes(database, valkey) as instance:
            yield instance


@pytest.fixture(scope="session")
def stack() -> Iterator[Any]:  # Any: it is imported only where it is wanted
    """The containers of a deployment, by name."""
    module = pytest.importorskip("tests.e2e.stack.stack", reason="the stack of containers")
    with module.open_stack() as stack:
        yield stack


@pytest.fixture(scope="session")
def compose(stack: Any) -> Instance:
    """The containers of a deployment."""
    found: Instance = stack.instance
    return found


@contextlib.contextmanager
def open_embedded(data_dir: Path) -> Iterator[Instance]:
    """Start `daypass up --json`, and stop it as Ctrl-C would. What it says on stderr is pytest's to show."""
    daypass = Path(sys.executable).with_name("daypass")
    command = [daypass, "--data-dir", data_dir, "up", "--json", "--port", "0"]
    environ = os.environ | {"DAYPASS_RATE_LIMITS": "off"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environ) as process:
        assert process.stdout is not None
        try:
            said = json.loads(process.stdout.readline())
            yield Instance(
                topology="embedded",
                endpoint=said["endpoint"],
                project=said["project"],
                key=said["key"],
                redis_url=json.loads((data_dir / "run.json").read_text())["redis_url"],
                invitations=data_dir / "invitations",
            )
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
