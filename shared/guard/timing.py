"""The times of a process's barriers.

What all processes must agree on is no value but a constant of the protocol: `LEASE_S` and `REGISTRATION_S` in
`shared.guard.feed_reader`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BarrierTiming:
    """How long barriers wait and how often they look, in seconds.

    A call is given up after `confirm_s`. Of a number, the replica's own feed is asked for `applied_s`, then the outbox;
    registries are read again after `reread_s`; what fails is tried again after `retry_s`. Which Redis this is, and who
    is silent, is looked at every `watch_s`.

    Registries that cannot be read within `registries_s` are more than anybody needs: the same process does not read
    them again for `unreadable_s`, and whoever must wait for them waits for time to pass instead. The rest is read
    within `read_s`.

    Receipts are written down every `flush_s`. Every `sweep_s` those are confirmed that are still pending `pending_s`
    after their commit: whoever waited for them has given up, or died.
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
