"""What decides which calls are let in."""

from dataclasses import dataclass, field

from shared.appwrite.clientinfo import Edge
from shared.web.bodies import MAX_BODY_BYTES, MAX_GUEST_BODY_BYTES
from shared.web.limits import Limiter
from shared.web.refusals import RefusalLog
from shared.web.timing import WEB_TIMING, WebTiming


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingress:
    """How calls are let in: where they may come from, how many, how large, and how slowly.

    `limiter` None: calls are not counted. `refusals` logs those; the default only pages that may not call. The bodies
    of guests hold `guest_body_bytes` together, those of all others `body_bytes`.
    """

    limiter: Limiter | None = None
    edge: Edge = field(default_factory=Edge)
    refusals: RefusalLog = field(default_factory=RefusalLog)
    timing: WebTiming = WEB_TIMING
    guest_body_bytes: int = MAX_GUEST_BODY_BYTES
    body_bytes: int = MAX_BODY_BYTES
