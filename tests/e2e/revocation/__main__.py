"""`python -m tests.e2e.revocation [PROBES]`: check the promise for long, with progress on stderr.

PROBES are answers to requests that were sent after a revocation had succeeded; one in a hundred is about a signing key,
whose rounds go first, alone. Exit code 1 where one of them showed what was dead, or where a round failed.
"""

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator

import uvloop

from tests.e2e.revocation.checker import checking
from tests.e2e.revocation.cluster import open_cluster
from tests.e2e.revocation.report import Report
from tests.e2e.revocation.ways import WAYS
from tests.e2e.revocation.wide_ways import lone_ways, own_ways

PROBES = 1_000_000
WORKERS = 16
TELL_S = 5.0


async def _main(probes: int) -> list[Report]:
    reports = []
    async with open_cluster() as cluster:
        for share, workers, ways in ((0.01, 1, lone_ways(cluster)), (0.99, WORKERS, [*WAYS, *own_ways(cluster)])):
            async with checking(cluster, workers=workers, ways=ways) as check, _telling(check.report):
                reports.append(check.report)
                while check.report.judged < share * probes and not check.report.violations:
                    await check.rounds(1)
        await cluster.nothing_lost()
    return reports


@contextlib.asynccontextmanager
async def _telling(report: Report) -> AsyncIterator[None]:
    telling = asyncio.create_task(_tell(report))
    try:
        yield
    finally:
        telling.cancel()


async def _tell(report: Report) -> None:
    started = time.monotonic()
    while True:
        await asyncio.sleep(TELL_S)
        passed, violations = time.monotonic() - started, len(report.violations)
        _say(
            f"{passed:6.0f} s  {report.judged:9,} probes  {report.rounds:7,} rounds  {violations} violations"
            f"  {report.judged / passed:5.0f} probes/s  {report.rounds / passed:4.0f} rounds/s"
        )


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    reports = uvloop.run(_main(int(sys.argv[1]) if len(sys.argv) > 1 else PROBES))
    for report in reports:
        _say(str(report))
        for violation in report.violations[:20]:
            _say(violation)
    sys.exit(1 if any(report.violations or report.faults for report in reports) else 0)
