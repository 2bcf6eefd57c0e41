"""`python -m docs.generate`: write the tables of docs/compatibility.md, from the OpenAPI document.

What stands above the heading is written by hand, and kept.
"""

import itertools
import json
from pathlib import Path
from typing import Any

from shared.web.openapi import FILE as DOCUMENT

FILE = Path(__file__).with_name("compatibility.md")
HEADING = "\n## Endpoints\n"
NOTE = "\nMade from the declarations by `make generate`; an alias is shown beside its endpoint.\n"
COLUMNS = "\n| endpoint | what it does | who | scopes of a key |\n| --- | --- | --- | --- |\n"
ALIAS = ".alias"

Operation = tuple[str, str, dict[str, Any]]
"""Path, method and the rest. Any: JSON has no narrower type."""


def page() -> str:
    """Return the whole page, with tables as the declarations are now."""
    by_hand, heading, _ = FILE.read_text(encoding="utf-8").partition(HEADING)
    groups = itertools.groupby(sorted(_operations(), key=_tag), key=_tag)
    return by_hand + heading + NOTE + "".join(_table(tag, list(operations)) for tag, operations in groups)


def _operations() -> list[Operation]:
    paths = json.loads(DOCUMENT.read_text(encoding="utf-8"))["paths"]
    return [(path, method.upper(), rest) for path, methods in paths.items() for method, rest in methods.items()]


def _tag(operation: Operation) -> str:
    return str(operation[2]["tags"][0])


def _table(tag: str, operations: list[Operation]) -> str:
    aliases = {rest["operationId"]: path for path, _, rest in operations}
    rows = [
        _row(path, method, rest, aliases.get(rest["operationId"] + ALIAS, ""))
        for path, method, rest in operations
        if not rest["operationId"].endswith(ALIAS)
    ]
    return f"\n### {tag}\n{COLUMNS}{''.join(rows)}"


def _row(path: str, method: str, rest: dict[str, Any], alias: str) -> str:  # Any: as above
    where = f"`{method} {path}`" + (f", `{alias}`" if alias else "")
    who = ", ".join(rest["x-callers"]) or "anyone, without a project"
    scopes = ", ".join(f"`{scope}`" for scope in rest["x-scopes"]) if "key" in rest["x-callers"] else ""
    return f"| {where} | {rest['summary']} | {who} | {scopes} |\n"


if __name__ == "__main__":
    FILE.write_text(page(), encoding="utf-8")
