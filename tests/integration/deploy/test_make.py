"""`make` finds a Python, and says what it does before it does it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
INTERPRETER = """#!/bin/sh
# stands for a Python of version 3.{minor}: creates environments, and installs nothing
case "$1 $2" in
"-c "*) exit $(({minor} < 11)) ;;
"-m venv")
    mkdir -p "$3/bin" && cp "$0" "$3/bin/python"
    printf '#!/bin/sh\\necho up by {name}\\n' > "$3/bin/daypass" && chmod +x "$3/bin/daypass" ;;
"-m pip") echo "pip of {name}" >&2 ;;
esac
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone in which nothing is installed yet, and a folder of programs without any Python."""
    for name in ("Makefile", "pyproject.toml", "requirements/run.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("make", "sh", "touch", "mkdir", "cp", "chmod"):
        (programs / name).symlink_to(str(shutil.which(name)))
    return tmp_path


def add_python(clone: Path, name: str, *, minor: int) -> None:
    path = clone / "programs" / name
    path.write_text(INTERPRETER.format(minor=minor, name=name))
    path.chmod(0o755)


def make(clone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(clone / "programs" / "make"), "run", *arguments]
    environ = {"PATH": str(clone / "programs"), "HOME": os.environ.get("HOME", "/")}
    return subprocess.run(command, cwd=clone, env=environ, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(
    ("installed", "chosen"),
    [
        ({"python3.12": 12, "python3.13": 13, "python3": 9}, "python3.12"),
        ({"python3.11": 11, "python3": 13}, "python3.11"),
        ({"python3": 14}, "python3"),
    ],
)
def test_the_first_python_that_is_new_enough_is_used(clone: Path, installed: dict[str, int], chosen: str) -> None:
    for name, minor in installed.items():
        add_python(clone, name, minor=minor)

    tried = make(clone)

    assert tried.returncode == 0, tried.stderr
    assert tried.stdout == f"up by {chosen}\n"


def test_a_python_can_be_chosen(clone: Path) -> None:
    add_python(clone, "python3.11", minor=11)
    add_python(clone, "mine", minor=12)

    assert make(clone, "PYTHON=mine").stdout == "up by mine\n"


@pytest.mark.parametrize("installed", [{}, {"python3": 9}])
def test_without_a_python_that_is_new_enough_it_says_what_it_needs(clone: Path, installed: dict[str, int]) -> None:
    for name, minor in installed.items():
        add_python(clone, name, minor=minor)

    tried = make(clone)

    assert tried.returncode != 0
    assert "needs Python 3.11 or later" in tried.stderr
    assert "make run PYTHON=/path/to/python3" in tried.stderr
    assert not (clone / ".venv").exists()


def test_each_step_is_announced_before_it_begins_and_stdout_stays_daypass_s_own(clone: Path) -> None:
    add_python(clone, "python3.11", minor=11)

    lines = make(clone).stderr.splitlines()

    assert lines[0].startswith("Creating .venv with python3.11")
    assert "takes about a minute" in lines[1]
    assert lines[2:] == ["pip of python3.11"] * 2
