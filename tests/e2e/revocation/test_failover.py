"""Redis fails over to a copy that lost its last entries, while the old primary lives on."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.e2e.revocation.checker import checking
from tests.e2e.revocation.cluster import Cluster, open_cluster
from tests.e2e.revocation.copies import Copy, follow, open_copy
from tests.e2e.revocation.rounds import ALL
from tests.e2e.revocation.witness import SOME, Witness, left_out

pytestmark = pytest.mark.topology("cluster")

LEFT = ("data-2", "data-3")
"""Replicas that nobody has told of the failover: they go on at the old primary."""


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    """A Redis with two copies, either of which may be promoted."""
    async with open_cluster(copies=2, DAYPASS_REDIS_COPIES="2") as cluster:
        yield cluster


@pytest.fixture
async def spare(cluster: Cluster) -> AsyncIterator[Copy]:
    """One more Valkey, to be the second copy after the failover."""
    async with open_copy(cluster.parts) as copy:
        yield copy


async def fail_over(cluster: Cluster, spare: Copy) -> None:
    """Promote the first copy, with the others behind it, and lead there all but those that are left."""
    new, other = cluster.copies
    await new.promote()
    await asyncio.gather(*(copy.follow(new.valkey) for copy in (other, spare)))
    for name, member in cluster.members.items():
        if name not in LEFT:
            member.redis.lead_to(new.socket)


async def test_a_failover_that_loses_the_tail_shows_nothing_dead(cluster: Cluster, spare: Copy) -> None:
    new = cluster.copies[0]
    left = [cluster.members[name] for name in LEFT]
    async with checking(cluster, kinds=ALL) as check:  # keys are made by the command line, at the old primary
        await check.rounds(SOME)
        lost, kept = await Witness.new(check), await Witness.new(check)
        new.link.hold()
        deleting = asyncio.create_task(lost.delete())  # its entry comes to the old primary only
        with left_out(*left):
            await asyncio.sleep(0)
            await fail_over(cluster, spare)
            assert (await deleting)[0] in {204, 503}
            await lost.dies()
            await kept.dies()
            await check.rounds(SOME)
            await follow(cluster.valkey, cluster.copies[1].link.port)  # which leads to the new one
        for member in left:
            member.redis.lead_to(new.socket)
        await cluster.ready()
        await check.rounds(SOME)
    check.report.assert_kept()
    await cluster.nothing_lost()
