"""What the handlers of storage need, made once by the composition."""

import asyncio
from dataclasses import dataclass

from services.storage.domain.buckets import Limits
from services.storage.domain.keys import FileKeys
from services.storage.store.objects import Objects
from shared.guard.guard import Guard
from shared.postgres.pool import Pool


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageDeps:
    """Given to each handler as `call.deps`. `garbage` is set where something is left to housekeeping."""

    pool: Pool
    guard: Guard
    limits: Limits
    keys: FileKeys
    objects: Objects
    garbage: asyncio.Event
