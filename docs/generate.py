"""`python -m docs.generate`: write the tables of docs/compatibility.md, and docs/endpoints.txt.

The tables come from the OpenAPI document, the lists of Appwrite's endpoints beside this file, and the behaviours in
tests/checks. The text above their first heading is written by hand, and kept. docs/endpoints.txt has one
line for each endpoint, so that a change of a declaration can be reviewed.
"""

import itertools
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from services.embedded.openapi import whole
from services.registry import ALL as DECLARED
from shared.appwrite.absent import REASONS, place_of
from shared.web.endpoint import NO_STORE, Endpoint

HERE = Path(__file__).parent
FILE = HERE / "compatibility.md"
ENDPOINTS_FILE = HERE / "endpoints.txt"
HEADING = "\n## Endpoints by service\n"
NOTE = """
`make generate` writes all tables from here on, from the declarations and from the endpoints that Appwrite's official
SDKs call ([the list](appwrite_endpoints.yaml), and [why Daypass lacks some](../shared/appwrite/absent.py)).

| service | Appwrite's endpoints | in Daypass |
| --- | --- | --- |
"""
ELSEWHERE = """
## Services that Daypass lacks

| service | Appwrite's endpoints | why |
| --- | --- | --- |
"""
ABSENT = """
## Endpoints that Daypass lacks

Only those of services that it has.

| why | endpoints |
| --- | --- |
"""
LEFT_OUT = """
## Behaviours that Daypass lacks

Tests show {shown} behaviours that clients rely on, by number ([data](../tests/checks/data.yaml),
[identity](../tests/checks/identity.yaml), [storage](../tests/checks/storage.yaml)). These are left out:

| behaviour | why |
| --- | --- |
"""
ENDPOINTS = "\n## Endpoints of Daypass\n\nAn alias is shown beside its endpoint.\n"
COLUMNS = "\n| endpoint | what it does | callers | scopes of a key |\n| --- | --- | --- | --- |\n"
ALIAS = ".alias"

Operation = tuple[str, str, dict[str, Any]]
"""Path, method and the rest. Any: JSON has no narrower type."""


def _yaml(file: Path) -> Any:  # Any: YAML has no narrower type
    return yaml.safe_load(file.read_text(encoding="utf-8"))


APPWRITE: dict[str, dict[str, str]] = _yaml(HERE / "appwrite_endpoints.yaml")
"""By service, the endpoints (method and path) with the names of the SDK's methods."""

CHECKS: dict[str, dict[int, str | dict[str, str]]] = {
    kind: _yaml(HERE.parent / "tests" / "checks" / f"{kind}.yaml") for kind in ("data", "identity", "storage")
}


def page() -> str:
    """Return the whole page, with tables as the declarations are now."""
    by_hand, _, _ = FILE.read_text(encoding="utf-8").partition(HEADING)
    groups = itertools.groupby(sorted(_operations(), key=_tag), key=_tag)
    endpoints = "".join(_table(tag, list(operations)) for tag, operations in groups)
    return by_hand + HEADING + _services() + _left_out() + ENDPOINTS + endpoints


def endpoint_lines() -> str:
    """Return one line for each endpoint: method, path, name, callers, scopes, limit, status, and errors of its own."""
    declared = sorted(DECLARED, key=lambda endpoint: (endpoint.paths[0], endpoint.method))
    return "".join(f"{' '.join(_words(endpoint))}\n" for endpoint in declared)


def _words(endpoint: Endpoint) -> Iterator[str]:
    yield f"{endpoint.method:6} {','.join(endpoint.paths)} {endpoint.name}"
    yield "callers=" + ",".join(str(caller.name).lower() for caller in endpoint.callers)
    yield "scopes=" + ",".join(endpoint.scopes)
    if endpoint.limit is not None:
        yield f"limit={endpoint.limit.amount}/{endpoint.limit.window_s}s/{','.join(endpoint.limit.by)}"
    if endpoint.cache_control != NO_STORE:
        yield f"cache={endpoint.cache_control.replace(' ', '')}"
    yield str(endpoint.status)
    yield "errors=" + ",".join(sorted(endpoint.errors))


def left_out() -> dict[str, dict[str, str]]:
    """Return the behaviours that are not here, by their names, each with a reason."""
    every = {f"{kind} {number}": one for kind, checks in CHECKS.items() for number, one in checks.items()}
    return {name: one for name, one in every.items() if isinstance(one, dict)}


def absent() -> dict[str, list[str]]:
    """Return, by service, Appwrite's endpoints that are not here."""
    known = {f"{method} {_plain(path.removeprefix('/v1'))}" for path, method, _ in _operations()}
    return {service: [one for one in endpoints if _plain(one) not in known] for service, endpoints in APPWRITE.items()}


def place(endpoint: str) -> str:
    """Return the key of REASONS that says why an endpoint is not here; raises `LookupError` where none does."""
    found = place_of(_plain(endpoint.partition(" ")[2]))
    if found is None:
        raise LookupError(f"shared/appwrite/absent.py does not say why {endpoint} is not here")
    return found


def _plain(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def _operations() -> list[Operation]:
    paths = json.loads(whole())["paths"]
    return [(path, method.upper(), rest) for path, methods in paths.items() for method, rest in methods.items()]


def _services() -> str:
    missing = absent()
    whole = {service: every for service, every in APPWRITE.items() if len(missing[service]) == len(every)}
    here = "".join(
        f"| {service} | {len(every)} | {len(every) - len(missing[service])} |\n"
        for service, every in APPWRITE.items()
        if service not in whole
    )
    why: dict[str, list[str]] = defaultdict(list)
    for service, endpoints in missing.items():
        for one in endpoints if service not in whole else []:
            why[REASONS[place(one)]].append(f"`{one}`")
    elsewhere = "".join(
        f"| {service} | {len(every)} | {REASONS[place(next(iter(every)))]} |\n" for service, every in whole.items()
    )
    lines = "".join(f"| {text} | {', '.join(endpoints)} |\n" for text, endpoints in sorted(why.items()))
    return NOTE + here + ELSEWHERE + elsewhere + ABSENT + lines


def _left_out() -> str:
    missing = left_out()
    shown = sum(map(len, CHECKS.values())) - len(missing)
    rows = (f"| {name}: {one['behaviour']} | {one['left_out']} |\n" for name, one in missing.items())
    return LEFT_OUT.format(shown=shown) + "".join(rows)


def _tag(operation: Operation) -> str:
    return str(operation[2]["tags"][0])


def _table(tag: str, operations: list[Operation]) -> str:
    return f"\n### {tag}\n{COLUMNS}{''.join(_rows(operations))}"


def _rows(operations: list[Operation]) -> Iterator[str]:
    aliases = {rest["operationId"]: path for path, _, rest in operations}
    for path, method, rest in operations:
        if not rest["operationId"].endswith(ALIAS):
            yield _row(path, method, rest, aliases.get(rest["operationId"] + ALIAS, ""))


def _row(path: str, method: str, rest: dict[str, Any], alias: str) -> str:  # Any: as above
    where = f"`{method} {path}`" + (f", `{alias}`" if alias else "")
    who = ", ".join(rest["x-callers"]) or "anyone, without a project"
    scopes = ", ".join(f"`{scope}`" for scope in rest["x-scopes"]) if "key" in rest["x-callers"] else ""
    return f"| {where} | {rest['summary']} | {who} | {scopes} |\n"


if __name__ == "__main__":
    FILE.write_text(page(), encoding="utf-8")
    ENDPOINTS_FILE.write_text(endpoint_lines(), encoding="utf-8")
