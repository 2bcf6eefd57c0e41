"""The official SDK's methods that have an endpoint here are called by the tests that use it, as far as names tell."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from docs.generate import APPWRITE, absent

E2E = Path(__file__).parents[1] / "e2e"
NOT_CALLED = {
    "account.create_j_w_t": "the Python SDK has no such method; the tests call its path",
    "teams.update_membership_status": "called by integration/embedded/test_invitations.py, which has the folder",
}
"""By service and method, why not."""


def patterns(service: str) -> Iterator[str]:
    """What methods of a service are called by, in the files that import its class.

    That is their names as attributes, or as f-strings, whose fields stand for anything.
    """
    for file in E2E.rglob("*.py"):
        nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
        if not any(isinstance(one, ast.ImportFrom) and one.module == f"appwrite.services.{service}" for one in nodes):
            continue
        for node in nodes:
            if isinstance(node, ast.Attribute):
                yield re.escape(node.attr)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr":
                yield from map(pattern, (one for one in node.args if isinstance(one, ast.JoinedStr)))


def pattern(name: ast.JoinedStr) -> str:
    return "".join(re.escape(str(one.value)) if isinstance(one, ast.Constant) else r"\w+" for one in name.values)


def test_every_method_with_an_endpoint_here_is_called() -> None:
    missing = absent()
    left_out = set()
    for service, endpoints in APPWRITE.items():
        called = re.compile("|".join(set(patterns(service))))
        here = {name for endpoint, name in endpoints.items() if endpoint not in missing[service]}
        left_out |= {f"{service}.{name}" for name in here if not called.fullmatch(name)}

    assert left_out == set(NOT_CALLED)
