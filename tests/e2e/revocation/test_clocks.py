"""Wall clocks that step by an hour, forwards and backwards: no lease, registration or barrier looks at one."""

import dataclasses
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.revocation.checker import Check, checking
from tests.e2e.revocation.cluster import Cluster

LIBRARY = next(iter(Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), None)
pytestmark = [
    pytest.mark.topology("cluster"),
    pytest.mark.skipif(LIBRARY is None, reason="libfaketime is not installed"),
]

AN_HOUR_S = 3600
REREAD_S = 1
"""How often a process looks at the file of its clock."""
KINDS = ("session", "cookie")
"""JWTs are good by the wall clock, and so not for a service that is an hour ahead or behind."""


class Steps:
    """A wall clock that a test sets."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "faketime"
        self.set("+0")

    def set(self, offset: str) -> None:
        self._file.write_text(offset + "\n")
        self._file.chmod(0o644)

    @property
    def environ(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": str(REREAD_S),
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }


@pytest.fixture
def steps(cluster: Cluster) -> Steps:
    folder = cluster.parts.folder / "clock"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    return Steps(folder)


async def rounds_until_stepped(check: Check) -> None:
    """Run rounds until every process must have looked at the file of its clock again."""
    deadline = time.monotonic() + 2 * REREAD_S
    while time.monotonic() < deadline:
        await check.rounds(4)
    await check.rounds(8)


def test_the_wall_clock_is_stepped_here_and_not_the_boot_clock(steps: Steps) -> None:
    steps.set("+1h")
    program = "import json, time; print(json.dumps([time.time(), time.clock_gettime(time.CLOCK_BOOTTIME)]))"
    done = subprocess.run([sys.executable, "-c", program], env=os.environ | steps.environ, capture_output=True)
    wall, boot = json.loads(done.stdout)

    assert wall - time.time() == pytest.approx(AN_HOUR_S, abs=60)
    assert boot == pytest.approx(time.clock_gettime(time.CLOCK_BOOTTIME), abs=60)


@pytest.mark.parametrize("name", ["auth-1", "data-1"])
async def test_a_service_whose_wall_clock_steps_shows_nothing_dead(cluster: Cluster, steps: Steps, name: str) -> None:
    member = cluster.members[name]
    await member.terminate()
    member.start(**steps.environ)
    await cluster.ready()
    async with checking(cluster, kinds=KINDS) as check:
        for offset in ("+1h", "-1h"):
            await check.rounds(8)
            steps.set(offset)
            await rounds_until_stepped(check)
    await member.terminate()

    check.report.assert_kept()


async def test_a_redis_whose_wall_clock_steps_forgets_no_replica(cluster: Cluster, steps: Steps) -> None:
    programs = cluster.valkey.programs
    stepping = cluster.parts.folder / "clock" / "valkey"
    exports = "".join(f"export {name}='{value}'\n" for name, value in steps.environ.items())
    stepping.write_text(f'#!/bin/sh\n{exports}exec "{programs.valkey}" "$@"\n')
    stepping.chmod(0o755)
    await cluster.restart_redis(dataclasses.replace(programs, valkey=stepping))
    try:
        await cluster.ready()
        async with checking(cluster) as check:
            for offset in ("+1h", "-1h"):
                await check.rounds(8)
                steps.set(offset)
                await rounds_until_stepped(check)
                async with cluster.redis() as redis:
                    ahead_s = (await redis.time())[0] - time.time()
                assert abs(ahead_s) == pytest.approx(AN_HOUR_S, abs=60)
    finally:
        await cluster.restart_redis(programs)

    check.report.assert_kept()
    await cluster.nothing_lost()
