"""What a replica knows: principals under a lease, and what the feed has said against them.

Everything here is in memory, immediate and without I/O; docs/revocation.md explains the protocol. An answer is
kept with the feed position at which it was read and the subjects that could make it stale. Each feed entry marks its
subjects with its number. An answer read before the mark of any of its subjects is stale; so is one read before the
floor, which stands for all marks that were forgotten.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from shared.contracts.principal import Principal
from shared.kernel.clock import boot_clock

V = TypeVar("V")

ENTRIES = 200_000
MARKS = 200_000


class Answer(msgspec.Struct, gc=False):
    """A look-up's answer: its value, the subjects it rests on, and the position at which it was read.

    `checked` is the position up to which no mark stands against it. `not_after` ends it early, in Unix seconds.
    """

    value: object
    subjects: tuple[str, ...]
    position: int
    checked: int
    not_after: float = 0.0

    @property
    def rests_on(self) -> tuple[int, tuple[str, ...]]:
        """The position at which the answer was read, and its subjects."""
        return self.position, self.subjects


class _Row(Principal, array_like=True, frozen=True, kw_only=True, gc=False):
    """A principal that is packed without the names of its fields."""


class PrincipalAnswer(msgspec.Struct, gc=False):
    """An answer that is a principal, packed: a third of what its texts take as objects, for 0.5 µs at each use.

    The principal has its position and subjects in itself; the rest is as in `Answer`.
    """

    packed: bytes
    checked: int
    not_after: float = 0.0

    @classmethod
    def of(cls, principal: Principal, *, not_after: float = 0.0) -> "PrincipalAnswer":
        """Pack a principal."""
        packed = msgspec.msgpack.encode(msgspec.structs.astuple(principal))
        return cls(bytes(memoryview(packed)), principal.position, not_after)  # a copy, without the encoder's spare room

    @property
    def value(self) -> Principal:
        """The principal, unpacked anew each time."""
        return _UNPACK(self.packed)

    @property
    def rests_on(self) -> tuple[int, tuple[str, ...]]:
        """The position at which the principal was read, and its subjects."""
        principal = self.value
        return principal.position, principal.subjects


_UNPACK = msgspec.msgpack.Decoder(_Row).decode

Kept = Answer | PrincipalAnswer


class Generations(Generic[V]):
    """A dictionary of at most `most` items that forgets the older half at once, and keeps what is read.

    `forgotten` is called with the values of each half that is dropped.
    """

    def __init__(self, most: int, forgotten: Callable[[Iterable[V]], None] | None = None) -> None:
        self._half = max(1, most // 2)
        self._young: dict[Hashable, V] = {}
        self._old: dict[Hashable, V] = {}
        self._forgotten = forgotten

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def get(self, key: Hashable) -> V | None:
        """Return the value, or None."""
        value = self._young.get(key)
        if value is None and (value := self._old.pop(key, None)) is not None:
            self.put(key, value)
        return value

    def put(self, key: Hashable, value: V) -> None:
        """Keep a value; where the younger half is full, the older one goes."""
        if len(self._young) >= self._half:
            if self._forgotten is not None and self._old:
                self._forgotten(self._old.values())
            self._young, self._old = {}, self._young
        self._young[key] = value

    def drop(self, key: Hashable) -> None:
        """Forget one item, if it is there."""
        self._young.pop(key, None)
        self._old.pop(key, None)

    def clear(self) -> None:
        """Forget all, without calling `forgotten`."""
        self._young, self._old = {}, {}


class Listener(Protocol):
    """A listener that is called as feed entries are applied."""

    def applied(self, number: int, names: Iterable[str]) -> None:
        """Take in the feed entry `number`, which names these subjects."""

    def fenced(self) -> None:
        """Take in that this replica has no lease, or may have missed entries."""


class Cache:
    """The answers, marks, position and lease of one replica; `generations` makes what holds answers and marks."""

    def __init__(
        self,
        *,
        entries: int = ENTRIES,
        marks: int = MARKS,
        clock: Callable[[], float] = boot_clock,
        generations: Callable[..., Generations[Any]] = Generations,  # Any: of answers, and of numbers
    ) -> None:
        self.position = 0
        self.floor = 0
        self.era = 0
        self.hits = 0
        self.misses = 0
        self.stale = 0
        self.listener: Listener | None = None
        self._clock = clock
        self._lease_until = clock()
        self._fenced_s = 0.0
        self._answers: Generations[Kept] = generations(entries)
        self._marks: Generations[int] = generations(marks, self._raise_floor)

    @property
    def lease_left_s(self) -> float:
        """Seconds for which answers may still be used without word from the feed; 0 or less: fenced."""
        return self._lease_until - self._clock()

    @property
    def fenced_s(self) -> float:
        """Seconds that this replica has been without a lease, in all."""
        return self._fenced_s + max(0.0, -self.lease_left_s)

    @property
    def entries(self) -> int:
        """How many answers are kept."""
        return len(self._answers)

    @property
    def marks(self) -> int:
        """Of how many subjects it is known what the feed has said."""
        return len(self._marks)

    def is_leased(self) -> bool:
        """Say whether answers may be used."""
        return self._clock() < self._lease_until

    def get(self, key: Hashable) -> Kept | None:
        """Return an answer that may be used at this moment, or None."""
        answer = self._answers.get(key)
        if answer is None or self._clock() >= self._lease_until:
            return None
        if answer.checked != self.position:
            if self.is_stale(*answer.rests_on):
                self.stale += 1
                self._answers.drop(key)
                return None
            answer.checked = self.position
        self.hits += 1
        return answer

    def put(self, key: Hashable, answer: Kept, *, era: int) -> bool:
        """Keep the answer of a look-up that began in `era`; False, and nothing is kept, where it is stale."""
        if era != self.era or self.is_stale(*answer.rests_on):
            self.stale += 1
            return False
        answer.checked = self.position
        self._answers.put(key, answer)
        return True

    def is_stale(self, position: int, subjects: Iterable[str]) -> bool:
        """Say whether something was read before what the feed has since said about it."""
        marks = self._marks
        is_marked = any((marks.get(hash(subject)) or 0) > position for subject in subjects)
        return is_marked or position < self.floor  # the floor last: reading a mark may forget others, and raise it

    def drop(self, key: Hashable) -> None:
        """Forget one answer, so that the next request asks again."""
        self._answers.drop(key)

    def apply(self, number: int, subjects: Sequence[str]) -> None:
        """Take in the feed entry `number`, which names `subjects`."""
        # A mark stands under its subject's hash: 64 bits of a function that each process seeds anew, which take less
        # than the text. Where two subjects share one, the later number stands for both: an answer of the other may be
        # stale too early, and none is used too late.
        for subject in subjects:
            self._marks.put(hash(subject), number)
        self.position = number
        if self.listener is not None:
            self.listener.applied(number, subjects)

    def reset(self, position: int) -> None:
        """Forget all answers and give up all look-ups under way: entries up to `position` may have been missed."""
        self._answers.clear()
        self._marks.clear()
        self.position = position
        self.floor = position
        self.era += 1
        self.end_lease()

    def extend_lease(self, until: float) -> None:
        """Allow answers to be used until `until` on the clock of this cache."""
        if until > self._clock():
            self._fenced_s = self.fenced_s
            self._lease_until = until

    def end_lease(self) -> None:
        """Fence this replica at once."""
        self._lease_until = min(self._lease_until, self._clock())
        if self.listener is not None:
            self.listener.fenced()

    def _raise_floor(self, numbers: Iterable[int]) -> None:
        self.floor = max(self.floor, *numbers)
