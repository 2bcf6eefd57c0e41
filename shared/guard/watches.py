"""Watches: they interrupt a stream or a WebSocket when its caller's credential ends.

A watch hears each feed entry from its beginning on, so it needs neither a look-up nor the marks of the past. It is over
as soon as the caller's rights may have changed: also where this replica has no lease, or may have missed an entry.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable
from enum import Enum

from shared.contracts import subjects
from shared.contracts.principal import Kind, Principal
from shared.guard.cache import Cache
from shared.kernel.errors import Unavailable

LEAST_PAUSE_S = 0.05
"""Between two looks at the lease."""


class Ending(Enum):
    """Why a watch is over."""

    REVOKED = "The caller's rights have changed."
    EXPIRED = "The caller's credential has expired."
    UNCHECKED = "The caller's rights cannot be checked at the moment."
    GONE = "The caller has closed the connection."
    STOPPING = "This process is about to stop."


class CallerEnded(Unavailable):
    """Raised inside a watch that is over."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(f"{ending.value} Try again.")
        self.ending = ending


class Watch:
    """Whether one caller still stands. A guest holds nothing that could be revoked, and ends with the project alone."""

    __slots__ = ("_cache", "_ending", "_expires_at", "_position", "_scope", "is_guest", "subjects")

    def __init__(self, cache: Cache, principal: Principal, scope: asyncio.Timeout) -> None:
        self._cache = cache
        self._scope = scope
        self._position = principal.position
        self._expires_at = principal.expires_at
        self._ending: Ending | None = None
        self.is_guest = principal.kind is Kind.GUEST
        self.subjects = frozenset((*principal.subjects, subjects.project(principal.project_id)))

    def check(self) -> None:
        """Raise `CallerEnded` unless the caller stands at this moment: before each thing that is sent or taken."""
        if self._ending is None and not self.is_guest and not self._cache.is_leased():
            self._ending = Ending.UNCHECKED
        if self._ending is None and self._expires_at and time.time() >= self._expires_at:
            self._ending = Ending.EXPIRED
        if self._ending is not None:
            raise CallerEnded(self._ending)

    def mark(self, number: int) -> None:
        """Take in that the feed entry `number` names a subject of the caller."""
        if number > self._position:
            self.end(Ending.REVOKED)

    def end(self, ending: Ending) -> None:
        """Interrupt what is watched, at whatever it waits for."""
        if self._ending is None:
            self._ending = ending
        if not self._scope.expired():
            self._scope.reschedule(asyncio.get_running_loop().time())

    def outcome(self) -> CallerEnded:
        """Return the error of a watch that was interrupted; without another reason, at the end of the credential."""
        return CallerEnded(self._ending or Ending.EXPIRED)


class Watches:
    """The watches of a process. It listens to the cache, and looks after the lease while there is anything to watch."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._by_subject: dict[str, set[Watch]] = {}
        self._watches: set[Watch] = set()
        self._timer: asyncio.TimerHandle | None = None
        cache.listener = self

    def __len__(self) -> int:
        return len(self._watches)

    @contextlib.asynccontextmanager
    async def watching(self, principal: Principal) -> AsyncIterator[Watch]:
        """Watch a principal of this guard; where it ends, the code inside is interrupted by `CallerEnded`.

        Raises `CallerEnded` at once where it does not stand now.
        """
        scope = asyncio.timeout_at(_end_of(principal))
        watch = Watch(self._cache, principal, scope)
        try:
            async with scope:
                self._add(watch)
                try:
                    self._check_beginning(principal)
                    yield watch
                finally:
                    self._remove(watch)
        except TimeoutError:
            if scope.expired():
                raise watch.outcome() from None
            raise

    def applied(self, number: int, names: Iterable[str]) -> None:
        """Take in the feed entry `number`, which names these subjects."""
        for name in names:
            for watch in tuple(self._by_subject.get(name, ())):
                watch.mark(number)

    def fenced(self) -> None:
        """Take in that this replica has no lease, or may have missed entries."""
        for watch in tuple(self._watches):
            if not watch.is_guest:
                watch.end(Ending.UNCHECKED)

    def _check_beginning(self, principal: Principal) -> None:
        cache = self._cache
        if principal.kind is Kind.GUEST:
            return
        if principal.era != cache.era or not cache.is_leased():
            raise CallerEnded(Ending.UNCHECKED)
        if cache.is_stale(principal.position, principal.subjects):
            raise CallerEnded(Ending.REVOKED)

    def _add(self, watch: Watch) -> None:
        self._watches.add(watch)
        for name in watch.subjects:
            self._by_subject.setdefault(name, set()).add(watch)
        self._look_later()

    def _remove(self, watch: Watch) -> None:
        self._watches.discard(watch)
        for name in watch.subjects:
            watches = self._by_subject[name]
            watches.discard(watch)
            if not watches:
                del self._by_subject[name]
        if not self._watches and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look_later(self) -> None:
        if self._timer is None:
            pause = max(self._cache.lease_left_s, LEAST_PAUSE_S)
            self._timer = asyncio.get_running_loop().call_later(pause, self._look)

    def _look(self) -> None:
        self._timer = None
        if not self._cache.is_leased():
            self.fenced()
        self._look_later()


def _end_of(principal: Principal) -> float | None:
    """Return the end of a credential, on the clock of the loop."""
    if not principal.expires_at:
        return None
    return asyncio.get_running_loop().time() + principal.expires_at - time.time()
