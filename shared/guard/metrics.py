"""Metrics of the protocol, read from where they are when somebody asks for them: requests pay nothing for it."""

from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry, GCCollector, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from shared.guard.barrier import Revocations
from shared.guard.guard import Guard

BUCKETS_S = (0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""A barrier takes a few milliseconds, a silent replica 4 s, and the caller gets 503 after 10 s."""


class GuardMetrics(Collector):
    """What one process knows of the feed and of callers, and what its barriers wait for.

    `revocations` are those of this process: none, or one for each service in it that revokes.
    """

    def __init__(self, guard: Guard, revocations: Sequence[Revocations]) -> None:
        self._guard = guard
        self._revocations = revocations

    def collect(self) -> Iterable[Metric]:
        """Return all metrics as they are now."""
        cache, reader = self._guard.cache, self._guard.reader
        left_s, lag = max(0.0, cache.lease_left_s), max(0, reader.tail - cache.position)
        yield _gauge("lease_seconds", "Time left for which callers may be remembered; 0: fenced.", left_s)
        yield _gauge("feed_position", "The number of the last feed entry that was applied.", cache.position)
        yield _gauge("feed_lag_entries", "Entries that the feed had more when it was last heard from.", lag)
        yield _counter("fenced_seconds", "Time spent without a lease.", cache.fenced_s)
        yield _gauge("cache_entries", "Answers that are remembered.", cache.entries)
        yield _gauge("cache_marks", "Subjects that the feed has named and that are remembered.", cache.marks)
        yield _counter("cache_hits", "Answers from memory.", cache.hits)
        yield _counter("cache_misses", "Answers that were looked up.", cache.misses)
        yield _counter("cache_stale", "Answers that the feed had spoken against.", cache.stale)
        yield _gauge("lookups", "Look-ups under way.", self._guard.lookups)
        yield self._drops()
        if self._revocations:
            waiting = sum(it.waiting for it in self._revocations)
            struck = sum(it.registry.removed for it in self._revocations)
            yield _gauge("barriers_pending", "Revocations that wait until all replicas have applied them.", waiting)
            yield _counter("replicas_struck", "Replicas struck since they were silent for longer than a lease.", struck)

    def _drops(self) -> Metric:
        text = "How often everything that was remembered has been dropped."
        family = CounterMetricFamily("daypass_feed_drops", text, labels=["reason"])
        for reason, count in self._guard.reader.drops.items():
            family.add_metric([reason], count)
        return family


def open_registry(guard: Guard, revocations: Sequence[Revocations]) -> CollectorRegistry:
    """Make the registry of a process: the protocol's metrics, and those of Python and of the process itself."""
    registry = CollectorRegistry()
    registry.register(GuardMetrics(guard, revocations))
    for kind in (ProcessCollector, PlatformCollector, GCCollector):
        kind(registry=registry)
    if revocations:
        text = "Time from the commit of a revocation until all replicas had applied it."
        barriers = Histogram("daypass_barrier_seconds", text, buckets=BUCKETS_S, registry=registry)
        for one in revocations:
            one.observe = barriers.observe
    return registry


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"daypass_{name}", text, value=value)


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(f"daypass_{name}", text, value=value)
