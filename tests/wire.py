"""How the SDKs write queries, and what goes into the query of a GET."""

import json
from collections.abc import Iterator, Mapping
from typing import Any


def query(method: str, attribute: str | None = None, *values: Any) -> str:
    """Write a query."""
    parts: dict[str, Any] = {"method": method}
    if attribute is not None:
        parts["attribute"] = attribute
    if values:
        parts["values"] = list(values)
    return json.dumps(parts, ensure_ascii=False)


def pairs(parameters: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Write parameters; a list is one for each of its places."""
    for name, value in parameters.items():
        if isinstance(value, list):
            yield from ((f"{name}[{place}]", str(one)) for place, one in enumerate(value))
        else:
            yield name, str(value).lower() if isinstance(value, bool) else str(value)
