"""Deleting a session over HTTP, against the same without telling anybody: alone, and a thousand at once."""

import asyncio
import contextlib
import statistics
import time
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


async def measure() -> list[Measure]:
    """Both kinds of delete by turns, with replicas as processes of their own."""
    async with contextlib.AsyncExitStack() as stack:
        world = await stack.enter_async_context(serving("tests.bench.authority"))
        for _ in range(REPLICAS):
            await stack.enter_async_context(serving("tests.bench.replicas", world["redis"]))
        return [*await _alone(world), *await _at_once(world)]


async def _targets(world: dict[str, Any], path: str, count: int) -> list[Target]:
    """Requests to delete as many new sessions, each by the one session that stays."""
    headers = {"X-Appwrite-Project": PROJECT, "X-Appwrite-Session": world["session"]}
    made = await make_sessions(world, count)
    return [Target.of("DELETE", world["port"], f"{path}/{session}", headers) for session, _ in made]


async def _alone(world: dict[str, Any]) -> list[Measure]:
    client = await Client.open(world["port"])
    found: dict[str, list[list[float]]] = {OURS: [], BARE: []}
    relay: list[float] = []
    barrier: list[float] = []
    for _ in range(ROUNDS):
        for path, rounds in found.items():
            rounds.append([_deleted(await client.ask(one)) for one in await _targets(world, path, EACH)])
        passed = await stages_since(world)
        relay += passed.relay
        barrier += passed.barrier
    client.close()
    ours, bare = ([one for row in found[path] for one in row] for path in (OURS, BARE))
    plots.distribution(
        "delete",
        f"Deleting a session over HTTP, {REPLICAS} replicas of data",
        {
            "of it, at the barrier": barrier,
            "of it, in the relay": relay,
            "without outbox and barrier": bare,
            "delete": ours,
        },
    )
    medians = [[statistics.median(a), statistics.median(b)] for a, b in zip(found[OURS], found[BARE], strict=True)]
    commit = statistics.median(ours) - statistics.median(relay) - statistics.median(barrier)
    stages = (
        f"HTTP and commit {commit:.2f}, relay {statistics.median(relay):.2f}, barrier {statistics.median(barrier):.2f}"
    )
    tails = f"{percentile(ours, 99):.2f} ms against {percentile(bare, 99):.2f}, of {len(ours)}"
    return [
        at_most(
            2.5,
            name="delete over the same without outbox and barrier, p50",
            value=median_ratio(medians),
            detail=f"p50 {statistics.median(ours):.2f} ms ({stages}) against {statistics.median(bare):.2f}",
        ),
        figure(name="the same, p99", value=percentile(ours, 99) / percentile(bare, 99), detail=tails),
    ]


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
