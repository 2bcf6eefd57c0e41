"""`python -m deploy.gateway.generate`: write the gateway's route table, from the endpoint declarations.

A line is a regular expression on the path, and the service; the first that matches counts. A subtree of paths whose
endpoints are all of one service is one line, so that an endpoint more seldom changes the table.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from services.registry import ENDPOINTS
from shared.web.endpoint import PLACEHOLDER

FILE = Path(__file__).parent / "routes.map"
HEADER = """\
# Which service answers which path; the first line that matches counts, what matches none goes to auth.
# Made by `python -m deploy.gateway.generate` from the endpoint declarations.
"""

ANYTHING = "[^/]+"
Segments = tuple[str, ...]


def route_table() -> str:
    """Return the text of the table; raises `ValueError` where two services declare the same path."""
    rules = sorted(_rules((), declared(), ""), key=lambda rule: (-len(rule[0]), rule[0].count(ANYTHING), rule[0]))
    return HEADER + "".join(f"{_expression(segments)} {service}\n" for segments, service in rules)


def declared() -> dict[Segments, str]:
    """Return the service of each path, with `ANYTHING` in place of parameters."""
    services: dict[Segments, str] = {}
    for service, endpoints in ENDPOINTS.items():
        for path in (path for endpoint in endpoints for path in endpoint.paths):
            segments = tuple(PLACEHOLDER.sub(ANYTHING, part) for part in path.split("/")[1:])
            if services.setdefault(segments, service) != service:
                raise ValueError(f"both {services[segments]} and {service} declare {path}")
    return services


def _rules(prefix: Segments, paths: Mapping[Segments, str], inherited: str) -> Iterator[tuple[Segments, str]]:
    """Yield a rule for `prefix` unless its service is the inherited one, and for what below it is another's."""
    if prefix in {(), ("v1",)}:
        owner = ""
    else:
        counted = Counter(paths.values())
        owner = max(sorted(counted), key=lambda service: (counted[service], service == inherited))
        if owner != inherited:
            yield prefix, owner
    for step in sorted({path[0] for path in paths if path}):
        below = {path[1:]: service for path, service in paths.items() if path and path[0] == step}
        if set(below.values()) != {owner}:
            yield from _rules((*prefix, step), below, owner)


def _expression(segments: Segments) -> str:
    return "^/" + "/".join(part if part == ANYTHING else part.replace(".", r"\.") for part in segments) + "(/|$)"


if __name__ == "__main__":
    FILE.write_text(route_table(), encoding="utf-8")
