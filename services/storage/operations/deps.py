"""What the handlers of storage need, made once by the composition."""

from dataclasses import dataclass

from services.storage.domain.buckets import Limits
from shared.guard.guard import Guard
from shared.postgres.pool import Pool


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageDeps:
    """Given to each handler as `call.deps`."""

    pool: Pool
    guard: Guard
    limits: Limits
