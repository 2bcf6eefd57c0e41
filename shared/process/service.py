"""A service that is open: what it serves over HTTP, and what must hold for that."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from redis.asyncio import Redis

from shared.guard.announcements import Announcements
from shared.guard.barrier import Mode, Peers, Revocations
from shared.guard.cache import Cache
from shared.guard.guard import Guard
from shared.guard.receipt_keeper import ReceiptKeeper
from shared.guard.registrations import Primary, Registry
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


class Outbox(NamedTuple):
    """How a process reaches the outbox, and tells the relay that something in it was committed."""

    pool: Pool
    wake_relay: Callable[[], Awaitable[None]]
    access: Access = OWNER


def open_revocations(
    settings: ProcessSettings,
    guard: Guard,
    *,
    redis: Redis,
    outbox: Outbox,
    trust: Trust | None = None,
    timing: BarrierTiming = BARRIER_TIMING,
) -> Revocations:
    """Make what waits at barriers in a process, by its settings.

    A process with `trust`, by which it decides whether Redis is the one that it was, is in charge: it strikes silent
    replicas of all services, and confirms what others left pending.
    """
    redis_url = settings.redis_url.reveal()
    announcements = Announcements(redis_url)
    registry = Registry(
        primary=Primary(redis, redis_url, settings.redis_copies),
        reader=guard.reader,
        trust=trust,
        removes=trust is not None,
        timing=timing,
        on_read=announcements.keep_only,
    )
    return Revocations(
        guard=guard,
        peers=Peers(registry, announcements),
        receipts=ReceiptKeeper(outbox.pool, access=outbox.access, timing=timing),
        wake_relay=outbox.wake_relay,
        mode=_mode(settings, is_in_charge=trust is not None),
        timing=timing,
    )


def _mode(settings: ProcessSettings, *, is_in_charge: bool) -> Mode:
    if not settings.test_barrier:
        return Mode.OFF
    return Mode.SWEEPS if is_in_charge else Mode.WAITS


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
