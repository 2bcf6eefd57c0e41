"""Dispatch: from method and path to a route, at a cost that does not grow with the number of routes.

Paths are a tree of segments. A literal segment goes before a parameter (`/users/identities` before `/users/{userId}`),
and where the literal leads nowhere the parameter is tried.
"""

from typing import Generic, TypeVar

R = TypeVar("R")


class Table(Generic[R]):
    """Routes by method and path."""

    def __init__(self) -> None:
        self._literal: dict[tuple[str, str], R] = {}
        self._root: _Node[R] = _Node()

    def add(self, method: str, path: str, route: R) -> None:
        """Add a route; raises `ValueError` where another has the same method and path."""
        if "{" not in path:
            if (method, path) in self._literal:
                raise ValueError(f"two routes for {method} {path}")
            self._literal[method, path] = route
            return
        node = self._root
        for segment in path.split("/")[1:]:
            node = node.child(segment)
        if method in node.routes:
            raise ValueError(f"two routes for {method} {path}")
        node.routes[method] = route

    def find(self, method: str, path: str) -> tuple[R, list[str]] | None:
        """Return the route and the values of its parameters, as they stand in the path."""
        route = self._literal.get((method, path))
        if route is not None:
            return route, []
        return _walk(self._root, method, path.split("/"), 1, [])


class _Node(Generic[R]):
    __slots__ = ("literals", "parameter", "routes")

    def __init__(self) -> None:
        self.literals: dict[str, _Node[R]] = {}
        self.parameter: _Node[R] | None = None
        self.routes: dict[str, R] = {}

    def child(self, segment: str) -> "_Node[R]":
        if not segment.startswith("{"):
            return self.literals.setdefault(segment, _Node())
        if self.parameter is None:
            self.parameter = _Node()
        return self.parameter


def _walk(node: _Node[R], method: str, segments: list[str], at: int, values: list[str]) -> tuple[R, list[str]] | None:
    for position in range(at, len(segments)):
        segment = segments[position]
        literal = node.literals.get(segment)
        if node.parameter is None:
            if literal is None:
                return None
            node = literal
            continue
        if literal is not None:
            match = _walk(literal, method, segments, position + 1, values.copy())
            if match is not None:
                return match
        values.append(segment)
        node = node.parameter
    route = node.routes.get(method)
    return None if route is None else (route, values)
