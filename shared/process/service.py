"""A service that is open: what it serves over HTTP, and what must hold for that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.guard.barrier import Revocations
from shared.guard.cache import Cache
from shared.guard.guard import Guard
from shared.guard.resolver import Resolver
from shared.process.health import Check
from shared.process.settings import ProcessSettings
from shared.web.endpoint import Routes


def open_guard(settings: ProcessSettings, service: str, resolver: Resolver) -> Guard:
    """Make the guard of a process, by its settings."""
    return Guard(
        service=service,
        redis_url=settings.redis_url.reveal(),
        resolver=resolver,
        cache=Cache(entries=settings.cache_entries, marks=settings.cache_marks),
        copies=settings.redis_copies,
        most_lookups=settings.cache_lookups,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Opened by a service's composition, and served by `shared.process.serve`; several can be `joined`.

    `revocations` are what waits at barriers here, for the metrics.
    """

    parts: Sequence[tuple[Routes[Any], object]]  # Any: each part has dependencies of its own
    guard: Guard
    checks: Mapping[str, Check]
    revocations: Sequence[Revocations] = ()


def joined(services: Mapping[str, Service]) -> Service:
    """Return services that share a guard as one; its checks carry their names."""
    (guard,) = {service.guard for service in services.values()}
    return Service(
        parts=[part for service in services.values() for part in service.parts],
        guard=guard,
        checks={
            f"{name} {what}": check for name, service in services.items() for what, check in service.checks.items()
        },
        revocations=[one for service in services.values() for one in service.revocations],
    )
