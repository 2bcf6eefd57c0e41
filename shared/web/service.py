"""A service that is open: what it serves over HTTP, and what must hold for that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.guard.guard import Guard
from shared.web.endpoint import Routes
from shared.web.system import Check


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Opened by a service's composition, given to `WebApp`; an embedded process joins the parts of several."""

    parts: Sequence[tuple[Routes[Any], object]]  # Any: each part has dependencies of its own
    guard: Guard
    checks: Mapping[str, Check]
