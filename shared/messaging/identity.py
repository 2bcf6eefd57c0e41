"""Redis's identity, which the relay writes and everybody compares: a Redis that has lost something has another.

It lies in a key that auth alone writes. Each registry holds a mark that stands there as well: a registry that was lost
alone, or that its service has tampered with, lacks it, and gets another one. No absence in it is believed meanwhile.
"""

import secrets
from collections.abc import Sequence
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import WatchError

from shared.messaging import names

log = structlog.get_logger()


class IdentityKeeper:
    """Keeps the identity of one Redis as it must be."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._known: dict[str, str] = {}

    async def find_suffix(self) -> str:
        """Return the suffix of the streams that stand in this Redis, empty where none does."""
        return (await self._read()).get("stream", "")

    async def keep(self, suffix: str, *, former: Sequence[str] = ()) -> str:
        """Write down what is missing; return `suffix`, or another that stands in its place and is none of `former`.

        Raises one of `REDIS_ERRORS`.
        """
        if self._known.get("stream") == suffix and not await self._changed():
            return suffix
        async with self._redis.pipeline(transaction=True) as pipeline:
            await pipeline.watch(names.IDENTITY)
            identity = await self._read()
            stream = identity.get("stream", "")
            if stream not in {"", suffix, *former}:
                return stream
            wanted = {"id": identity.get("id") or secrets.token_hex(16), "stream": suffix}
            for service in names.SERVICES:
                wanted[service] = identity.get(service) or secrets.token_hex(16)
            pipeline.multi()  # type: ignore[no-untyped-call] # the client's own
            for service, is_whole in zip(names.SERVICES, await self._are_whole(identity), strict=True):
                if not is_whole:
                    wanted[service] = secrets.token_hex(16)
                    # a Redis without an identity is new, as at the first start
                    (log.warning if identity else log.info)("registry recreated", service=service)
                    pipeline.zadd(names.registry(service), {names.MARK + wanted[service]: 0})
            pipeline.hset(names.IDENTITY, items=[part for pair in wanted.items() for part in pair])
            try:
                await pipeline.execute()
            except WatchError:  # another relay was here
                return suffix
        self._known = wanted
        return suffix

    async def _changed(self) -> bool:
        """Say whether anything is otherwise than it was left, in one round trip."""
        async with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.hgetall(names.IDENTITY)
            for service in names.SERVICES:
                pipeline.zscore(names.registry(service), names.MARK + self._known.get(service, ""))
            identity, *are_whole = await pipeline.execute(raise_on_error=False)
        return (
            not isinstance(identity, dict) or _text(identity) != self._known or are_whole != [0.0] * len(names.SERVICES)
        )

    async def _read(self) -> dict[str, str]:
        identity: Any = await self._redis.hgetall(names.IDENTITY)  # Any: the client's unions
        return _text(identity)

    async def _are_whole(self, identity: dict[str, str]) -> list[bool]:
        async with self._redis.pipeline(transaction=False) as pipeline:
            for service in names.SERVICES:
                pipeline.zscore(names.registry(service), names.MARK + identity.get(service, ""))
            return [reply == 0.0 for reply in await pipeline.execute(raise_on_error=False)]


def _text(fields: dict[bytes, bytes]) -> dict[str, str]:
    return {name.decode(errors="replace"): value.decode(errors="replace") for name, value in fields.items()}
