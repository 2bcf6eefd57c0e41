"""Health of what the services tell each other."""

import msgspec

from services.auth.operations.deps import AuthDeps
from shared.messaging.dead_letters import list_dead_letters
from shared.web.endpoint import Call, Caller, Routes

routes = Routes[AuthDeps]("health")


class DeadLetterHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How many messages between the services were given up; `status` is `pass`, or `fail` where there is one."""

    name: str
    status: str
    size: int


@routes.endpoint(
    "GET", "/v1/health/dead-letters", name="health.get_dead_letters", callers=Caller.KEY, scopes=("health.read",)
)
async def get_dead_letters(call: Call[AuthDeps]) -> DeadLetterHealth:
    """Say whether messages between the services were given up; `daypass dead-letter list` shows them."""
    size = len((await list_dead_letters(call.deps.redis)).dead_letters)
    return DeadLetterHealth(name="dead-letters", status="fail" if size else "pass", size=size)
