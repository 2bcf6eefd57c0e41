"""A service that is open: what it serves over HTTP, and what must hold for that."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from shared.guard.announcements import Announcements
from shared.guard.barrier import Revocations
from shared.guard.cache import Cache
from shared.guard.guard import Guard
from shared.guard.receipt_keeper import ReceiptKeeper
from shared.guard.registrations import Registry
from shared.guard.resolver import Resolver
from shared.guard.timing import BARRIER_TIMING, BarrierTiming
from shared.guard.trust import Trust
from shared.messaging.outbox import OWNER, Access
from shared.postgres.pool import Pool
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


def open_revocations(
    settings: ProcessSettings,
    guard: Guard,
    redis: Redis,
    pool: Pool,
    *,
    access: Access = OWNER,
    wake_relay: Callable[[], Awaitable[None]],
    trust: Trust | None = None,
    is_in_charge: bool = False,
    timing: BarrierTiming = BARRIER_TIMING,
) -> Revocations:
    """Make what waits at barriers in a process, by its settings.

    `access` is how the process reaches the outbox. `is_in_charge`: it strikes silent replicas of all services, and
    confirms what others left pending.
    """
    redis_url = settings.redis_url.reveal()
    announcements = Announcements(redis_url)
    registry = Registry(
        redis=redis,
        redis_url=redis_url,
        reader=guard.reader,
        trust=trust,
        copies=settings.redis_copies,
        removes=is_in_charge,
        timing=timing,
        on_read=announcements.keep_only,
    )
    return Revocations(
        guard=guard,
        registry=registry,
        announcements=announcements,
        receipts=ReceiptKeeper(pool, access=access, timing=timing),
        wake_relay=wake_relay,
        sweeps=is_in_charge and settings.test_barrier,
        enabled=settings.test_barrier,
        timing=timing,
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
