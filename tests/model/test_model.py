"""The protocol holds in every order of its steps; `make model` checks larger sizes, and every broken variant."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.model.checker import MODEL, Check, missing_tools, run
from tests.model.checks import BROKEN, PROTOCOL

ROOT = Path(__file__).parents[2]
QUICK = [check for check in (*PROTOCOL, *BROKEN) if check.is_quick]

needs_tools = pytest.mark.skipif(bool(missing_tools()), reason=f"not installed: {', '.join(missing_tools())}")


@needs_tools
@pytest.mark.parametrize("check", QUICK, ids=lambda check: check.name)
def test_the_protocol_holds_and_what_breaks_it_is_found(check: Check, tmp_path: Path) -> None:
    outcome = run(check, tmp_path / "search")

    assert outcome.is_expected, str(outcome)


@needs_tools
def test_a_search_that_was_cut_short_verifies_nothing(tmp_path: Path) -> None:
    outcome = run(PROTOCOL[0], tmp_path / "search", depth=100)

    assert outcome.verdict == "not searched to the end"
    assert not outcome.is_expected


def test_every_name_that_a_check_defines_is_one_of_the_model() -> None:
    words = set(MODEL.read_text(encoding="utf-8").replace("(", " ").replace(")", " ").split())
    for check in (*PROTOCOL, *BROKEN):
        assert {define.partition("=")[0] for define in check.defines.split()} <= words, check.name


def test_the_document_explains_each_broken_rule() -> None:
    rows = (ROOT / "docs" / "model.md").read_text(encoding="utf-8").replace("`", "").splitlines()
    explained = [row.split(" | ")[0].removeprefix("| ") for row in rows if row.startswith("| ")]

    assert [check.name for check in BROKEN] == explained[-len(BROKEN) :]


def test_a_missing_program_is_named() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.model"], cwd=ROOT, env={"PATH": ""}, capture_output=True, text=True
    )

    assert done.returncode == 2
    assert "spin, cc" in done.stderr
