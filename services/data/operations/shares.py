"""Shares: how much of something one caller may use at once, while further uses wait their turn."""

import asyncio
from collections import deque
from collections.abc import Hashable


class Shares:
    """Counts uses by caller. `take` and `wait` begin a use, `give_back` ends it.

    The common case, a caller with a share left, costs a look into a dictionary, and no more than a third of
    `asyncio.Semaphore` for each caller: a read takes and gives back one share.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken: dict[Hashable, int] = {}
        self._waiting: dict[Hashable, deque[asyncio.Future[None]]] = {}

    def take(self, caller: Hashable) -> bool:
        """Take a share; return False, and take none, if the caller has none left."""
        taken = self._taken.get(caller, 0)
        if taken >= self._limit:
            return False
        self._taken[caller] = taken + 1
        return True

    async def wait(self, caller: Hashable) -> None:
        """Wait for a share of a caller who has none left, in the order of the calls."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(caller, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give_back(caller)  # the share came together with the cancellation
            raise

    def give_back(self, caller: Hashable) -> None:
        """Pass a share on to the next use that waits, or let it go."""
        waiting = self._waiting.get(caller)
        while waiting:
            turn = waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        if waiting is not None:
            del self._waiting[caller]
        if self._taken[caller] == 1:
            del self._taken[caller]
        else:
            self._taken[caller] -= 1
