"""Programs that tests run beside an instance: what they are told, and whether they can run here."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.instance import Instance

ROOT = Path(__file__).parents[2]
NODE_MODULES = [
    ROOT / "docs" / "examples" / "node_modules",
    *map(Path, os.environ.get("NODE_MODULES", "").split(os.pathsep)),
]


def run(command: list[str] | str, instance: Instance, folder: Path = ROOT, **variables: str) -> str:
    """Run a program that must end well; return what it prints."""
    credentials = {
        "DAYPASS_ENDPOINT": instance.endpoint,
        "DAYPASS_PROJECT": instance.project,
        "DAYPASS_KEY": instance.key,
    }
    done = subprocess.run(
        command,
        shell=isinstance(command, str),
        capture_output=True,
        text=True,
        cwd=folder,
        env=os.environ | credentials | variables,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def need_curl() -> None:
    """Skip where curl is missing."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")


def need_node(folder: Path) -> None:
    """Let a program in `folder` find the SDKs; skip where they or node are missing."""
    found = [path for path in NODE_MODULES if (path / "node-appwrite").exists()]
    if shutil.which("node") is None or not found:
        pytest.skip("node or docs/examples/node_modules is missing: npm install in docs/examples")
    (folder / "node_modules").symlink_to(found[0])


def need_web_sdk(folder: Path) -> None:
    """Let a page in `folder` load the SDK for browsers; skip where it is missing."""
    found = [path for path in NODE_MODULES if (path / "appwrite" / "dist" / "iife").exists()]
    if not found:
        pytest.skip("docs/examples/node_modules is missing: npm install in docs/examples")
    (folder / "node_modules").symlink_to(found[0])


README = (ROOT / "README.md").read_text(encoding="utf-8")


def fenced(text: str, language: str) -> list[str]:
    """The fenced blocks of a document that are in this language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


EXPECTED = fenced(README, "text")
