"""Rate limits: fixed windows that start at multiples of their length.

A limit that names a parameter, as an e-mail address, would let a caller make as many counts as it can think of names:
so there the failures of the caller's own address are counted first.
"""

import hashlib
from collections.abc import Mapping

import msgspec
import structlog

from shared.appwrite.clientinfo import network_of
from shared.appwrite.emails import account_email
from shared.kernel.errors import ErrorType, Refusal, Unavailable
from shared.messaging.wire import REDIS_ERRORS
from shared.web.call import Call
from shared.web.counts import Counts
from shared.web.endpoint import DIMENSIONS, Endpoint, RateLimit

FAILURES = RateLimit(300, by=("ip",))
"""Calls of an endpoint, from one address, that did not succeed."""
LOCAL_FACTOR = 100
LONGEST_START = 20
"""Characters of where a chunk begins, by which its uploads are counted."""


_log = structlog.get_logger()


class Window(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One count: by which limit, under which key, how many calls are left after this one, and its end in Unix time."""

    limit: RateLimit
    key: str
    remaining: int
    ends_at: int


class Limiter:
    """Counts calls; `failures` is the limit of an address that fails, of a limit that names a parameter.

    `spares_local`: this machine may make LOCAL_FACTOR times as many calls where a limit `may_spare_local`. There is
    a limit still, since a proxy on this machine may pass calls on without a word of it.
    """

    def __init__(self, counts: Counts, *, failures: RateLimit = FAILURES, spares_local: bool = False) -> None:
        self.counts = counts
        self._spares_local = spares_local
        self._failures = failures

    async def close(self) -> None:
        """Close the connections."""
        await self.counts.close()

    async def count(
        self, endpoint: Endpoint, limit: RateLimit, call: Call[object], named: Mapping[str, object]
    ) -> list[Window]:
        """Count a call of an endpoint by its limit, and add the headers that say so; return what was counted.

        Raises `Refusal(GENERAL_RATE_LIMIT_EXCEEDED)`; and `Unavailable` where calls cannot be counted and the limit is
        one that fails closed.
        """
        if self._spares_local and limit.may_spare_local and call.is_local:
            limit = msgspec.structs.replace(limit, amount=limit.amount * LOCAL_FACTOR)
        limits = [limit] if DIMENSIONS.issuperset(limit.by) else [self._failures, limit]
        try:
            return [await self._admit(one, _key(endpoint, one, call, named), call) for one in limits]
        except REDIS_ERRORS as error:
            _log.warning("rate limiter unavailable", endpoint=endpoint.name, error=type(error).__name__)
            if limit.fail_closed:
                raise Unavailable("The rate limiter is unavailable. Try again.", type=ErrorType.GENERAL_BUSY) from error
            return []

    async def succeed(self, windows: list[Window]) -> None:
        """Correct what was counted of a call that has succeeded; where that fails, the windows end by themselves."""
        try:
            for window in windows:
                if window.limit is self._failures:
                    await self.counts.add(window.key, -1, lifetime_s=window.limit.window_s)
                elif window.limit.reset_on_success:
                    await self.counts.clear(window.key)
        except REDIS_ERRORS as error:
            _log.warning("a rate limit count could not be corrected", error=type(error).__name__)

    async def _admit(self, limit: RateLimit, key: str, call: Call[object]) -> Window:
        now = int(self.counts.now())
        starts_at = now // limit.window_s * limit.window_s
        key, ends_at = f"{key}/{starts_at}", starts_at + limit.window_s
        remaining = limit.amount - await self.counts.add(key, 1, lifetime_s=limit.window_s)
        if limit is not self._failures or remaining < 0:
            call.add_header("X-RateLimit-Limit", str(limit.amount))
            call.add_header("X-RateLimit-Remaining", str(max(remaining, 0)))
            call.add_header("X-RateLimit-Reset", str(ends_at))
        if remaining < 0:
            raise Refusal(ErrorType.GENERAL_RATE_LIMIT_EXCEEDED, retry_after_s=max(1, ends_at - now))
        return Window(limit=limit, key=key, remaining=remaining, ends_at=ends_at)


def _key(endpoint: Endpoint, limit: RateLimit, call: Call[object], named: Mapping[str, object]) -> str:
    parts = [call.project.id, endpoint.name, *limit.by]
    for dimension in limit.by:
        if dimension == "ip":
            parts.append(network_of(call.client.ip))
        elif dimension == "user":
            parts.append(call.principal.user_id)
        elif dimension == "chunk":
            parts.append(call.header("Content-Range").partition("-")[0][:LONGEST_START])
        elif dimension not in {"url", "method"}:  # these two the endpoint's name stands for
            value = named.get(dimension)
            parts.append(_spelled_once(value) if isinstance(value, str) else "")
    # A digest: parameters may be long, and e-mail addresses have no business in Redis's keys.
    return f"{endpoint.name}:{hashlib.sha256(msgspec.json.encode(parts)).hexdigest()}"


def _spelled_once(value: str) -> str:
    """Return the one spelling under which a value is counted: no other spelling of an address counts anew."""
    try:
        return account_email(value)
    except ValueError:
        return value.lower()
