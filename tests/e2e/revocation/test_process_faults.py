"""Processes that stand still, crash, restart or join, and a database that is put back, while rounds go on."""

import asyncio

import pytest

from tests.e2e.processes import free_port
from tests.e2e.revocation.checker import Check, checking
from tests.e2e.revocation.cluster import SERVICES, Cluster, Member
from tests.e2e.revocation.rounds import Round
from tests.e2e.revocation.ways import delete_by_key
from tests.eventually import eventually

pytestmark = pytest.mark.topology("cluster")


async def test_a_replica_that_stands_still_during_deletes_wakes_up_without_what_died(cluster: Cluster) -> None:
    replica = cluster.members["data-1"]
    async with checking(cluster, workers=16) as check:  # so many that some are reading there when it stops
        while not check.are_late:
            replica.redis.restore()
            replica.go_on()
            await check.rounds(16)
            replica.stop()
            replica.redis.hold()  # so that it answers before it hears anything
            await check.rounds(16)
        replica.go_on()
        await check.late_answers()
        replica.redis.restore()
        await check.rounds(12)

    check.report.assert_kept()
    await cluster.nothing_lost()


async def test_a_replica_that_stands_still_for_moments_shows_nothing_dead(cluster: Cluster) -> None:
    async with checking(cluster) as check:
        for name in ("data-2", "data-1", "data-2"):
            cluster.members[name].stop()
            await check.rounds(2)
            cluster.members[name].go_on()
            await check.rounds(4)

    check.report.assert_kept()


async def test_a_relay_that_stands_still_is_relieved_by_the_other(cluster: Cluster) -> None:
    async with checking(cluster) as check:
        await check.rounds(12)
        for name in ("auth-1", "auth-2"):
            cluster.members[name].stop()
            await check.rounds(12)
            cluster.members[name].go_on()

    check.report.assert_kept()
    await cluster.nothing_lost()


@pytest.mark.parametrize("name", ["auth-1", "token-1", "data-1"])
async def test_a_process_that_is_killed_and_starts_again_shows_nothing_dead(cluster: Cluster, name: str) -> None:
    member = cluster.members[name]
    async with checking(cluster) as check:
        await check.rounds(12)
        await member.kill()
        if member.service != "token":  # of which there is one, and rounds need it
            await check.rounds(12)
        member.start()
        await check.rounds(12)

    check.report.assert_kept()
    await cluster.nothing_lost()


async def test_auth_killed_between_commit_and_append_loses_no_delete(cluster: Cluster) -> None:
    first, second = cluster.of("auth")
    async with checking(cluster, workers=2) as check:
        await check.rounds(2)
        await second.terminate()
        for _ in range(2):
            await first.terminate()
            first.start(DAYPASS_ENV="test", DAYPASS_TEST_CRASH="before-append")
            await first.ended()  # the next delete kills it
        first.start()
        second.start()
        await check.rounds(12)

    check.report.assert_kept()
    await cluster.nothing_lost()


async def test_a_replica_that_joins_and_leaves_amid_deletes_shows_nothing_dead(cluster: Cluster) -> None:
    model = cluster.members["data-1"]
    joining = Member("data-4", "data", model.redis, model.environ, free_port())
    async with checking(cluster, workers=8) as check:
        await check.rounds(8)
        joining.start(DAYPASS_PORT=str(joining.port))
        await eventually(lambda: cluster.readiness(joining), 200)
        cluster.members["data-4"] = joining
        await check.rounds(24)
        del cluster.members["data-4"]
        await joining.terminate()
        await check.rounds(8)

    check.report.assert_kept()


async def test_a_rolling_restart_of_every_service_fails_no_request_but_by_an_answer_that_may_be_retried(
    cluster: Cluster,
) -> None:
    async with checking(cluster) as check:
        for name in SERVICES:
            await check.rounds(4)
            member = cluster.members[name]
            await member.terminate()
            member.start()
            await eventually(lambda member=member: cluster.readiness(member), 200)  # type: ignore[misc]

    check.report.assert_kept()
    assert not {500, 502, 504} & set(check.report.statuses)
    await cluster.nothing_lost()


async def test_a_restart_of_postgresql_shows_nothing_dead(cluster: Cluster) -> None:
    async with checking(cluster) as check:
        await check.rounds(12)
        await cluster.restart_postgres()
        await check.rounds(12)

    check.report.assert_kept()
    await cluster.nothing_lost()


async def test_a_database_that_was_restored_has_no_session_of_before_and_a_new_epoch(cluster: Cluster) -> None:
    async with checking(cluster) as check:
        await check.rounds(6)
        check.is_over = True
    check.report.assert_kept()
    await cluster.save_postgres("backup")
    before, keys = await cluster.stream(), await cluster.signing_keys()
    await cluster.ready()
    async with checking(cluster) as check:
        await check.rounds(6)
        check.is_over = True
    check.report.assert_kept()
    await cluster.put_back_postgres("backup")

    async def is_new() -> bool:
        return await cluster.stream() != before

    async def is_a_later_second() -> bool:
        """JWTs of no session say the second when they were made, and those of the restoration's second are refused."""
        async with cluster.sql() as connection:
            later: bool = await connection.fetchval("SELECT date_trunc('s', now()) > restored_at FROM feed.instance")
            return later

    async def signs_by_new_keys() -> bool:
        """Until token hears of the epoch, it makes JWTs by keys of before, which are good nowhere then."""
        return keys.isdisjoint(await cluster.signing_keys())

    await eventually(is_new, True)
    async with cluster.sql() as connection:
        assert await connection.fetchval("SELECT count(*) FROM auth.sessions WHERE deleted_at IS NULL") == 0
    await eventually(signs_by_new_keys, True)
    await eventually(is_a_later_second, True)
    await cluster.ready()
    async with checking(cluster) as check:
        await check.rounds(12)
    check.report.assert_kept()
    await cluster.nothing_lost()


async def test_a_thousand_deletes_at_once_are_all_in_force(cluster: Cluster) -> None:
    async with checking(cluster, workers=1) as check:
        person, ones = await check.project.person(), list[Round]()
        while len(ones) < 1_000:
            ones += await asyncio.gather(*(Round.begin(person) for _ in range(50)))
        assert {200} <= set(await shown(check, ones)) <= {200, 503}
        answers = await asyncio.gather(*(delete_by_key(one) for one in ones))

        assert set(answers) == {204}
        assert {404} <= set(await shown(check, ones)) <= {404, 503}
    await cluster.nothing_lost()


async def shown(check: Check, ones: list[Round]) -> list[int]:
    """How any replica answers each session that asks for its private row."""
    found: list[int] = []
    for some in batched(ones, 50):
        asked = [check.client.ask("data", "GET", one.person.row, one.headers("jwt")) for one in some]
        found += [status for status, _ in await asyncio.gather(*asked)]
    return found


def batched(ones: list[Round], size: int) -> list[list[Round]]:
    return [ones[at : at + size] for at in range(0, len(ones), size)]
