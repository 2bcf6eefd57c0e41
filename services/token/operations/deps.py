"""What the operations of token need, made once by the composition."""

from dataclasses import dataclass

from services.token.domain.key_factory import KeyFactory
from services.token.operations.keyring import Keyrings
from shared.guard.barrier import Revocations
from shared.guard.guard import Guard
from shared.messaging.bus import Bus
from shared.postgres.pool import Pool


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenDeps:
    """Given to each handler, of HTTP and of the bus."""

    pool: Pool
    guard: Guard
    bus: Bus
    revocations: Revocations
    key_factory: KeyFactory
    keyrings: Keyrings
