"""`python -m tests.e2e.revocation [PROBES]`: check the promise for long, with progress on stderr.

PROBES are answers to requests that were sent after a revocation had succeeded. Exit code 1 where one of them showed
what was dead, or where a round failed.
"""

import asyncio
import sys
import time

import uvloop

from tests.e2e.revocation.checker import Check, Report, checking
from tests.e2e.revocation.cluster import open_cluster

PROBES = 1_000_000
WORKERS = 16
TELL_S = 5.0


async def _main(probes: int) -> Report:
    async with open_cluster() as cluster:
        async with checking(cluster, workers=WORKERS) as check:
            telling = asyncio.create_task(_tell(check))
            try:
                while check.report.judged < probes and not check.report.violations:
                    await check.rounds(1)
            finally:
                telling.cancel()
        await cluster.nothing_lost()
    return check.report


async def _tell(check: Check) -> None:
    started, report = time.monotonic(), check.report
    while True:
        await asyncio.sleep(TELL_S)
        passed, found = time.monotonic() - started, len(report.violations)
        _say(
            f"{passed:6.0f} s  {report.judged:9,} probes  {report.rounds:7,} rounds  {found} violations"
            f"  {report.judged / passed:5.0f} probes/s  {report.rounds / passed:4.0f} rounds/s"
        )


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    found = uvloop.run(_main(int(sys.argv[1]) if len(sys.argv) > 1 else PROBES))
    _say(str(found))
    for violation in found.violations[:20]:
        _say(violation)
    sys.exit(1 if found.violations or found.faults else 0)
