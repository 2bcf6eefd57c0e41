"""The commands of README.md, docs/examples and docs/how-to do what they say, on a running instance."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import jwt
import pytest
from appwrite.services.tables_db import TablesDB
from appwrite.services.users import Users

from tests.e2e.instance import Instance
from tests.e2e.programs import EXPECTED, README, ROOT, fenced, need_curl, need_node, run
from tests.e2e.sdk import server

EXAMPLES, HOW_TO = ROOT / "docs" / "examples", ROOT / "docs" / "how-to"


def in_readme(program: str) -> str:
    """The README's block of commands that runs a program, without the line that reads the user's own credentials."""
    block = next(block for block in fenced(README, "sh") if program in block)
    return "\n".join(line for line in block.splitlines() if not line.startswith("set -a"))


def test_the_example_in_python_prints_what_the_readme_says(embedded: Instance) -> None:
    assert [run(in_readme("birthdays.py"), embedded)] == EXPECTED[:1]


def test_the_example_with_curl_prints_what_the_readme_says(embedded: Instance) -> None:
    need_curl()

    assert [run(in_readme("birthdays.sh"), embedded)] == EXPECTED[:1]


def test_the_example_in_javascript_prints_what_the_readme_says(embedded: Instance, tmp_path: Path) -> None:
    need_node(tmp_path)
    shutil.copy(EXAMPLES / "birthdays.mjs", tmp_path)

    assert [run(["node", "birthdays.mjs"], embedded, tmp_path)] == EXPECTED[:1]


def test_an_example_leaves_nothing_behind(embedded: Instance) -> None:
    users, databases = Users(server(embedded)), TablesDB(server(embedded))
    before = users.list().total, databases.list().total
    run(in_readme("birthdays.py"), embedded)

    assert (users.list().total, databases.list().total) == before


@pytest.mark.parametrize(("language", "file"), [("python", "birthdays.py"), ("js", "birthdays.mjs")])
def test_the_lines_that_the_readme_shows_of_an_example_are_in_it(language: str, file: str) -> None:
    lines = {line.strip() for line in (EXAMPLES / file).read_text(encoding="utf-8").splitlines()}
    shown = [line for block in fenced(README, language) for line in block.splitlines()]

    assert shown
    assert [line for line in shown if line not in lines] == []


def test_the_page_on_python_is_a_program_that_prints_what_it_says(embedded: Instance) -> None:
    page = (HOW_TO / "python.md").read_text(encoding="utf-8")

    assert [run([sys.executable, "-c", "".join(fenced(page, "python"))], embedded)] == fenced(page, "text")


def test_the_page_on_javascript_is_a_program_that_prints_what_it_says(embedded: Instance, tmp_path: Path) -> None:
    need_node(tmp_path)
    page = (HOW_TO / "javascript.md").read_text(encoding="utf-8")
    (tmp_path / "page.mjs").write_text("".join(fenced(page, "js")), encoding="utf-8")

    assert [run(["node", "page.mjs"], embedded, tmp_path)] == fenced(page, "text")


def test_the_page_on_curl_is_a_script_that_prints_what_it_says(embedded: Instance) -> None:
    need_curl()
    page = (HOW_TO / "curl.md").read_text(encoding="utf-8")

    assert [run(["sh", "-euc", "".join(fenced(page, "sh"))], embedded)] == fenced(page, "text")


def test_the_page_on_verification_is_a_program_that_prints_what_it_says(embedded: Instance) -> None:
    page = (HOW_TO / "verify.md").read_text(encoding="utf-8")
    token = Users(server(embedded)).create_jwt(Users(server(embedded)).create("verifier").id).jwt
    claims = jwt.decode(token, options={"verify_signature": False})
    told = {"ISSUER": claims["iss"], "INCARNATION": str(claims["projectIncarnation"])}

    assert [run([sys.executable, "-c", "".join(fenced(page, "python"))], embedded, **told)] == fenced(page, "text")


def test_the_page_on_explanations_can_be_followed(embedded: Instance) -> None:
    need_curl()
    page = (HOW_TO / "explain.md").read_text(encoding="utf-8")
    said = run(["sh", "-euc", "".join(fenced(page, "sh")[:2])], embedded)
    TablesDB(server(embedded)).delete("library")
    Users(server(embedded)).delete("ada")

    assert said.split("{")[0].split() == ["201", "200", "201", "201", "201"]
    assert json.loads(said[said.index("{") :])["$explain"] == json.loads(fenced(page, "json")[0])


@pytest.mark.parametrize("target", ["run", "test", "up", "down", "bench", "check"])
def test_every_make_target_that_the_readme_names_is_there(target: str) -> None:
    said = subprocess.run(["make", "help"], capture_output=True, text=True, cwd=ROOT, check=True, timeout=60).stdout

    assert f"make {target}" in README
    assert re.search(rf"^\s+{target}\s", said, re.MULTILINE)
