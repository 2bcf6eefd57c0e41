"""Reading the dead letters of all services, and giving them back to be handled once more."""

from datetime import UTC, datetime
from typing import Any

from redis.asyncio import Redis

from shared.contracts.claims import LAST_SECOND
from shared.contracts.dead_letters import DeadLetter, DeadLetters
from shared.contracts.requests import LANES
from shared.kernel.clock import wire_date
from shared.messaging import names
from shared.messaging.codec import Entry, MalformedMessage, unpack

MOST = 100
LONGEST = 200
"""Characters of what a letter says of itself."""

HEAR_EVENTS = frozenset({"data", "storage"})
"""The services that hear `events`, and so handle events that are retried."""

Fields = dict[bytes, bytes]


async def list_dead_letters(redis: Redis) -> DeadLetters:
    """Return the entries that every service has abandoned; raises one of `REDIS_ERRORS`."""
    letters = [
        _letter(service, id_, fields) for service in names.SERVICES for id_, fields in await _letters(redis, service)
    ]
    return DeadLetters(dead_letters=tuple(sorted(letters, key=lambda letter: letter.given_up_at, reverse=True)))


async def retry_dead_letters(redis: Redis, *, service: str = "", entry: str = "") -> DeadLetters:
    """Return abandoned entries to their streams, of one service or one entry where these are named; return which.

    Raises one of `REDIS_ERRORS`.
    """
    retried = []
    for name in names.SERVICES if not service else [one for one in names.SERVICES if one == service]:
        for id_, fields in await _letters(redis, name):
            letter = _letter(name, id_, fields)
            home = _home(name, letter.stream)
            if home and entry in {"", letter.entry}:
                await _give_back(redis, names.dead_letters(name), id_, fields, home)
                retried.append(letter)
    return DeadLetters(dead_letters=tuple(retried))


async def _letters(redis: Redis, service: str) -> list[tuple[bytes, Fields]]:
    entries: Any = await redis.xrevrange(names.dead_letters(service), count=MOST)  # Any: the client's unions
    return list(entries or ())


def _home(service: str, stream: str) -> str:
    """Return where a letter is handled. What stands in it was written by the service, which may ask only itself."""
    if stream in {names.requests(service, lane, asking) for lane in LANES for asking in names.ASKING}:
        return stream
    return names.retries(service) if service in HEAR_EVENTS else ""


async def _give_back(redis: Redis, letters: str, id_: bytes, fields: Fields, home: str) -> None:
    entry: dict[Any, Any] = {
        name: value for name, value in fields.items() if not name.startswith(b"_")
    }  # Any: the client's
    async with redis.pipeline(transaction=True) as pipeline:
        if entry:
            pipeline.xadd(home, entry)
        pipeline.xdel(letters, id_)
        await pipeline.execute()


def _letter(service: str, id_: bytes, fields: Fields) -> DeadLetter:
    moment = datetime.fromtimestamp(min(int(id_.split(b"-")[0]) / 1000, LAST_SECOND), UTC)
    return DeadLetter(
        service=service,
        stream=_text(fields.get(b"_stream", b"")),
        entry=_text(fields.get(b"_id", b"")),
        type=_type_of(fields),
        given_up_at=wire_date(moment),
    )


def _text(value: bytes) -> str:
    return value[:LONGEST].decode(errors="replace")


def _type_of(fields: Fields) -> str:
    try:
        return unpack(fields.get(b"request") or fields.get(b"entry") or b"", Entry).type[:LONGEST]
    except MalformedMessage:
        return "unknown"
