"""No test changes our code while it runs: what is to be otherwise there is passed in, by constructor or fixture."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
OURS = frozenset({"shared", "services", "deploy"})
PATCHING = frozenset({"setattr", "delattr", "__setattr__", "__delattr__"})
MEASURES = TESTS / "bench" / "stages.py"
"""The one that looks inside: it measures where time goes, and asserts nothing."""


def patches(source: str) -> list[int]:
    """Return the lines that set or delete an attribute by name, or one of something that was imported from our code."""
    tree = ast.parse(source)
    imported = set(_imported(tree))
    found = {node.lineno for node in ast.walk(tree) if _calls_patch(node) or _imports_mock(node)}
    targets = (target for node in ast.walk(tree) for target in _targets(node))
    found |= {one.lineno for target in targets for one in ast.walk(target) if _root(one) in imported}
    return sorted(found)


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in OURS:
            yield from (name.asname or name.name for name in node.names)
        elif isinstance(node, ast.Import):
            ours = [name for name in node.names if name.name.split(".")[0] in OURS]
            yield from (name.asname or name.name.split(".")[0] for name in ours)


def _calls_patch(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    called = node.func
    name = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
    return name in PATCHING


def _imports_mock(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.module == "unittest.mock" or (node.module == "unittest" and "mock" in {n.name for n in node.names})
    return isinstance(node, ast.Import) and "unittest.mock" in {name.name for name in node.names}


def _targets(node: ast.AST) -> list[ast.expr]:
    match node:
        case ast.Assign() | ast.Delete():
            return node.targets
        case ast.AugAssign() | ast.AnnAssign() | ast.For() | ast.AsyncFor():
            return [node.target]
        case ast.withitem(optional_vars=ast.expr() as target):
            return [target]
    return []


def _root(node: ast.AST) -> str | None:
    """Return the name that an attribute, of an attribute…, is one of; None for what is no attribute."""
    if not isinstance(node, ast.Attribute):
        return None
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def test_no_test_changes_our_code() -> None:
    files = [file for file in TESTS.rglob("*.py") if file != MEASURES]
    found = {str(file.relative_to(TESTS)): patches(file.read_text(encoding="utf-8")) for file in files}

    assert {file: lines for file, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "source",
    [
        "def test(monkeypatch):\n    monkeypatch.setattr('shared.guard.barrier.CONFIRM_S', 1)",
        "from shared.guard import barrier\nsetattr(barrier, 'CONFIRM_S', 1)",
        "from shared.guard import barrier\nbarrier.CONFIRM_S = 1",
        "from services.auth import events as e\nwith a() as e.handler:\n    pass",
        "import shared.guard.barrier\nshared.guard.barrier.CONFIRM_S += 1",
        "from shared.guard.cache import Generations\n(Generations.get, x) = 1, 2",
        "def test():\n    from deploy import dotenv\n    del dotenv.FILE",
        "from unittest import mock",
        "object.__setattr__(timing, 'confirm_s', 1)",
    ],
)
def test_a_change_of_our_code_is_found(source: str) -> None:
    assert patches(source) != []


@pytest.mark.parametrize(
    "source",
    [
        "def test(monkeypatch):\n    monkeypatch.setenv('HOME', '/')",
        "from shared.guard.cache import Cache\ncache = Cache()\ncache.position = 3",
        "from shared.guard import barrier\nlimit = barrier.BURST",
        "import redis\nredis.timeout = 1",
        "from tests.clock import Clock\nClock.ahead_s = 1",
    ],
)
def test_what_is_no_change_of_our_code_is_not_found(source: str) -> None:
    assert patches(source) == []
