"""What the handlers of data need, made once by the composition."""

from dataclasses import dataclass

from services.data.domain.seal import Seal
from services.data.operations.catalogue import Catalogue
from shared.guard.guard import Guard
from shared.messaging.bus import Bus
from shared.postgres.pool import Pool


@dataclass(frozen=True, slots=True, kw_only=True)
class DataDeps:
    """Given to each handler as `call.deps`."""

    pool: Pool
    guard: Guard
    catalogue: Catalogue
    bus: Bus
    seal: Seal
