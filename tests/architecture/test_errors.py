"""The message of an error stands in the table of `shared/kernel/errors.py` alone."""

import ast
from collections.abc import Iterator
from pathlib import Path

from shared.kernel.errors import ErrorType

ROOT = Path(__file__).parents[2]


def refusals() -> Iterator[tuple[str, ErrorType, str]]:
    """Return where a refusal is made with a message of its own, its type and the message."""
    for path in sorted(path for room in ("services", "shared") for path in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Name("Refusal"), args=[ast.Attribute(ast.Name("ErrorType"), name), ast.Constant(message)]
                ):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", ErrorType[name], str(message)


def test_no_refusal_repeats_the_message_of_its_type() -> None:
    made = list(refusals())

    assert made
    assert [where for where, type_, message in made if message == type_.message] == []
