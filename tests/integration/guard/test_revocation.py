"""The promise, between guards: when `confirm` has returned, no replica knows the dead principal any more."""

import asyncio
import contextlib
import itertools

import pytest
from redis.exceptions import ResponseError
from structlog.testing import capture_logs

from shared.contracts import subjects
from shared.contracts.principal import Principal
from shared.guard.feed_reader import LEASE_S, REGISTRATION_S
from shared.guard.registrations import MOST
from shared.kernel.clock import boot_clock
from shared.kernel.errors import Refusal, Unavailable
from shared.messaging import names
from tests.eventually import eventually
from tests.integration.guard.conftest import PROJECT, World, running


async def seen_by_all(world: World, secret: object) -> list[Principal | None]:
    return [await guard.session(PROJECT, secret) for guard in world.guards.values()]  # type: ignore[arg-type]


async def test_a_warm_credential_is_resolved_without_asking(world: World) -> None:
    secret = world.sign_in("ada")
    await seen_by_all(world, secret)
    asked = world.accounts.lookups
    for _ in range(100):
        assert None not in await seen_by_all(world, secret)

    assert world.accounts.lookups == asked == len(world.guards)


async def test_when_confirm_returns_no_replica_knows_the_session(world: World) -> None:
    for _ in range(100):
        secret = world.sign_in("ada")
        assert None not in await seen_by_all(world, secret)
        receipt = await world.revocations.confirm(await world.delete(secret))

        assert set(await seen_by_all(world, secret)) == {None}
        assert (receipt.acked, receipt.fenced) == (len(world.guards), 0)


async def test_without_the_barrier_replicas_are_late(world: World) -> None:
    """The check above can fail: asked at once after the commit, some replica still knows the session."""
    late = 0
    for _ in range(50):
        secret = world.sign_in("ada")
        await seen_by_all(world, secret)
        await world.delete(secret)
        late += set(await seen_by_all(world, secret)) != {None}

    assert late


async def test_an_entry_of_a_user_ends_all_its_sessions_and_no_other_s(world: World) -> None:
    guard = world.guards["data-1"]
    ada, again, grace = (world.sign_in(user) for user in ("ada", "ada", "grace"))
    for secret in (ada, again, grace):
        await guard.session(PROJECT, secret)
    asked = world.accounts.lookups
    await world.revocations.confirm(await world.accounts.tell(subjects.user(PROJECT, "ada")))
    for secret in (ada, again, grace):
        await guard.session(PROJECT, secret)

    assert world.accounts.lookups == asked + 2


async def test_a_look_up_overtaken_by_its_delete_is_not_used(world: World) -> None:
    """The classic race: read before the delete, answered after it."""
    secret = world.sign_in("ada")
    held, goes_on = asyncio.Event(), asyncio.Event()

    async def pause() -> None:
        held.set()
        await goes_on.wait()

    world.accounts.pause = pause
    looking_up = asyncio.create_task(world.guards["data-1"].session(PROJECT, secret))
    await held.wait()
    world.accounts.pause = None
    await world.revocations.confirm(await world.delete(secret))
    late = asyncio.create_task(world.guards["data-1"].session(PROJECT, secret))
    goes_on.set()

    assert await late is None
    assert await looking_up is None
    assert await world.guards["data-1"].session(PROJECT, secret) is None


async def test_requests_for_one_credential_share_a_look_up(world: World) -> None:
    secret = world.sign_in("ada")
    found = await asyncio.gather(*(world.guards["data-1"].session(PROJECT, secret) for _ in range(50)))

    assert None not in found
    assert world.accounts.lookups == 1


async def test_a_replica_without_a_lease_asks_for_every_request(world: World) -> None:
    guard = world.guards["data-1"]
    secret = world.sign_in("ada")
    await guard.session(PROJECT, secret)
    asked = world.accounts.lookups
    world.clocks["data-1"].ahead_s = LEASE_S  # each word from the feed comes too late to renew it
    for _ in range(3):
        assert await guard.session(PROJECT, secret) is not None

    assert world.accounts.lookups == asked + 3


async def test_a_principal_is_checked_again_before_a_commit(world: World) -> None:
    guard = world.guards["data-1"]
    secret = world.sign_in("ada")
    principal = await guard.session(PROJECT, secret)
    assert principal is not None
    guard.check(principal)
    await world.revocations.confirm(await world.delete(secret))

    with pytest.raises(Unavailable):
        guard.check(principal)


async def test_a_replica_that_joins_is_waited_for(world: World) -> None:
    secret = world.sign_in("ada")
    guard = await world.add_replica("data-3", "data")
    await guard.session(PROJECT, secret)
    receipt = await world.revocations.confirm(await world.delete(secret))

    assert receipt.acked == len(world.guards) == 5
    assert await guard.session(PROJECT, secret) is None


async def test_a_replica_that_leaves_in_order_is_not_waited_for(world: World) -> None:
    stack = world.stack
    async with contextlib.AsyncExitStack() as world.stack:
        await world.add_replica("data-3", "data")
        receipt = await world.revocations.confirm(await world.accounts.tell("session:library/x"))
        assert receipt.acked == len(world.guards)
    world.stack = stack
    del world.guards["data-3"]
    receipt = await world.revocations.confirm(await world.accounts.tell("session:library/y"))

    assert (receipt.acked, receipt.fenced) == (len(world.guards), 0)


async def test_a_silent_replica_is_struck_once_its_lease_is_over(world: World) -> None:
    redis = world.redis
    await redis.zadd(names.registry("data"), {"dead:0:1": 0})
    first = await world.revocations.confirm(await world.accounts.tell("session:library/x"))
    second = await world.revocations.confirm(await world.accounts.tell("session:library/y"))

    assert first.fenced == 1
    assert second.fenced == 0
    assert await redis.zscore(names.registry("data"), "dead:0:1") is None


async def test_after_redis_lost_everything_the_relay_writes_it_again(world: World) -> None:
    secret = world.sign_in("ada")
    await seen_by_all(world, secret)
    await world.redis.flushall()
    receipt = await world.revocations.confirm(await world.delete(secret))

    assert set(await seen_by_all(world, secret)) == {None}
    assert receipt.number
    for guard in world.guards.values():
        await eventually(guard.cache.is_leased, True)
    stream = world.guards["auth"].reader.stream
    entries = await world.redis.xrange(stream)
    assert [int(id_.split(b"-")[0]) for id_, _ in entries] == list(range(1, receipt.number + 1))


async def test_numbers_are_dense_whoever_publishes_and_two_relays_do_no_harm(world: World) -> None:
    other = world.new_relay()
    async with running(other.run()):
        tickets = await asyncio.gather(*(world.accounts.tell(f"session:library/{n}") for n in range(200)))
        other.wake()
        receipts = await asyncio.gather(*(world.revocations.confirm(ticket) for ticket in tickets))

    numbers = sorted(receipt.number for receipt in receipts)
    assert numbers == list(range(numbers[0], numbers[0] + 200))
    entries = await world.redis.xrange(world.guards["auth"].reader.stream)
    assert [int(id_.split(b"-")[0]) for id_, _ in entries] == list(range(1, numbers[-1] + 1))
    assert len({fields[b"id"] for _, fields in entries}) == len(entries)


async def test_an_entry_that_is_not_understood_drops_the_whole_cache(world: World) -> None:
    guard = world.guards["data-1"]
    secret = world.sign_in("ada")
    await guard.session(PROJECT, secret)
    asked = world.accounts.lookups
    pool = world.accounts.pool
    await pool.execute(
        "INSERT INTO feed.outbox (id, stream, entry) VALUES (gen_random_uuid(), 'feed', $1)", b"\x81\xa4type\xa1?"
    )
    before = guard.cache.position
    await eventually(lambda: guard.cache.position > before and guard.cache.is_leased(), True)

    assert await guard.session(PROJECT, secret) is not None
    assert world.accounts.lookups == asked + 1


async def test_an_unknown_project_is_refused_and_asked_for_once(world: World) -> None:
    for name in ("nowhere", "nowhere", "Not An Id", "console"):
        with pytest.raises(Refusal, match="could not be found"):
            await world.guards["data-1"].project(name)
    assert (await world.guards["data-1"].project(PROJECT)).id == PROJECT


async def test_a_caller_that_waits_for_a_lease_gets_one_that_still_runs(world: World) -> None:
    guard = world.guards["data-1"]
    guard.cache.end_lease()
    await guard.reader.until_leased(10)

    assert guard.cache.is_leased()


async def test_a_principal_read_before_everything_was_forgotten_commits_nothing(world: World) -> None:
    guard = world.guards["data-1"]
    principal = await guard.session(PROJECT, world.sign_in("ada"))
    assert principal is not None
    await guard.reader.until_leased(10)
    guard.cache.reset(0)  # as where another Redis has fewer entries
    guard.cache.extend_lease(float("inf"))

    with pytest.raises(Unavailable):
        guard.check(principal)


async def test_a_database_that_is_behind_redis_was_restored_and_begins_a_new_epoch(world: World) -> None:
    secret = world.sign_in("ada")
    await seen_by_all(world, secret)
    for n in range(3):
        await world.revocations.confirm(await world.accounts.tell(f"session:library/{n}"))
    guard, pool = world.guards["data-1"], world.accounts.pool
    before, position = guard.reader.suffix, guard.cache.position
    world.relay_task.cancel()
    await asyncio.gather(world.relay_task, return_exceptions=True)
    await pool.execute("DELETE FROM feed.outbox WHERE number > $1", position - 2)
    await pool.execute("UPDATE feed.heads SET number = $1 WHERE stream = 'feed'", position - 2)
    ended: list[Principal] = []

    async def end_sessions(_: object) -> None:
        ended.extend(world.accounts.sessions.values())
        world.accounts.sessions.clear()

    relay = world.new_relay(end_sessions)
    async with running(relay.run()):
        for one in world.guards.values():
            await one.reader.until_moved(before)
            await one.reader.until_leased(20)
        receipt = await world.revocations.confirm(await world.accounts.tell("session:library/x"))

        assert set(await seen_by_all(world, secret)) == {None}
    assert len(ended) == 1
    assert receipt.number > position


async def test_a_relay_that_was_replaced_numbers_nothing(world: World) -> None:
    redis, pool = world.redis, world.accounts.pool
    world.relay_task.cancel()
    await asyncio.gather(world.relay_task, return_exceptions=True)
    for key in (names.IDENTITY, *map(names.registry, names.SERVICES)):
        with contextlib.suppress(ResponseError):
            await redis.hset(key, "stream", "9-of-another-database")
    ticket = await world.accounts.tell("session:library/x")
    relay = world.new_relay()
    with capture_logs() as logged:
        async with running(relay.run()):
            await eventually(lambda: any("relay stopped" in line["event"] for line in logged), True)

    assert await pool.fetchval("SELECT number FROM feed.outbox WHERE id = $1", ticket) is None


async def test_replicas_that_are_none_and_go_on_registering_hold_nothing_up_for_longer_than_a_registration(
    world: World,
) -> None:
    redis = world.redis
    secret = world.sign_in("ada")
    await seen_by_all(world, secret)

    async def haunt() -> None:
        for turn in itertools.count():
            async with redis.pipeline(transaction=True) as pipeline:
                pipeline.zadd(names.registry("data"), {f"ghost:0:{turn + 1}": 0})
                pipeline.zrem(names.registry("data"), f"ghost:0:{turn}")
                await pipeline.execute()
            await asyncio.sleep(0.1)

    async with running(haunt()):
        await eventually(lambda: redis.zcard(names.registry("data")), 4)
        started = boot_clock()
        receipt = await world.revocations.confirm(await world.delete(secret))
        elapsed_s = boot_clock() - started

        assert set(await seen_by_all(world, secret)) == {None}
    assert (receipt.acked, receipt.fenced) == (len(world.guards), 1)
    assert REGISTRATION_S <= elapsed_s < 2 * REGISTRATION_S


async def test_a_registry_that_was_lost_alone_is_not_believed_at_once(world: World) -> None:
    redis = world.redis
    await world.revocations.confirm(await world.accounts.tell("session:library/x"))
    await redis.delete(names.registry("data"))
    found = await world.registry.read()

    assert not found.is_whole
    started = boot_clock()
    await world.revocations.confirm(await world.accounts.tell("session:library/y"))
    assert boot_clock() - started > REGISTRATION_S / 2

    async def is_whole() -> bool:
        return (await world.registry.read()).is_whole

    await eventually(is_whole, True)


async def test_a_registry_that_has_grown_beyond_use_is_emptied(world: World) -> None:
    redis = world.redis
    await redis.zadd(names.registry("data"), {f"ghost-{number}:0:1": 0 for number in range(2 * MOST)})
    await eventually(lambda: redis.zcard(names.registry("data")), 3)  # both replicas of data, and the mark
    receipt = await world.revocations.confirm(await world.accounts.tell("session:library/x"))

    assert receipt.acked == len(world.guards)
