"""Health of revocation, as this process sees it."""

from typing import NamedTuple

import structlog
from redis.asyncio import Redis

from services.auth.deps import AuthDeps
from shared.guard.registrations import list_registrations
from shared.messaging.outbox import list_pending
from shared.messaging.wire import REDIS_ERRORS

log = structlog.get_logger()


class Replica(NamedTuple):
    """A process that barriers wait for: its service, its name, and the position it last registered."""

    service: str
    name: str
    position: int


class RevocationState(NamedTuple):
    """How far this process is, who is registered, and what is not confirmed.

    `lease_s` is the time for which callers may be remembered; 0: this process is fenced. `tail` is the end of the feed
    as last seen. `replicas` is None where Redis could not be read.
    """

    lease_s: float
    position: int
    tail: int
    pending_barriers: int
    pending_receipts: int
    replicas: list[Replica] | None

    @property
    def is_fenced(self) -> bool:
        """Say whether this process may use nothing that it remembers."""
        return self.lease_s <= 0


async def find_revocation_state(deps: AuthDeps) -> RevocationState:
    """Look at the lease, the feed, the registries and the outbox; raises what PostgreSQL raises."""
    pending = await list_pending(deps.pool, older_than_s=0)
    replicas = await _find_replicas(deps.redis)
    cache, reader = deps.guard.cache, deps.guard.reader
    return RevocationState(
        lease_s=max(0.0, cache.lease_left_s),
        position=cache.position,
        tail=max(reader.tail, cache.position),
        pending_barriers=deps.revocations.waiting,
        pending_receipts=len(pending),
        replicas=replicas,
    )


async def _find_replicas(redis: Redis) -> list[Replica] | None:
    try:
        registrations = await list_registrations(redis)
    except REDIS_ERRORS as error:
        log.warning("the registries could not be read", error=repr(error))
        return None
    return [Replica(one.service, one.name, one.position) for one in registrations]
