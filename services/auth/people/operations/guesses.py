"""Wrong passwords of an e-mail address, wherever they come from.

A client address that guesses is shut out by the endpoint's own limit. Guessers with many addresses have ten tries in an
hour, and then one a minute for all of them together; only places where the owner has signed in lately are let through.
So owners are not shut out where they have used their account, and an attacker cannot guess at leisure.
"""

import hashlib
from collections.abc import Awaitable, Callable

import msgspec
import structlog

from shared.contracts.ids import ProjectId
from shared.kernel.errors import ErrorType, Refusal, Unavailable
from shared.messaging.wire import REDIS_ERRORS
from shared.web.counts import Counts

QUICK = 10
WINDOW_S = 3600
PACE_S = 60

_log = structlog.get_logger()


class Guesses:
    """Counts tries; without `counts` it counts nothing."""

    def __init__(self, counts: Counts | None) -> None:
        self._counts = counts

    async def admit(self, project_id: ProjectId, address: str, is_known: Callable[[], Awaitable[bool]]) -> None:
        """Count a try for an address, whether or not somebody has it; `is_known` tells whether the owner was there.

        Raises `Refusal(GENERAL_RATE_LIMIT_EXCEEDED)`, or `Unavailable` where tries cannot be counted.
        """
        if self._counts is None:
            return
        counts, key = self._counts, _key(project_id, address)
        try:
            if await counts.add(_within(counts, key, WINDOW_S), 1, lifetime_s=WINDOW_S) <= QUICK or await is_known():
                return
            is_first = await counts.add(_within(counts, f"{key}/paced", PACE_S), 1, lifetime_s=PACE_S) == 1
        except REDIS_ERRORS as error:
            _log.warning("rate limiter of passwords unavailable", error=type(error).__name__)
            raise Unavailable("The rate limiter is unavailable. Try again.", type=ErrorType.GENERAL_BUSY) from error
        if not is_first:
            raise Refusal(
                ErrorType.GENERAL_RATE_LIMIT_EXCEEDED,
                "Too many wrong passwords for this address. Please try again later.",
                retry_after_s=PACE_S - int(counts.now()) % PACE_S,
            )

    async def take_back(self, project_id: ProjectId, address: str) -> None:
        """Uncount a try: the password was right. Where that fails, the count ends by itself."""
        counts = self._counts
        if counts is None:
            return
        try:
            await counts.add(_within(counts, _key(project_id, address), WINDOW_S), -1, lifetime_s=WINDOW_S)
        except REDIS_ERRORS as error:
            _log.warning("a counted password attempt could not be reset", error=type(error).__name__)


def _key(project_id: ProjectId, address: str) -> str:
    return f"guesses:{hashlib.sha256(msgspec.json.encode([project_id, address])).hexdigest()}"


def _within(counts: Counts, key: str, window_s: int) -> str:
    return f"{key}/{int(counts.now()) // window_s * window_s}"
