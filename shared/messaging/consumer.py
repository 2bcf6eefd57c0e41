"""The consumer of `events`: runs a service's handler for each event, at least once."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Protocol, TypeVar

from redis.asyncio import Redis

from shared.contracts.events import Event
from shared.kernel.loops import running
from shared.messaging import names
from shared.messaging.codec import Entry, unpack
from shared.messaging.group import Group, GroupRules, Handle

D = TypeVar("D")
EventHandlers = Mapping[type[Event], Callable[[D, Any], Awaitable[None]]]
"""What is done upon each event, with what that needs. Any: the event class that the handler stands beside."""


class Streams(Protocol):
    """What knows this instance's streams: the reader of the feed."""

    @property
    def suffix(self) -> str:
        """What the names of the streams end in."""

    async def until_leased(self, timeout_s: float | None) -> None:
        """Wait until the streams are known."""

    async def until_moved(self, suffix: str) -> None:
        """Wait until the streams have another suffix."""


async def consume(redis: Redis, streams: Streams, service: str, handlers: EventHandlers[D], deps: D) -> None:
    """Hear `events` for a service until cancelled: of this instance's streams, also when an epoch ends.

    And of the abandoned entries that were returned.
    """
    consumer = f"{service}:{secrets.token_hex(6)}"
    handle = _handle(handlers, deps)
    group = partial(Group, redis=redis, service=service, consumer=consumer)
    rules = GroupRules(concurrency=1, retries_for_ever=True)
    alone = replace(rules, deletes=True)
    async with running([group(stream=names.retries(service), rules=alone).run(handle)]):
        while True:
            await streams.until_leased(None)
            suffix = streams.suffix
            async with running([group(stream=names.stream("events", suffix), rules=rules).run(handle)]):
                await streams.until_moved(suffix)


def _handle(handlers: EventHandlers[D], deps: D) -> Handle:
    known = {kind.TYPE: (kind, handler) for kind, handler in handlers.items()}

    async def on_event(fields: dict[bytes, bytes], _: int) -> None:
        entry = unpack(fields.get(b"entry", b""), Entry)
        if entry.type in known:
            kind, handler = known[entry.type]
            await handler(deps, unpack(entry.body, kind))

    return on_event
