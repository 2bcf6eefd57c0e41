"""The commands of README.md and of docs/examples do what they say, on a running instance."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.instance import Instance

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXPECTED = re.findall(r"```text\n(.*?)```", README, re.DOTALL)
NODE_MODULES = [ROOT / "docs/examples/node_modules", *map(Path, os.environ.get("NODE_MODULES", "").split(os.pathsep))]


def environ(instance: Instance, **more: str) -> dict[str, str]:
    own = {"DAYPASS_ENDPOINT": instance.endpoint, "DAYPASS_PROJECT": instance.project, "DAYPASS_KEY": instance.key}
    return os.environ | own | more


def run(command: list[str] | str, instance: Instance, folder: Path = ROOT, **more: str) -> str:
    done = subprocess.run(
        command,
        shell=isinstance(command, str),
        capture_output=True,
        text=True,
        cwd=folder,
        env=environ(instance, **more),
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def fenced(first_word: str) -> str:
    """The README's shell block that has a line beginning so, without what only a person does."""
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    block = next(block for block in blocks if first_word in block)
    return "\n".join(line for line in block.splitlines() if not line.startswith("set -a"))


def test_the_example_in_python_prints_what_the_readme_says(embedded: Instance) -> None:
    assert run(fenced("birthdays.py"), embedded) == EXPECTED[0]


def test_the_example_with_curl_prints_what_the_readme_says(embedded: Instance) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    said = run(fenced("birthdays.sh"), embedded, DAYPASS_REDIS_URL=embedded.redis_url)

    assert said.endswith(EXPECTED[1])


def test_the_example_in_javascript_tells_the_same_story(embedded: Instance, tmp_path: Path) -> None:
    found = [folder for folder in NODE_MODULES if (folder / "node-appwrite").exists()]
    if shutil.which("node") is None or not found:
        pytest.skip("node or docs/examples/node_modules is missing: npm install in docs/examples")
    shutil.copy(ROOT / "docs/examples/birthdays.mjs", tmp_path)
    (tmp_path / "node_modules").symlink_to(found[0])

    said = run(["node", "birthdays.mjs"], embedded, tmp_path)
    assert said.replace("[ ", "[").replace(" ]", "]") == EXPECTED[0]


@pytest.mark.parametrize("target", ["run", "test", "up", "bench", "check"])
def test_every_make_target_that_the_readme_names_is_there(target: str) -> None:
    said = subprocess.run(["make", "help"], capture_output=True, text=True, cwd=ROOT, check=True, timeout=60).stdout

    assert f"make {target}" in README
    assert re.search(rf"^\s+{target}\s", said, re.MULTILINE)
