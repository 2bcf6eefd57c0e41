"""Every behaviour of tests/checks is shown by a test that is marked with its number, or left out for a reason."""

import ast
from collections.abc import Iterator
from pathlib import Path

from docs.generate import CHECKS, left_out

TESTS = Path(__file__).parents[1]


def marked() -> Iterator[str]:
    """The names in all marks `check`, wherever they stand."""
    for file in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.check":
                yield from (ast.literal_eval(argument) for argument in node.args)


def test_every_behaviour_is_shown_or_left_out_and_none_is_both() -> None:
    shown, missing = set(marked()), set(left_out())

    assert shown | missing == {f"{kind} {number}" for kind, checks in CHECKS.items() for number in checks}
    assert shown & missing == set()


def test_behaviours_are_numbered_without_a_gap() -> None:
    for checks in CHECKS.values():
        assert list(checks) == list(range(1, len(checks) + 1))
