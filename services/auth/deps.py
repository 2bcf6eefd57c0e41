"""What the operations of auth need, made once by the composition."""

from dataclasses import dataclass, field

from redis.asyncio import Redis

from services.auth.mail.operations.invitations import Invitations
from services.auth.passwords.operations.passwords import Passwords
from shared.appwrite.agents import Agents
from shared.appwrite.countries import Countries
from shared.guard.barrier import Revocations
from shared.guard.guard import Guard
from shared.kernel.hosts import is_internal
from shared.kernel.settings import Secret
from shared.messaging.bus import Bus
from shared.postgres.pool import Pool

MOST_HOSTS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What this process knows of its deployment, and `plain_hosts`, which it has seen.

    Without `has_barrier` no call waits for a revocation.
    """

    redis_url: Secret
    limits_redis_url: Secret
    copies: int
    has_barrier: bool
    has_limits: bool = True
    public_url: tuple[str, ...] = ()
    plain_hosts: set[str] = field(default_factory=set)

    def note_session(self, *, scheme: str, host: str) -> None:
        """Note under which public host a session was made over plain HTTP."""
        if scheme == "http" and host and not is_internal(host) and len(self.plain_hosts) < MOST_HOSTS:
            self.plain_hosts.add(host)


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
    agents: Agents
    countries: Countries
    invitations: Invitations | None = None
