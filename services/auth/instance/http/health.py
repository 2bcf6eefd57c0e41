"""Health of what the services tell each other."""

import msgspec

from services.auth.deps import AuthDeps
from services.auth.instance.operations.health import find_revocation_state
from shared.messaging.dead_letters import list_dead_letters
from shared.web.endpoint import Call, Caller, Reply, Routes

routes = Routes[AuthDeps]("health")


class DeadLetterHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How many messages between the services were abandoned; `status` is `pass`, or `fail` where there is one."""

    name: str
    status: str
    size: int


class ReplicaHealth(msgspec.Struct, frozen=True, kw_only=True):
    """A process that revocations wait for, and the number of the last feed entry that it said it had applied."""

    service: str
    name: str
    position: int


class RevocationHealth(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How the process that answers keeps up with revocations, who else does, and what is not confirmed.

    `status` is `fail` where it is fenced, or cannot see who is registered. `leaseSeconds` is the time for which it may
    use what it remembers; `tail` is the end of the feed as last seen, and `lag` what it has not applied of that.
    `pendingBarriers` are revocations that wait in this process, `pendingReceipts` those that are not confirmed yet.
    """

    name: str
    status: str
    fenced: bool
    lease_seconds: float
    position: int
    tail: int
    lag: int
    pending_barriers: int
    pending_receipts: int
    replicas: list[ReplicaHealth]


@routes.endpoint(
    "GET", "/v1/health/dead-letters", name="health.get_dead_letters", callers=Caller.KEY, scopes=("health.read",)
)
async def get_dead_letters(call: Call[AuthDeps]) -> DeadLetterHealth:
    """Report whether messages between the services were abandoned; `daypass dead-letter list` shows them."""
    size = len((await list_dead_letters(call.deps.redis)).dead_letters)
    return DeadLetterHealth(name="dead-letters", status="fail" if size else "pass", size=size)


@routes.endpoint(
    "GET",
    "/v1/health/revocation",
    name="health.get_revocation",
    callers=Caller.KEY,
    scopes=("health.read",),
    model=RevocationHealth,
)
async def get_revocation(call: Call[AuthDeps]) -> Reply:
    """Say whether revocations are in force everywhere at once: 200, or 503 where this process is fenced."""
    state = await find_revocation_state(call.deps)
    fails = state.is_fenced or state.replicas is None
    health = RevocationHealth(
        name="revocation",
        status="fail" if fails else "pass",
        fenced=state.is_fenced,
        lease_seconds=round(state.lease_s, 3),
        position=state.position,
        tail=state.tail,
        lag=state.tail - state.position,
        pending_barriers=state.pending_barriers,
        pending_receipts=state.pending_receipts,
        replicas=[ReplicaHealth(service=it.service, name=it.name, position=it.position) for it in state.replicas or ()],
    )
    if fails:
        call.add_header("Retry-After", "1")
    return Reply(body=msgspec.json.encode(health), status=503 if fails else 200)
