"""Deleting a session over HTTP, against the same without telling anybody: alone, and a thousand at once."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from statistics import median
from typing import Any

from tests.bench import plots
from tests.bench.authority import BARE, PROJECT, make_sessions, stages_since
from tests.bench.load import Client, Target, Timed
from tests.bench.measures import Measure, at_most, figure, median_ratio, percentile
from tests.bench.server import serving

REPLICAS = 3
ROUNDS = 20
EACH = 25
BATCHES = 3
BATCH = 1000
LONGEST_S = 10.0
"""A delete that could not be confirmed for so long is answered by 503."""

OURS = "/v1/account/sessions"
NAME = "delete over the same without outbox and barrier"
SLOWER_MS = 2


async def measure() -> list[Measure]:
    """Both kinds of delete by turns, with replicas as processes of their own; then the same on a slower disk."""
    async with _world() as world:
        found = await _alone(world)
        at_once = await _at_once(world)
    async with _world(SLOWER_MS) as world:
        slow = await _alone(world)
    found.plot()
    goal = 2.5
    return [
        at_most(goal, name=f"{NAME}, p50", value=found.ratio(), detail=found.detail()),
        figure(name="the same, p99", value=found.tail_ratio(), detail=found.tail_detail()),
        figure(name=f"the same, p50, log flushed {SLOWER_MS} ms slower", value=slow.ratio(), detail=slow.detail()),
        *at_once,
    ]


@contextlib.asynccontextmanager
async def _world(slower_ms: int = 0) -> AsyncIterator[dict[str, Any]]:
    async with contextlib.AsyncExitStack() as stack:
        world = await stack.enter_async_context(serving("tests.bench.authority", str(slower_ms)))
        for _ in range(REPLICAS):
            await stack.enter_async_context(serving("tests.bench.replicas", world["redis"]))
        yield world


@dataclass(frozen=True)
class Found:
    """Milliseconds: of deletes of both kinds, round by round; and of ours, in the relay and at the barrier."""

    ours: list[list[float]]
    bare: list[list[float]]
    relay: list[float]
    barrier: list[float]

    def ratio(self) -> float:
        """The median of the rounds' ratios of medians."""
        return median_ratio([[median(a), median(b)] for a, b in zip(self.ours, self.bare, strict=True)])

    def detail(self) -> str:
        ours, relay, barrier = median(_flat(self.ours)), median(self.relay), median(self.barrier)
        stages = f"HTTP and commit {ours - relay - barrier:.2f}, relay {relay:.2f}, barrier {barrier:.2f}"
        return f"p50 {ours:.2f} ms ({stages}) against {median(_flat(self.bare)):.2f}"

    def tail_ratio(self) -> float:
        """The ratio of the 99th percentiles."""
        return percentile(_flat(self.ours), 99) / percentile(_flat(self.bare), 99)

    def tail_detail(self) -> str:
        ours, bare = _flat(self.ours), _flat(self.bare)
        return f"{percentile(ours, 99):.2f} ms against {percentile(bare, 99):.2f}, of {len(ours)}"

    def plot(self) -> None:
        samples = {"without outbox and barrier": _flat(self.bare), "delete": _flat(self.ours)}
        samples |= {"of that, in the relay": self.relay, "of that, at the barrier": self.barrier}
        plots.distribution("delete", f"Deleting a session over HTTP, {REPLICAS} replicas of data", samples)


def _flat(rounds: list[list[float]]) -> list[float]:
    return [one for found in rounds for one in found]


async def _targets(world: dict[str, Any], path: str, count: int) -> list[Target]:
    """Requests to delete as many new sessions, each by the one session that stays."""
    headers = {"X-Appwrite-Project": PROJECT, "X-Appwrite-Session": world["session"]}
    made = await make_sessions(world, count)
    return [Target.of("DELETE", world["port"], f"{path}/{session}", headers) for session, _ in made]


async def _alone(world: dict[str, Any]) -> Found:
    client = await Client.open(world["port"])
    found = Found([], [], [], [])
    await stages_since(world)  # those of what was made before
    for _ in range(ROUNDS):
        for path, rounds in ((OURS, found.ours), (BARE, found.bare)):
            rounds.append([_deleted(await client.ask(one)) for one in await _targets(world, path, EACH)])
        passed = await stages_since(world)
        found.relay.extend(passed.relay)
        found.barrier.extend(passed.barrier)
    client.close()
    return found


def _deleted(answer: Timed) -> float:
    assert answer.status == 204, answer
    return answer.milliseconds


async def _at_once(world: dict[str, Any]) -> list[Measure]:
    clients = [await Client.open(world["port"]) for _ in range(BATCH)]
    rates: list[list[float]] = []
    answers: list[Timed] = []
    for _ in range(BATCHES):
        row = []
        for path in (OURS, BARE):
            targets = await _targets(world, path, BATCH)
            started = time.perf_counter()
            found = await asyncio.gather(*(one.ask(target) for one, target in zip(clients, targets, strict=True)))
            row.append(BATCH / (time.perf_counter() - started))
            if path == OURS:
                answers += found
        rates.append(row)
    for client in clients:
        client.close()
    failed = sum(one.status != 204 or one.read - one.sent > LONGEST_S for one in answers)
    slowest = max(one.milliseconds for one in answers)
    each = ", ".join(f"{row[0]:.0f}/{row[1]:.0f}" for row in rates)
    return [
        at_most(
            0,
            name=f"of {BATCH} deletes at once, failed or timed out",
            value=failed,
            unit="deletes",
            detail=f"{BATCHES} times; the slowest took {slowest:.0f} ms",
        ),
        figure(
            name=f"{BATCH} deletes at once, throughput over the same without outbox and barrier",
            value=median_ratio(rates),
            detail=f"median of {BATCHES} ({each} per s)",
        ),
    ]
