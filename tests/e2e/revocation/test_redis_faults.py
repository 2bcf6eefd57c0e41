"""Redis that dies, forgets, is slow, full or out of reach, for all or for some, while rounds go on."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from functools import partial

import pytest

from shared.contracts import subjects
from shared.contracts.events import PrincipalsChanged
from shared.messaging.codec import pack
from shared.messaging.outbox import entry_bytes
from tests.e2e.revocation.checker import Check, checking
from tests.e2e.revocation.cluster import Cluster, Member
from tests.e2e.revocation.projects import PROJECT
from tests.e2e.revocation.witness import SOME, Witness, left_out
from tests.eventually import eventually

pytestmark = pytest.mark.topology("cluster")


@contextlib.asynccontextmanager
async def fault(cluster: Cluster) -> AsyncIterator[Check]:
    """Run rounds before, during and after a fault, with a witness who lives until it is over; nothing may be lost."""
    async with checking(cluster) as check:
        await check.rounds(SOME)
        witness = await Witness.new(check)
        yield check
        await cluster.ready()
        await witness.dies()
        await check.rounds(SOME)
    check.report.assert_kept()
    await cluster.nothing_lost()


@contextlib.asynccontextmanager
async def deaf(cluster: Cluster, check: Check) -> AsyncIterator[Witness]:
    """Have one replica hear nothing while Redis loses something, and somebody dies whom it knows.

    Redis may have forgotten by then that there is such a replica, whose lease still runs; and when it hears again, what
    would tell it is gone.
    """
    member = cluster.members["data-1"]
    witness = await Witness.new(check)
    member.redis.hold()
    with left_out(member):
        yield witness
        await witness.dies()
        await check.rounds(SOME)
    member.redis.restore()
    await eventually(partial(cluster.readiness, member), 200)
    assert await witness.shown() == 0


async def fenced(cluster: Cluster, *members: Member) -> None:
    """Wait until these have no lease any more."""
    await asyncio.gather(*(eventually(partial(cluster.readiness, member), 503) for member in members))


async def test_redis_that_is_killed_and_starts_again_shows_nothing_dead(cluster: Cluster) -> None:
    async with fault(cluster):
        await cluster.kill_redis()
        await fenced(cluster, *cluster.members.values())
        await cluster.start_redis()


async def test_redis_that_starts_again_at_once_shows_nothing_dead(cluster: Cluster) -> None:
    async with fault(cluster) as check:
        for _ in range(2):
            await cluster.kill_redis()
            await cluster.start_redis()
            await check.rounds(SOME)


async def test_redis_that_starts_again_empty_shows_nothing_dead(cluster: Cluster) -> None:
    async with fault(cluster) as check, deaf(cluster, check):
        await cluster.kill_redis()
        cluster.forget_redis()
        await cluster.start_redis()


async def test_redis_that_starts_again_with_old_data_shows_nothing_dead(cluster: Cluster) -> None:
    async with fault(cluster) as check:
        await cluster.save_redis("old")
        await check.rounds(SOME)
        async with deaf(cluster, check):
            await cluster.kill_redis()
            cluster.put_back_redis("old")
            await cluster.start_redis()


async def test_redis_that_is_flushed_shows_nothing_dead(cluster: Cluster) -> None:
    async with fault(cluster) as check, cluster.redis() as redis, deaf(cluster, check):
        await redis.flushall()


@pytest.mark.parametrize("left", [3, 0])
async def test_a_stream_that_is_trimmed_past_its_readers_shows_nothing_dead(cluster: Cluster, left: int) -> None:
    stream = await cluster.stream()
    async with fault(cluster) as check, cluster.redis() as redis:
        for _ in range(4):
            await redis.xtrim(stream, maxlen=left, approximate=False)
            await check.rounds(2)
        async with deaf(cluster, check) as witness:
            await witness.dies()
            await check.rounds(SOME)
            await redis.xtrim(stream, maxlen=left, approximate=False)


async def test_a_stream_that_is_deleted_shows_nothing_dead(cluster: Cluster) -> None:
    stream = await cluster.stream()
    async with fault(cluster) as check, cluster.redis() as redis:
        for _ in range(3):
            await redis.delete(stream)
            await check.rounds(2)
        async with deaf(cluster, check):
            await redis.delete(stream)


async def test_connections_that_are_cut_again_and_again_show_nothing_dead(cluster: Cluster) -> None:
    async with fault(cluster) as check:
        for _ in range(8):
            for member in cluster.members.values():
                member.redis.drop_connections()
            await check.rounds(1)


async def test_a_slow_way_to_redis_shows_nothing_dead(cluster: Cluster) -> None:
    async with fault(cluster) as check:
        for member in cluster.members.values():
            member.redis.delay_s = 0.1
        await check.rounds(SOME)


async def test_redis_without_memory_confirms_nothing_and_shows_nothing_dead(cluster: Cluster) -> None:
    async with fault(cluster) as check, cluster.redis() as redis:
        witness = await Witness.new(check)
        await redis.config_set("maxmemory", 1)
        try:
            await fenced(cluster, *cluster.members.values())
            assert await witness.delete() == (503, "revocation_unconfirmed")
            assert await witness.shown() == 0
        finally:
            await redis.config_set("maxmemory", 0)
        await witness.dies()


async def test_auth_alone_cut_off_from_redis_confirms_nothing_until_it_is_back(cluster: Cluster) -> None:
    async with fault(cluster) as check:
        witness = await Witness.new(check)
        for member in cluster.of("auth"):
            member.redis.cut()
        assert await witness.delete() == (503, "revocation_unconfirmed")
        assert await witness.delete() == (503, "revocation_unconfirmed")
        assert await witness.shown() > 0  # replicas go on and have heard of nothing: so there was nothing to confirm
        for member in cluster.of("auth"):
            member.redis.restore()
        await witness.dies()


@pytest.mark.parametrize("name", ["data-1", "token-1", "auth-1"])
@pytest.mark.parametrize("how", ["cut", "hold"])
async def test_one_replica_alone_cut_off_from_redis_shows_nothing_dead(cluster: Cluster, name: str, how: str) -> None:
    member = cluster.members[name]
    async with fault(cluster) as check:
        witness = await Witness.new(check)
        getattr(member.redis, how)()
        if name == "token-1":  # the only one: no round goes on without it
            await witness.dies()
        else:
            with left_out(member):
                await witness.dies()
                await check.rounds(SOME)


@pytest.mark.parametrize("name", ["data-1", "auth-1"])
async def test_an_event_loop_that_stalls_for_longer_than_a_lease_wakes_up_fenced(cluster: Cluster, name: str) -> None:
    member = cluster.members[name]
    async with fault(cluster) as check:
        witness = await Witness.new(check)
        member.stop()
        gone = asyncio.create_task(witness.shown())  # sent while it stands still
        while (await witness.delete())[0] not in {204, 404}:
            pass
        late = asyncio.create_task(witness.shown())
        member.go_on()
        await gone
        assert await late == 0
        await check.rounds(SOME)


async def test_entries_that_are_double_unknown_or_malformed_show_nothing_dead(cluster: Cluster) -> None:
    double = entry_bytes(PrincipalsChanged(subjects=(subjects.user(PROJECT, "nobody"),), reason="test"))
    unknown = pack({"type": "principals.changed", "version": 99, "body": {"subjects": ["all"]}})
    strange = pack({"type": "something.else", "version": 1, "body": {}})
    async with fault(cluster) as check:
        for entry in (double, double, unknown, strange, b"", b"\xc1\xff", pack(["no", "map"])):
            async with cluster.sql() as sql:
                await sql.execute(
                    "INSERT INTO feed.outbox (id, stream, entry) VALUES ($1, 'feed', $2)", uuid.uuid4(), entry
                )
            await check.rounds(2)
