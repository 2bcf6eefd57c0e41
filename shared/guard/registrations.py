"""Who is registered: every process for which a revocation waits.

Each service registers in a set of its own, which nobody vouches for but the service: what cannot be read there is no
registration.
"""

import asyncio
import re
from typing import Any, NamedTuple

from redis.asyncio import Redis

from shared.messaging import names

READ_S = 2.0
MOST = 1000
"""A registry with more members than this is not read whole, and what is not there is not believed to be missing."""

_MEMBER = re.compile(rb"([0-9a-z-]{1,64}):([0-9]{1,18}):[0-9]{1,18}")
_ANNOUNCEMENT = re.compile(rb"([0-9a-z-]{1,64}):([0-9]{1,18})")


class Registration(NamedTuple):
    """What a replica said of itself: as a member of its service's registry, `name:position:round`.

    The round makes each member another than those before: so deleting one is deleting it only if it still stands.
    """

    service: str
    name: str
    position: int
    member: bytes


def parse_registration(service: str, member: bytes) -> Registration | None:
    """Read a member of a registry; None where it is malformed."""
    found = _MEMBER.fullmatch(member)
    return None if found is None else Registration(service, found[1].decode(), int(found[2]), member)


def parse_announcement(message: bytes) -> tuple[str, int] | None:
    """Read the name and position of an announcement; None where it is malformed."""
    found = _ANNOUNCEMENT.fullmatch(message)
    return None if found is None else (found[1].decode(), int(found[2]))


async def list_registrations(redis: Redis) -> list[Registration]:
    """Read at most `MOST` registrations of each service; raises one of `REDIS_ERRORS`."""
    found = []
    async with asyncio.timeout(READ_S):
        for service in names.SERVICES:
            members: Any = await redis.zrange(names.registry(service), 0, MOST - 1)  # Any: the client's
            found += [parse_registration(service, member) for member in members]
    return sorted(one for one in found if one is not None)
