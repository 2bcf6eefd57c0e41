"""Reading the dead letters of all services."""

from datetime import UTC, datetime
from typing import Any

from redis.asyncio import Redis

from shared.contracts.dead_letters import DeadLetter, DeadLetters
from shared.kernel.clock import wire_date
from shared.messaging import names
from shared.messaging.codec import MalformedMessage, unpack_map

MOST = 100


async def list_dead_letters(redis: Redis) -> DeadLetters:
    """Return what every service has given up; raises one of `REDIS_ERRORS`."""
    found = [
        _letter(service, id_, fields)
        for service in names.SERVICES
        for id_, fields in await redis.xrevrange(names.dead_letters(service), count=MOST) or ()
    ]
    return DeadLetters(dead_letters=tuple(sorted(found, key=lambda letter: letter.given_up_at, reverse=True)))


def _letter(service: str, id_: Any, fields: Any) -> DeadLetter:  # Any: the client's unions
    moment = datetime.fromtimestamp(int(id_.split(b"-")[0]) / 1000, UTC)
    return DeadLetter(
        service=service,
        stream=fields[b"_stream"].decode(),
        entry=fields[b"_id"].decode(),
        type=_type_of(fields),
        given_up_at=wire_date(moment),
    )


def _type_of(fields: dict[bytes, bytes]) -> str:
    try:
        return str(unpack_map(fields.get(b"request") or fields.get(b"entry") or b"").get("type", "unknown"))
    except MalformedMessage:
        return "unknown"
