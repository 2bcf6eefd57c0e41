"""What the operations of auth need, made once by the composition."""

from dataclasses import dataclass

from redis.asyncio import Redis

from services.auth.operations.doctor import Deployment
from services.auth.operations.invitations import Invitations
from services.auth.operations.passwords import Passwords
from shared.guard.barrier import Revocations
from shared.guard.guard import Guard
from shared.messaging.bus import Bus
from shared.postgres.pool import Pool


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthDeps:
    """Given to each handler, of HTTP and of the bus. Without `invitations` users cannot invite others."""

    pool: Pool
    redis: Redis
    bus: Bus
    guard: Guard
    revocations: Revocations
    passwords: Passwords
    deployment: Deployment
    invitations: Invitations | None = None
