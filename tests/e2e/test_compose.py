"""`make up` as it is: the compose file, in a clone so that no deployment of this checkout is touched."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.instance import Instance
from tests.e2e.processes import free_port
from tests.e2e.stack.containers import need_docker
from tests.e2e.test_readme import EXPECTED, run

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def compose_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """What `make up ARGS=--json` starts and prints, removed in the end with its data."""
    need_docker()
    clone = tmp_path_factory.mktemp("clone") / "daypass"
    subprocess.run(["git", "clone", "--quiet", "--depth=1", ROOT.as_uri(), clone], check=True)
    environ = os.environ | {
        "PYTHONPATH": str(clone),
        "COMPOSE_PROJECT_NAME": f"daypass-test-{os.getpid()}",
        "DAYPASS_PORT": str(free_port()),
    }

    def deploy(*arguments: str) -> str:
        command = [sys.executable, "-m", "deploy", *arguments]
        return subprocess.run(command, cwd=clone, env=environ, check=True, stdout=subprocess.PIPE, text=True).stdout

    try:
        said = json.loads(deploy("up", "--json"))
        assert json.loads(deploy("up", "--json")) == said, "a second start says the same"
        yield Instance(topology="compose", endpoint=said["endpoint"], project=said["project"], key=said["key"])
    finally:
        deploy("down", "--volumes")
        shutil.rmtree(clone, ignore_errors=True)


def test_the_example_runs_on_the_compose_file(compose_file: Instance) -> None:
    assert run(f"{sys.executable} docs/examples/birthdays.py", compose_file) == EXPECTED[0]
