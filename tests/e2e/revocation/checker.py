"""The checker: does any answer show a principal that was dead when the request for it was sent?

A round (rounds.py) makes a principal, sees by probes (probes.py) that it is shown, takes something from it in one way
(ways.py, wide_ways.py), and reads on all the while. When the call that takes it has returned success, that moment is
noted: from then on an answer that shows the principal, to a request that was sent later, is a violation. A guest's
answer, a refusal and 503 are none. A call that was not confirmed is repeated, as its answer says, and its repetition's
404 or 401 is a success too.

    async with checking(cluster) as check:
        await check.rounds(20)
        cluster.members["data-1"].stop()
        await check.rounds(5)
        cluster.members["data-1"].go_on()
    check.report.assert_kept()

Rounds run in the background until the end of the block; `rounds(n)` waits until n more are complete. Requests that a
stopped process has not answered are left open, and looked at when they are.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Iterator, Sequence

from tests.e2e.revocation.projects import NO_ANSWERS, PATIENCE_S, PROJECT, Client, Person, Project, Where
from tests.e2e.revocation.report import Report
from tests.e2e.revocation.rounds import KINDS, Grant, Probe, Round, Way
from tests.e2e.revocation.ways import WAYS

LINGER_S = 1.5
AFTER = 2
"""So many requests of each reader are sent after the success."""


class Check:
    """Runs rounds on a cluster."""

    def __init__(self, cluster: Where, *, ways: Sequence[Way], kinds: Sequence[str]) -> None:
        self.report = Report()
        self.random = random.Random()
        self.client = Client(cluster, self.report, self.random)
        self.project = Project(self.client, PROJECT, cluster.key)
        self.is_over = False
        self._kinds = frozenset(kinds)
        self._turns = self._shuffled([way for way in ways if self._kinds.intersection(way.kinds)])
        self._more = asyncio.Condition()
        self._open: set[asyncio.Task[None]] = set()

    async def rounds(self, count: int) -> None:
        """Wait until so many more rounds are complete."""
        wanted = self.report.rounds + count
        async with asyncio.timeout(PATIENCE_S + count), self._more:
            await self._more.wait_for(lambda: self.report.rounds >= wanted or bool(self.report.faults))
        assert not self.report.faults, self.report.faults

    async def work(self) -> None:
        """Run rounds until the block ends, or one fails."""
        try:
            await self._work()
        except Exception as error:  # noqa: BLE001 - whatever it is, the report says it
            self.report.faults.append(repr(error))
            await self._tell()

    @property
    def are_late(self) -> bool:
        """Whether a round has ended without some of the answers that it asked for."""
        return bool(self._open)

    async def late_answers(self) -> None:
        """Wait for the answers that a round did not wait for."""
        if self._open:
            done, never = await asyncio.wait(self._open, timeout=PATIENCE_S)
            self._open -= done
            assert not never, f"{len(never)} requests were never answered"
            for task in done:
                task.result()

    async def _work(self) -> None:
        person = await self.project.person()
        while not self.is_over:
            way = next(self._turns)
            await self._round(way, person if way.somebody is None else await way.somebody(self.client))
            if way.ends_person:
                person = await self.project.person()
            self.report.ways[way.name].rounds += 1
            await self._tell()

    async def _tell(self) -> None:
        async with self._more:
            self._more.notify_all()

    def _shuffled(self, ways: list[Way]) -> Iterator[Way]:
        while True:
            yield from self.random.sample(ways, len(ways))

    async def _round(self, way: Way, person: Person) -> None:
        one = await Round.begin(person, Grant() if way.give is None else await way.give(person))
        probes = way.probes(one, self.random.choice(sorted(self._kinds.intersection(way.kinds))))
        reading = _Reading(self.client, self.report, way.name)
        chosen = self.random.sample(probes, min(3, len(probes)))
        chosen = [probe for probe in chosen if await reading.until_shown(probe)]
        readers = [asyncio.create_task(reading.read(probe)) for probe in chosen]
        try:
            async with way.meanwhile(one):
                await self._take(way, one)
                reading.died_at = time.monotonic()
                if way.again is not None:
                    await way.again(one)
                reading.ends_at = time.monotonic()
                late = set() if not readers else (await asyncio.wait(readers, timeout=LINGER_S))[1]
        except BaseException:
            for task in readers:
                task.cancel()
            raise
        self._open |= late
        for task in readers:
            if task not in late:
                task.result()
        reading.is_over = way.give is not None and way.somebody is None

    async def _take(self, way: Way, one: Round) -> None:
        started = time.monotonic()
        first = True
        while True:
            status = await way.take(one)
            if 200 <= status < 300 or (not first and status in {401, 404}):
                break
            first = False
            assert status in NO_ANSWERS, f"{way.name} was answered {status}"
            assert time.monotonic() - started < PATIENCE_S, f"{way.name} was never confirmed"
            await asyncio.sleep(0.05)
        self.report.longest_s = max(self.report.longest_s, time.monotonic() - started)


class _Reading:
    """Reads in one round."""

    def __init__(self, client: Client, report: Report, way: str) -> None:
        self._client = client
        self._report = report
        self._way = way
        self.died_at = float("inf")
        self.ends_at = float("inf")
        self.is_over = False

    async def until_shown(self, probe: Probe) -> bool:
        """Ask until the principal is shown; False where the process is there no more."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            status, body = await self._client.send(probe.member, probe.method, probe.path, probe.headers, probe.body)
            if probe.shows(status, body):
                self._report.shown += 1
                return True
            if status == 0 and not self._client.is_there(probe.member):
                return False
            assert time.monotonic() < deadline, f"{probe.method} {probe.path} was never shown: {status} {body}"
            await asyncio.sleep(0.05)

    async def read(self, probe: Probe) -> None:
        """Ask until some requests were sent after the end, and judge the answers."""
        after = 0
        while after < AFTER:
            sent_at = time.monotonic()
            status, body = await self._client.send(probe.member, probe.method, probe.path, probe.headers, probe.body)
            if self.is_over:
                return
            after += sent_at > self.ends_at
            if sent_at > self.died_at:
                self._report.ways[self._way].judged += 1
                if probe.shows(status, body):
                    late_ms = (sent_at - self.died_at) * 1000
                    text = f"{probe.member.name}: {probe.method} {probe.path} showed it {late_ms:.1f} ms after"
                    self._report.add_violation(self._way, text)
            if status in {0, 503} or self.died_at < sent_at < self.ends_at:  # the latter while it is made again
                await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def checking(
    cluster: Where, *, workers: int = 6, ways: Sequence[Way] = WAYS, kinds: Sequence[str] = KINDS
) -> AsyncIterator[Check]:
    """Run rounds by so many workers at a time until the block ends; then finish the rounds that have begun."""
    check = Check(cluster, ways=ways, kinds=kinds)
    await check.project.prepare()
    tasks = [asyncio.create_task(check.work()) for _ in range(workers)]
    try:
        yield check
        check.is_over = True
        await asyncio.wait(tasks, timeout=PATIENCE_S)
        await check.late_answers()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
