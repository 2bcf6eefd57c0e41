"""The promise, over thousands of rounds; and that the checker would have seen it broken."""

import pytest

from tests.e2e.revocation.checker import checking
from tests.e2e.revocation.cluster import Cluster, open_cluster

ROUNDS = 2_000


@pytest.mark.timeout(900)  # minutes on a busy machine
async def test_nothing_dead_is_shown_in_thousands_of_rounds(cluster: Cluster) -> None:
    cluster.members["data-3"].redis.restore()
    async with checking(cluster, workers=16) as check:
        for _ in range(ROUNDS // 100):
            await check.rounds(100)
    print(check.report)

    check.report.assert_kept()
    await cluster.nothing_lost()


async def test_without_the_barrier_the_checker_finds_violations() -> None:
    async with open_cluster(DAYPASS_ENV="test", DAYPASS_TEST_BARRIER="off") as cluster:
        for member in cluster.of("data"):
            member.redis.delay_s = 0.05
        async with checking(cluster) as check:
            await check.rounds(50)
        print(check.report)

    assert check.report.violations
