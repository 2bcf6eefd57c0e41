"""The cache: an answer is used only under a lease, and only while the feed has said nothing against it."""

import sys
import tracemalloc

import msgspec
import pytest

from shared.contracts.principal import Kind, Principal
from shared.guard.cache import Answer, Cache, Generations, PrincipalAnswer

SESSION, USER = "session:p/s", "user:p/u"
ADA = Principal(
    project_id="p",
    kind=Kind.JWT,
    roles=("any", "user:u"),
    user_id="u",
    session_id="s",
    key_id="k",
    blocked=True,
    scopes=frozenset({"users.read", "users.write"}),
    expires_at=1.5,
    generation=3,
    position=10,
    subjects=(SESSION, USER),
    era=7,
    incarnation=8,
    project_incarnation=9,
)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cache(clock: Clock) -> Cache:
    cache = Cache(clock=clock)
    cache.reset(10)
    cache.extend_lease(clock.now + 3)
    return cache


def answer(position: int, *subjects: str) -> Answer:
    return Answer("principal", subjects or (SESSION, USER), position, position)


def test_an_answer_is_used_until_an_entry_names_one_of_its_subjects(cache: Cache) -> None:
    cache.put("k", answer(10), era=cache.era)

    assert cache.get("k") is not None
    cache.apply(11, ["session:p/another"])
    assert cache.get("k") is not None
    cache.apply(12, [USER])
    assert cache.get("k") is None


def test_no_answer_is_used_without_a_lease(cache: Cache, clock: Clock) -> None:
    cache.put("k", answer(10), era=cache.era)
    clock.now += 3

    assert cache.get("k") is None
    cache.extend_lease(clock.now + 3)
    assert cache.get("k") is not None


def test_an_answer_read_before_a_mark_of_its_subject_is_not_kept(cache: Cache) -> None:
    cache.apply(11, [SESSION])

    assert not cache.put("k", answer(10), era=cache.era)
    assert cache.put("k", answer(11), era=cache.era)


def test_an_answer_of_a_look_up_that_began_before_a_reset_is_not_kept(cache: Cache) -> None:
    era = cache.era
    cache.reset(20)
    cache.extend_lease(1e9)

    assert not cache.put("k", answer(30), era=era)


def test_a_reset_forgets_everything_ends_the_lease_and_raises_the_floor(cache: Cache) -> None:
    cache.put("k", answer(10), era=cache.era)
    cache.reset(20)

    assert not cache.is_leased()
    cache.extend_lease(1e9)
    assert cache.get("k") is None
    assert cache.is_stale(19, [])
    assert not cache.is_stale(20, [])


def test_marks_that_are_forgotten_raise_the_floor_above_themselves(clock: Clock) -> None:
    cache = Cache(marks=4, clock=clock)
    cache.extend_lease(1e9)
    for number in range(1, 7):
        cache.apply(number, [f"session:p/{number}"])

    assert cache.floor >= 1
    for number in range(1, 7):
        assert cache.is_stale(number - 1, [f"session:p/{number}"])


def test_a_forgotten_mark_refuses_an_answer_that_is_kept_already(clock: Clock) -> None:
    cache = Cache(marks=2, clock=clock)
    cache.extend_lease(1e9)
    cache.put("k", answer(0), era=cache.era)
    cache.apply(1, [SESSION])
    for number in range(2, 8):
        cache.apply(number, [f"session:p/{number}"])

    assert cache.get("k") is None


def test_generations_keep_no_more_than_their_limit_and_keep_what_is_read() -> None:
    kept: Generations[int] = Generations(10)
    kept.put("read", 0)
    for number in range(1000):
        kept.put(number, number)
        assert kept.get("read") == 0
        assert len(kept) <= 10
    assert kept.get(1) is None


def test_a_mark_that_is_forgotten_while_another_is_read_still_counts(clock: Clock) -> None:
    cache = Cache(marks=4, clock=clock)
    for number, subject in enumerate((USER, SESSION, "session:p/x", "session:p/y"), 1):
        cache.apply(number, [subject])

    # Reading the mark of the user, an old one, makes it a young one, and so forgets that of the session.
    assert cache.is_stale(1, (USER, SESSION))


class Colliding(str):
    """A subject whose hash is that of all others of its kind."""

    __slots__ = ()

    def __hash__(self) -> int:
        return 1


def test_subjects_that_share_a_hash_make_an_answer_stale_too_early_and_none_too_late(cache: Cache) -> None:
    mine, another = Colliding(SESSION), Colliding("session:p/another")
    cache.put("k", answer(10, mine), era=cache.era)
    cache.apply(11, [mine])
    cache.apply(12, [another])

    assert cache.get("k") is None
    assert cache.is_stale(11, [mine])
    assert not cache.is_stale(12, [mine])


def test_a_packed_principal_comes_back_whole() -> None:
    found = PrincipalAnswer.of(ADA, not_after=2.5)

    assert isinstance(found.value, Principal)
    assert msgspec.structs.asdict(found.value) == msgspec.structs.asdict(ADA)
    assert not [name for name in ADA.__struct_fields__ if not getattr(ADA, name)], "each field has a value of its own"
    assert (found.rests_on, found.not_after) == ((10, (SESSION, USER)), 2.5)


def test_a_packed_principal_is_used_until_an_entry_names_one_of_its_subjects(cache: Cache) -> None:
    assert cache.put("k", PrincipalAnswer.of(ADA), era=cache.era)
    cache.apply(11, ["session:p/another"])
    assert cache.get("k") is not None
    cache.apply(12, [USER])

    assert cache.get("k") is None
    assert not cache.put("k", PrincipalAnswer.of(ADA), era=cache.era)


def test_a_packed_principal_takes_no_more_than_its_bytes() -> None:
    principal = msgspec.structs.replace(ADA, roles=tuple(f"label:{number}" for number in range(20)))
    one = PrincipalAnswer.of(principal)
    tracemalloc.start()
    try:
        kept = [PrincipalAnswer.of(principal) for _ in range(1000)]
        allocated = tracemalloc.get_traced_memory()[0] / len(kept)
    finally:
        tracemalloc.stop()

    assert allocated < sys.getsizeof(one) + sys.getsizeof(one.packed) + 16  # a place in the list, and what surrounds it
