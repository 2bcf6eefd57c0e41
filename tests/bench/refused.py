"""Revoke to refused, as a client sees it: from sending the delete to the first refused read on each replica."""

import asyncio
import contextlib
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from tests.bench import plots
from tests.bench.authority import PROJECT, make_sessions
from tests.bench.load import Client, Target, Timed
from tests.bench.measures import Measure, at_most, figure, percentile
from tests.bench.replicas import CONSTANT
from tests.bench.server import serving

REPLICAS = 3
PROBES = 300
PAUSE_S = 0.0005
"""Between two reads of one reader: a reader that never paused would take the processor from what it reads."""


@dataclass(frozen=True)
class Probe:
    """A delete, and of each replica the reads that went on meanwhile; the last of them was refused."""

    delete: Timed
    reads: list[list[Timed]]

    def refused_ms(self) -> list[float]:
        """For each replica, from sending the delete to the answer of the first refused read."""
        return [(reads[-1].read - self.delete.sent) * 1000 for reads in self.reads]

    def violations(self) -> int:
        """Count reads that were sent after the delete had been answered, and were accepted."""
        return sum(read.sent > self.delete.read for reads in self.reads for read in reads if _is_accepted(read))


def _is_accepted(read: Timed) -> bool:
    return read.status != HTTPStatus.UNAUTHORIZED


async def measure() -> list[Measure]:
    """Sessions, each used on all replicas, then deleted while readers ask on."""
    async with contextlib.AsyncExitStack() as stack:
        world = await stack.enter_async_context(serving("tests.bench.authority"))
        ports = [
            (await stack.enter_async_context(serving("tests.bench.replicas", world["redis"])))["ports"][0]
            for _ in range(REPLICAS)
        ]
        deleter = await Client.open(world["port"])
        readers = [await Client.open(port) for port in ports]
        probes = [
            await _probe(deleter, readers, world, ports, session) for session in await make_sessions(world, PROBES)
        ]
        for client in (deleter, *readers):
            client.close()
    return _measures(probes)


async def _probe(
    deleter: Client, readers: Sequence[Client], world: dict[str, Any], ports: Sequence[int], session: tuple[str, str]
) -> Probe:
    id_, secret = session
    headers = {"X-Appwrite-Project": PROJECT, "X-Appwrite-Session": secret}
    targets = [Target.get(port, CONSTANT, headers) for port in ports]
    for reader, target in zip(readers, targets, strict=True):
        assert (await reader.ask(target)).status == HTTPStatus.OK
    reading = [asyncio.create_task(_read(*pair)) for pair in zip(readers, targets, strict=True)]
    await asyncio.sleep(PAUSE_S)
    owner = {"X-Appwrite-Project": PROJECT, "X-Appwrite-Session": world["session"]}
    delete = await deleter.ask(Target.of("DELETE", world["port"], f"/v1/account/sessions/{id_}", owner))
    assert delete.status == HTTPStatus.NO_CONTENT, delete
    return Probe(delete, await asyncio.gather(*reading))


async def _read(client: Client, target: Target) -> list[Timed]:
    reads: list[Timed] = []
    async with asyncio.timeout(20):
        while not reads or _is_accepted(reads[-1]):
            reads.append(await client.ask(target))
            await asyncio.sleep(PAUSE_S)
    return reads


def _measures(probes: Sequence[Probe]) -> list[Measure]:
    each = [one for probe in probes for one in probe.refused_ms()]
    everywhere = [max(probe.refused_ms()) for probe in probes]
    answered = [probe.delete.milliseconds for probe in probes]
    samples = {"refused on a replica": each, "refused on all": everywhere, "delete answered": answered}
    plots.distribution("refused", f"From sending the delete, {REPLICAS} replicas of data", samples)
    reads = sum(len(one) for probe in probes for one in probe.reads)
    figures = ", ".join(
        f"{name} p50 {statistics.median(found):.2f}, p99 {percentile(found, 99):.2f} ms"
        for name, found in samples.items()
    )
    ratio = statistics.median(a / b for a, b in zip(everywhere, answered, strict=True))
    return [
        at_most(
            0,
            name="accepted reads that were sent after the delete's answer",
            value=sum(probe.violations() for probe in probes),
            unit="reads",
            detail=f"{PROBES} deletes, {reads} reads on {REPLICAS} replicas",
        ),
        figure(name="refused on all replicas, over the delete's answer, p50", value=ratio, detail=figures),
    ]
