"""The document of the metrics knows those that there are, and no others."""

import re
from pathlib import Path

from prometheus_client.metrics_core import Metric

from shared.guard.barrier import Revocations
from shared.guard.guard import Guard
from shared.guard.metrics import GuardMetrics, open_registry
from tests.unit.guard.test_bounds import Authority

DOCUMENT = (Path(__file__).parents[3] / "docs" / "how-to" / "operate.md").read_text(encoding="utf-8")


def a_guard() -> Guard:
    return Guard(service="test", redis_url="unix:///nowhere", resolver=Authority())


def full_name(metric: Metric) -> str:
    return f"{metric.name}_total" if metric.type == "counter" else metric.name


def test_all_metrics_are_documented_and_no_others() -> None:
    revocations = Revocations.__new__(Revocations)  # nothing is waited for
    revocations.waiting = revocations.struck = 0
    registry = open_registry(a_guard(), [revocations])
    served = {full_name(metric) for metric in registry.collect() if metric.name.startswith("daypass_")}
    listed = re.findall(r"^\| `(daypass_\w+)` \|", DOCUMENT, re.MULTILINE)
    used = set(re.findall(r"daypass_\w+", DOCUMENT[DOCUMENT.index("```yaml") :]))

    assert set(listed) == served
    assert len(listed) == len(served)
    assert {name.removesuffix("_bucket") for name in used} <= served


def test_the_lag_is_what_the_feed_had_more() -> None:
    guard = a_guard()
    lag = {}
    for tail in (7, 2):
        guard.cache.reset(3)
        guard.reader.tail = tail
        found = {metric.name: metric.samples[0].value for metric in GuardMetrics(guard, []).collect() if metric.samples}
        lag[tail] = found["daypass_feed_lag_entries"]

    assert lag == {7: 4, 2: 0}
