"""The barrier alone: from an entry's committed number to the word that every replica has applied it."""

import contextlib
import statistics
import uuid
from collections.abc import Sequence
from typing import cast

from services.auth.composition import open_auth
from services.auth.deps import AuthDeps
from services.auth.settings import Settings
from services.embedded.valkey import ADMIN, Valkey
from shared.contracts import subjects
from shared.contracts.events import PrincipalsChanged
from shared.kernel.ids import unique_id
from shared.kernel.settings import Secret
from shared.messaging.outbox import publish
from tests.bench.hop import Hop
from tests.bench.measures import Measure, at_most, figure, percentile
from tests.bench.server import serving
from tests.bench.stages import Stages, watched
from tests.parts import Parts, open_parts

COUNTS = (1, 3, 10)
"""Replicas of data, beside auth's own."""

MOST_PROCESSES = 3
ROUNDS = 40
EACH = 25
GOALS = {3: (8, 20)}
"""How many hops the barrier may take, at the median and at the 99th percentile."""


async def measure() -> list[Measure]:
    """Barriers with few and many replicas, and bare hops, by turns."""
    async with contextlib.AsyncExitStack() as stack:
        seen = stack.enter_context(watched())
        parts = await stack.enter_async_context(open_parts())
        opened = {count: await _open(stack, parts, count) for count in COUNTS}
        hop = await stack.enter_async_context(Hop.open(opened[3][1].url(ADMIN)))
        hops: list[list[float]] = []
        wires: list[list[float]] = []
        barriers: dict[int, list[list[Stages]]] = {count: [] for count in COUNTS}
        for _ in range(ROUNDS):
            hops.append([await hop.by_client() for _ in range(EACH)])
            wires.append([await hop.by_wire() for _ in range(EACH)])
            for count, (deps, _) in opened.items():
                tickets = [await _pass(deps, count) for _ in range(EACH)]
                barriers[count].append([seen.pop(ticket) for ticket in tickets])
    return [*(one for count in COUNTS for one in _measures(count, barriers[count], hops)), _hops(hops, wires)]


async def _open(stack: contextlib.AsyncExitStack, parts: Parts, count: int) -> tuple[AuthDeps, Valkey]:
    """Open auth in this process, with stores of its own, and replicas in others."""
    database = await parts.new_database()
    valkey = await stack.enter_async_context(parts.valkey())
    settings = Settings(database_url=Secret(database.dsn("auth")), redis_url=Secret(valkey.url("auth")))
    service = await stack.enter_async_context(open_auth(settings))
    await service.guard.reader.until_leased(20)
    processes = min(count, MOST_PROCESSES)
    for index in range(processes):
        share = count // processes + (index < count % processes)
        await stack.enter_async_context(serving("tests.bench.replicas", valkey.url("data"), str(share)))
    return cast("AuthDeps", service.parts[0][1]), valkey


async def _pass(deps: AuthDeps, count: int) -> uuid.UUID:
    """Revoke something; return the ticket once that is in force everywhere."""
    async with deps.pool.acquire() as connection, connection.transaction():
        event = PrincipalsChanged(subjects=(subjects.session("bench", unique_id()),), reason="bench")
        ticket = await publish(connection, event, asked_by="bench")
    receipt = await deps.revocations.confirm(ticket)
    assert receipt.acked == count + 1, receipt
    return ticket


def _measures(count: int, rounds: Sequence[Sequence[Stages]], hops: Sequence[Sequence[float]]) -> list[Measure]:
    waits = [[stages.numbered_ms for stages in one] for one in rounds]
    whole = [stages.relay_ms + stages.barrier_ms for one in rounds for stages in one]
    ratio = statistics.median(statistics.median(a) / statistics.median(b) for a, b in zip(waits, hops, strict=True))
    every, every_hop = _flat(waits), _flat(hops)
    tail, tail_hop = percentile(every, 99), percentile(every_hop, 99)
    median = f"p50 {statistics.median(every):.2f} ms against {statistics.median(every_hop):.2f}"
    whole_wait = f"from the outbox row's commit p50 {statistics.median(whole):.2f}, p99 {percentile(whole, 99):.2f} ms"
    detail = f"{median}, median of {ROUNDS} rounds of {EACH}; {whole_wait}"
    names = [f"barrier of auth and {count} of data, over a hop, {part}" for part in ("p50", "p99")]
    tails = f"{tail:.2f} ms against {tail_hop:.2f}, of {len(every)}"
    if count not in GOALS:
        return [
            figure(name=names[0], value=ratio, detail=detail),
            figure(name=names[1], value=tail / tail_hop, detail=tails),
        ]
    return [
        at_most(GOALS[count][0], name=names[0], value=ratio, detail=detail),
        at_most(GOALS[count][1], name=names[1], value=tail / tail_hop, detail=tails),
    ]


def _hops(hops: Sequence[Sequence[float]], wires: Sequence[Sequence[float]]) -> Measure:
    """What the hop itself costs: so that the ratios above can be turned into others."""
    client, wire = statistics.median(_flat(hops)), statistics.median(_flat(wires))
    detail = f"p50 {client:.3f} ms by the client library, {wire:.3f} ms by packed commands"
    return figure(name="a hop by the client library, over one without it, p50", value=client / wire, detail=detail)


def _flat(rounds: Sequence[Sequence[float]]) -> list[float]:
    return [one for found in rounds for one in found]
