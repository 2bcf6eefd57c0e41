"""Watches: what outlives a request is interrupted when its caller ends, and by nothing else."""

import asyncio
import time
from collections.abc import Callable

import msgspec
import pytest

from shared.contracts.principal import Kind, Principal, guest
from shared.guard.cache import Cache
from shared.guard.watches import CallerEnded, Ending, Watches

ADA = Principal(project_id="p", kind=Kind.SESSION, user_id="u", session_id="s", position=10, subjects=("session:p/s",))
HOUR = 3600


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cache(clock: Clock) -> Cache:
    cache = Cache(clock=clock)
    cache.position = 10
    cache.extend_lease(clock.now + HOUR)
    return cache


async def ending(watches: Watches, principal: Principal, happen: Callable[[], None]) -> Ending:
    """Wait in a watch for what never comes, let something happen, and return why the watch ended."""
    inside = asyncio.Event()

    async def wait() -> None:
        async with watches.watching(principal):
            inside.set()
            await asyncio.Event().wait()

    waiting = asyncio.create_task(wait())
    await asyncio.wait_for(inside.wait(), 10)
    happen()
    with pytest.raises(CallerEnded) as caught:
        await asyncio.wait_for(waiting, 10)
    return caught.value.ending


@pytest.mark.parametrize("name", ["session:p/s", "project:p"])
async def test_an_entry_that_names_the_caller_ends_what_waits(cache: Cache, name: str) -> None:
    watches = Watches(cache)

    assert await ending(watches, ADA, lambda: cache.apply(11, (name,))) is Ending.REVOKED
    assert len(watches) == 0


async def test_a_guest_ends_with_the_project(cache: Cache) -> None:
    assert await ending(Watches(cache), guest("p"), lambda: cache.apply(11, ("project:p",))) is Ending.REVOKED


async def test_a_guest_outlives_a_lease(cache: Cache) -> None:
    async with Watches(cache).watching(guest("p")) as watch:
        cache.end_lease()
        await asyncio.sleep(0)
        watch.check()


async def test_a_replica_that_may_have_missed_entries_ends_all(cache: Cache) -> None:
    assert await ending(Watches(cache), ADA, lambda: cache.reset(20)) is Ending.UNCHECKED


async def test_a_lease_that_runs_out_ends_all(cache: Cache, clock: Clock) -> None:
    cache.end_lease()
    cache.extend_lease(clock.now + 0.01)

    def run_out() -> None:
        clock.now += 1

    assert await ending(Watches(cache), ADA, run_out) is Ending.UNCHECKED


async def test_a_credential_that_expires_ends(cache: Cache) -> None:
    soon = msgspec.structs.replace(ADA, expires_at=time.time() + 0.05)

    assert await ending(Watches(cache), soon, lambda: None) is Ending.EXPIRED


async def test_an_entry_that_names_others_or_was_read_already_ends_nothing(cache: Cache) -> None:
    watches = Watches(cache)
    ahead = msgspec.structs.replace(ADA, position=12)

    async with watches.watching(ahead) as watch:
        cache.apply(11, ("session:p/other", "user:p/u"))
        cache.apply(12, ("session:p/s",))
        await asyncio.sleep(0)
        watch.check()


async def test_nothing_is_sent_between_an_end_and_the_interruption(cache: Cache) -> None:
    async with Watches(cache).watching(ADA) as watch:
        cache.apply(11, ("project:other",))
        watch.check()

    cache.apply(12, ("session:p/s",))
    later = msgspec.structs.replace(ADA, position=12)
    with pytest.raises(CallerEnded):
        await _check_after_the_end(cache, later)


async def _check_after_the_end(cache: Cache, principal: Principal) -> None:
    async with Watches(cache).watching(principal) as watch:
        cache.apply(13, ("session:p/s",))
        watch.check()
        pytest.fail("the caller has ended")


async def test_forgotten_marks_end_no_watch() -> None:
    cache = Cache(marks=2, clock=Clock())
    cache.position = 10
    cache.extend_lease(Clock.now + HOUR)

    async with Watches(cache).watching(ADA) as watch:
        for number in range(11, 31):
            cache.apply(number, (f"session:p/{number}",))
        assert cache.floor > ADA.position
        watch.check()


@pytest.mark.parametrize("change", ["mark", "era", "lease"])
async def test_a_caller_that_does_not_stand_is_not_watched(cache: Cache, change: str) -> None:
    principal = msgspec.structs.replace(ADA, era=9) if change == "era" else ADA
    if change == "mark":
        cache.apply(11, ("session:p/s",))
    if change == "lease":
        cache.end_lease()

    with pytest.raises(CallerEnded):
        async with Watches(cache).watching(principal):
            pytest.fail("nobody stands here")
