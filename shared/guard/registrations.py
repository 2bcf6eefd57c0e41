"""Who is registered: every process for which a revocation waits."""

import asyncio
from typing import Any

from redis.asyncio import Redis

from shared.messaging import names

READ_S = 2.0

Registrations = dict[tuple[str, str], bytes]
"""By service and name of a process what it has registered last: `position:round`."""


async def list_registrations(redis: Redis) -> Registrations:
    """Read all registries; raises one of `REDIS_ERRORS`."""
    found: Registrations = {}
    async with asyncio.timeout(READ_S):
        for service in names.SERVICES:
            registry: dict[Any, Any] = await redis.hgetall(names.registry(service))  # Any: the client's unions
            for field, value in registry.items():
                if field.startswith(names.REPLICA.encode()):
                    found[service, field.decode().removeprefix(names.REPLICA)] = value
    return found
