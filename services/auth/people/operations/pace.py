"""How often a user may do what all replicas have to hear of: generous, and never counted for what takes rights away."""

import structlog

from shared.contracts.ids import ProjectId, UserId
from shared.kernel.errors import ErrorType, Refusal
from shared.messaging.wire import REDIS_ERRORS
from shared.web.counts import Counts

MOST = 60
WINDOW_S = 60

_log = structlog.get_logger()


class Pace:
    """Counts what users do by kind; without `counts` it counts nothing."""

    def __init__(self, counts: Counts | None) -> None:
        self._counts = counts

    async def step(self, project_id: ProjectId, user_id: UserId, kind: str) -> None:
        """Count once; raises `Refusal(GENERAL_RATE_LIMIT_EXCEEDED)` beyond `MOST` in a minute."""
        if self._counts is None:
            return
        now = int(self._counts.now())
        key = f"pace:{kind}:{project_id}/{user_id}/{now // WINDOW_S * WINDOW_S}"
        try:
            count = await self._counts.add(key, 1, lifetime_s=WINDOW_S)
        except REDIS_ERRORS as error:
            _log.warning("rate limiter of users unavailable", error=type(error).__name__)
            return
        if count > MOST:
            raise Refusal(
                ErrorType.GENERAL_RATE_LIMIT_EXCEEDED,
                "Too many calls of this kind. Please try again later.",
                retry_after_s=WINDOW_S - now % WINDOW_S,
            )
