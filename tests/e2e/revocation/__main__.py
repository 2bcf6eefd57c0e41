"""`python -m tests.e2e.revocation [PROBES]`: check the promise for long, with progress on stderr.

PROBES are answers to requests that were sent after a revocation had succeeded. Exit code 1 where one of them showed
what was dead.
"""

import asyncio
import contextlib
import sys
import time

from tests.e2e.revocation.checker import Report, Rounds, running
from tests.e2e.revocation.cluster import open_cluster
from tests.parts import open_parts

PROBES = 1_000_000
TELL_S = 5.0


async def _main(probes: int) -> Report:
    async with open_parts() as parts, open_cluster(parts) as cluster:
        async with running(cluster) as rounds:
            telling = asyncio.create_task(_tell(rounds, time.monotonic()))
            while rounds.report.judged < probes:
                await rounds.some(1)
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
        await cluster.nothing_lost()
        return rounds.report


async def _tell(rounds: Rounds, started: float) -> None:
    report = rounds.report
    while True:
        await asyncio.sleep(TELL_S)
        passed = time.monotonic() - started
        _say(
            f"{passed:6.0f} s  {report.judged:9,} probes  {report.rounds:7,} rounds  {report.violated} violations"
            f"  {report.judged / passed:5.0f} probes/s  {report.rounds / passed:4.0f} rounds/s"
        )


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        found = asyncio.run(_main(int(sys.argv[1]) if len(sys.argv) > 1 else PROBES))
        _say(str(found))
        for violation in found.violations[:20]:
            _say(str(violation))
        sys.exit(1 if found.violated or found.errors else 0)
