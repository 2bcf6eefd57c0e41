"""The times of a process's barriers.

What all processes must agree on is no value but a constant of the protocol: `LEASE_S` and `REGISTRATION_S` in
`shared.guard.feed_reader`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BarrierTiming:
    """How long barriers wait and how often they look, in seconds.

    A call times out after `confirm_s`. A number comes from the replica's own feed within `applied_s`, else from the
    outbox; registries are read again after `reread_s`; what fails is tried again after `retry_s`. Every
    `watch_s` a process checks which Redis this is and which replicas are silent.

    Registries that cannot be read within `registries_s` are larger than any service needs: the same process does not
    read them again for `unreadable_s`, and a barrier waits for time to pass instead. The rest is read
    within `read_s`.

    Receipts are written down every `flush_s`. Every `sweep_s` those are confirmed that are still pending `pending_s`
    after their commit: the requests that waited have timed out, or their process died.
    """

    confirm_s: float = 10.0
    applied_s: float = 0.1
    reread_s: float = 0.1
    retry_s: float = 0.2
    watch_s: float = 0.5
    read_s: float = 2.0
    registries_s: float = 0.5
    unreadable_s: float = 2.0
    flush_s: float = 0.2
    sweep_s: float = 1.0
    pending_s: float = 2.0


BARRIER_TIMING = BarrierTiming()
