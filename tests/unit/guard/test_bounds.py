"""What a guard remembers is bounded: at each bound it is slower, and still right."""

import asyncio
from collections.abc import Callable, Hashable, Iterable
from functools import partial
from typing import TypeVar

import pytest

from shared.contracts import subjects
from shared.contracts.credentials import SessionSecret
from shared.guard.cache import Answer, Cache, Generations
from shared.guard.guard import Guard
from shared.kernel.clock import boot_clock
from shared.kernel.errors import ErrorType, Refusal, Unavailable
from tests.unit.guard.authority import PROJECT, Authority, secret_of, token_of


@pytest.fixture
def authority() -> Authority:
    return Authority()


V = TypeVar("V")

Open = Callable[..., Guard]


class Noting(Generations[V]):
    """Notes the keys of all that is read or kept."""

    def __init__(
        self, touched: list[Hashable], most: int, forgotten: Callable[[Iterable[V]], None] | None = None
    ) -> None:
        super().__init__(most, forgotten)
        self.touched = touched

    def get(self, key: Hashable) -> V | None:
        self.touched.append(key)
        return super().get(key)

    def put(self, key: Hashable, value: V) -> None:
        self.touched.append(key)
        super().put(key, value)


@pytest.fixture
def touched() -> list[Hashable]:
    """The keys of all that is read or kept, of answers and of marks."""
    return []


@pytest.fixture
def open_guard(authority: Authority, touched: list[Hashable]) -> Open:
    """A guard with a lease and bounds as given."""

    def opened(*, entries: int = 200_000, marks: int = 200_000, most_lookups: int = 10_000) -> Guard:
        cache = Cache(entries=entries, marks=marks, generations=partial(Noting, touched))
        guard = Guard(
            service="test", redis_url="unix:///nowhere", resolver=authority, cache=cache, most_lookups=most_lookups
        )
        authority.guard = guard
        cache.reset(1)
        cache.extend_lease(boot_clock() + 600)
        return guard

    return opened


async def test_beyond_its_entries_a_guard_asks_again_and_is_right(open_guard: Open, authority: Authority) -> None:
    guard = open_guard(entries=100)
    for turn in range(2):
        for number in range(500):
            found = await guard.session(PROJECT, secret_of(f"u{number}"))
            assert found is not None
            assert found.user_id == f"u{number}"
            assert guard.cache.entries <= 100
        assert authority.asked == 500 * (turn + 1)


async def test_beyond_its_marks_a_guard_lets_nobody_in_who_was_revoked(open_guard: Open, authority: Authority) -> None:
    guard = open_guard(marks=100)
    users = [f"u{number}" for number in range(500)]
    for user in users:
        assert await guard.session(PROJECT, secret_of(user)) is not None
    for number, user in enumerate(users, 2):
        authority.gone.add(user)
        guard.cache.apply(number, [subjects.user(PROJECT, user)])
        assert guard.cache.marks <= 100
    for user in users:
        assert await guard.session(PROJECT, secret_of(user)) is None


@pytest.mark.parametrize("is_leased", [True, False])
async def test_beyond_its_look_ups_a_guard_is_busy(open_guard: Open, authority: Authority, is_leased: bool) -> None:
    guard = open_guard(most_lookups=100)
    if not is_leased:
        guard.cache.end_lease()
    authority.goes_on.clear()
    asking = [asyncio.create_task(guard.session(PROJECT, secret_of(f"u{number}"))) for number in range(150)]
    done, waiting = await asyncio.wait(asking, timeout=0.1)

    assert (len(done), len(waiting), guard.lookups, authority.asked) == (50, 100, 100, 100)
    for task in done:
        error = task.exception()
        assert isinstance(error, Unavailable)
        assert (error.type, error.retry_after_s) == (ErrorType.GENERAL_BUSY, 1)
    authority.goes_on.set()
    found = await asyncio.gather(*waiting)
    assert None not in found
    assert guard.lookups == 0
    assert await guard.session(PROJECT, secret_of("u149")) is not None


@pytest.mark.parametrize("is_leased", [True, False])
async def test_look_ups_of_jwts_leave_room_for_that_of_the_keys(open_guard: Open, is_leased: bool) -> None:
    guard = open_guard(most_lookups=100)
    if not is_leased:
        guard.cache.end_lease()
    found = await asyncio.gather(*(guard.jwt(PROJECT, token_of("ada", number)) for number in range(100)))

    assert None not in found


async def test_an_answer_for_one_credential_is_of_no_other_project_or_kind(
    open_guard: Open, authority: Authority
) -> None:
    guard = open_guard()
    for _ in range(2):
        assert await guard.session("p", SessionSecret("a", "b c")) is not None
    assert authority.asked == 1

    assert await guard.session("p a", SessionSecret("b", "c")) is not None
    assert await guard.session("q", SessionSecret("a", "b c")) is not None
    assert authority.asked == 3
    with pytest.raises(Refusal):
        await guard.key("p", "standard_a b c")
    assert authority.asked == 4
    with pytest.raises(Refusal):
        await guard.jwt("p", "a b c")


async def test_one_entry_ends_all_jwts_of_a_user_at_the_cost_of_one_mark(
    open_guard: Open, authority: Authority, touched: list[Hashable]
) -> None:
    guard = open_guard()
    tokens = [token_of("ada", number) for number in range(10_000)]
    grace = token_of("grace")
    for token in (*tokens, grace):
        assert await guard.jwt(PROJECT, token) is not None
    authority.gone.add("ada")
    asked, stale = authority.asked, guard.cache.stale
    touched.clear()
    guard.cache.apply(2, [subjects.user(PROJECT, "ada")])

    assert touched == [hash(subjects.user(PROJECT, "ada"))]
    for token in tokens:
        assert await guard.jwt(PROJECT, token) is None
    assert (authority.asked - asked, guard.cache.stale - stale) == (10_000, 10_000)
    assert await guard.jwt(PROJECT, grace) is not None
    assert authority.asked - asked == 10_000


async def test_a_hundred_thousand_revocations_touch_each_its_own_mark(
    open_guard: Open, authority: Authority, touched: list[Hashable]
) -> None:
    guard = open_guard()
    for number in range(1_000):
        await guard.session(PROJECT, secret_of(f"u{number}"))
    asked = authority.asked
    touched.clear()
    revoked = [f"session:{PROJECT}/s{number}" for number in range(100_000)]
    for number, subject in enumerate(revoked, 2):
        guard.cache.apply(number, [subject])

    assert touched == [hash(subject) for subject in revoked]
    for number in range(1_000):
        assert await guard.session(PROJECT, secret_of(f"u{number}")) is not None
    assert authority.asked == asked


async def test_the_cache_counts_what_it_did() -> None:
    now = 100.0
    cache = Cache(clock=lambda: now)
    cache.extend_lease(103.0)
    cache.put("k", Answer("principal", ("user:p/u",), 0, 0), era=cache.era)
    assert cache.get("k") is not None
    cache.apply(1, ["user:p/u"])
    assert cache.get("k") is None
    assert (cache.hits, cache.stale, cache.entries, cache.marks, cache.fenced_s) == (1, 1, 0, 1, 0.0)

    now = 105.0
    assert cache.fenced_s == 2.0
    cache.extend_lease(108.0)
    now = 106.0
    assert cache.fenced_s == 2.0
    cache.end_lease()
    now = 107.5
    assert cache.fenced_s == 3.5
    cache.extend_lease(107.0)  # of a round that took longer than a lease
    assert cache.fenced_s == 3.5
    assert not cache.is_leased()
