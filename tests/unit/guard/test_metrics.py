"""The document of the metrics knows those that there are, and no others."""

import re
from pathlib import Path

from asyncpg import create_pool
from prometheus_client.metrics_core import Metric
from redis.asyncio import Redis

from shared.guard.announcements import Announcements
from shared.guard.barrier import Peers, Revocations
from shared.guard.guard import Guard
from shared.guard.metrics import GuardMetrics, open_registry
from shared.guard.receipt_keeper import ReceiptKeeper
from shared.guard.registrations import Primary, Registry
from tests.unit.guard.authority import Authority

NOWHERE = "unix:///nowhere"
DOCUMENT = (Path(__file__).parents[3] / "docs" / "how-to" / "operate.md").read_text(encoding="utf-8")


def a_guard() -> Guard:
    return Guard(service="test", redis_url=NOWHERE, resolver=Authority())


def full_name(metric: Metric) -> str:
    return f"{metric.name}_total" if metric.type == "counter" else metric.name


async def nothing() -> None:
    """Wake nobody."""


def revocations_of(guard: Guard) -> Revocations:
    """What waits at barriers, and never runs: it connects to nothing."""
    return Revocations(
        guard=guard,
        peers=Peers(
            Registry(primary=Primary(Redis(), NOWHERE), reader=guard.reader),
            Announcements(NOWHERE),
        ),
        receipts=ReceiptKeeper(create_pool("postgresql:///nowhere")),
        wake_relay=nothing,
    )


async def test_all_metrics_are_documented_and_no_others() -> None:
    guard = a_guard()
    registry = open_registry(guard, [revocations_of(guard)])
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
