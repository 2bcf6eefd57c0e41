"""What the handlers of token need."""

from dataclasses import dataclass

from services.token.operations.keyring import Keyrings
from shared.guard.barrier import Revocations
from shared.guard.guard import Guard
from shared.messaging.bus import Bus


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenDeps:
    """Given to each handler as `call.deps`."""

    keyrings: Keyrings
    guard: Guard
    bus: Bus
    revocations: Revocations
