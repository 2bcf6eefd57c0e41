"""One cluster for all tests of this folder; each begins when every process is ready."""

from collections.abc import AsyncIterator

import pytest

from tests.e2e.revocation.cluster import Cluster, open_cluster


@pytest.fixture(scope="session")
async def running_cluster() -> AsyncIterator[Cluster]:
    async with open_cluster() as cluster:
        yield cluster


@pytest.fixture
async def cluster(running_cluster: Cluster) -> AsyncIterator[Cluster]:
    """The cluster, healthy, and healed in the end. One replica's way is slow: answers to its look-ups come late."""
    await running_cluster.ready()
    running_cluster.members["data-3"].redis.delay_s = 0.03
    yield running_cluster
    await running_cluster.ready()
