"""What is logged of refused requests: enough to mend a page while it is developed, and never so much that it matters.

Never a query, a header, a body, or a path that no endpoint has: each may hold a secret.
"""

import time
from collections.abc import Callable

import structlog

from shared.contracts.ids import ProjectId
from shared.kernel.errors import ErrorType, Refusal

WINDOW_S = 60.0
MOST_LINES = 300
MOST_ORIGINS = 100
MOST_CHARACTERS = 400
UNKNOWN_ROUTE = "unknown"
UNKNOWN_METHOD = "unknown"

LIFTS_LIMITS = "DAYPASS_RATE_LIMITS=off lifts all limits, for development only"

_log = structlog.get_logger()


class RefusalLog:
    """Logs each origin that may not call once a minute; and, if `logs_all`, every other refusal.

    In a minute these are at most `MOST_ORIGINS` origins and `MOST_LINES` refusals; the first line of the next says how
    many were left out.
    """

    def __init__(self, *, logs_all: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self._logs_all = logs_all
        self._clock = clock
        self._ends_at = 0.0
        self._origins: set[tuple[ProjectId, str]] = set()
        self._lines = 0

    def note(self, refusal: Refusal, *, method: str, route: str, project_id: ProjectId, origin: str) -> None:
        """Log a refusal, if there is room for it; `route` is the declared path."""
        left_out = self._turn()
        if refusal.type is ErrorType.GENERAL_UNKNOWN_ORIGIN:
            self._note_origin(refusal, project_id, origin)
        elif self._logs_all:
            self._lines += 1
            if self._lines <= MOST_LINES:
                more: dict[str, object] = {"left_out": left_out} if left_out else {}
                if refusal.type is ErrorType.GENERAL_RATE_LIMIT_EXCEEDED:
                    more["setting"] = LIFTS_LIMITS
                _log.warning(
                    "refused",
                    method=method,
                    route=route,
                    status=refusal.type.status,
                    type=refusal.type.value,
                    project=project_id,
                    **more,
                )

    def _note_origin(self, refusal: Refusal, project_id: ProjectId, origin: str) -> None:
        origin = origin[:MOST_CHARACTERS]
        if (project_id, origin) not in self._origins and len(self._origins) < MOST_ORIGINS:
            self._origins.add((project_id, origin))
            _log.warning("a page may not call", project=project_id, remedy=refusal.message[:MOST_CHARACTERS])

    def _turn(self) -> int:
        """Begin a new minute where one has ended; return how many lines were left out of it."""
        now = self._clock()
        if now < self._ends_at:
            return 0
        left_out = max(0, self._lines - MOST_LINES)
        self._ends_at = now + WINDOW_S
        self._origins.clear()
        self._lines = 0
        return left_out
