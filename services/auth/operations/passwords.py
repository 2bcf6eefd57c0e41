"""Password hashes: slow by intent, so in threads, as many at once as there are cores, and with a queue that ends."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from services.auth.domain.hashes import foreign_hash
from shared.contracts.passwords import new_hasher
from shared.kernel.errors import ErrorType, Unavailable

T = TypeVar("T")

QUEUE_PER_CORE = 32
"""Beyond this many waiting hashes per core, a sign-in is refused by 503: it would wait for seconds anyhow."""


class Passwords:
    """Hashes with argon2id, at the cost of `hasher`; verifies other kinds, too."""

    def __init__(self, hasher: PasswordHasher | None = None, *, cores: int | None = None) -> None:
        self._hasher = hasher or new_hasher()
        self._cores = cores or os.cpu_count() or 1
        self._threads = ThreadPoolExecutor(self._cores, thread_name_prefix="argon2")
        self._waiting = 0
        self._nobody = self._hasher.hash("the password of nobody")

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """Return the hash of a password; raises `Unavailable(GENERAL_BUSY)` where the queue is full."""
        return await self._in_thread(self._hasher.hash, password)

    async def verify(self, password: str, known: str | None) -> bool:
        """Say whether a password is the one of a hash; without a hash, take as long and say no."""
        matches = await self._in_thread(self._matches, password, known or self._nobody)
        return matches and known is not None

    def is_outdated(self, known: str) -> bool:
        """Say whether a hash was made in another way, or at another cost, than today's."""
        return foreign_hash(known) is not None or self._hasher.check_needs_rehash(known)

    def _matches(self, password: str, known: str) -> bool:
        foreign = foreign_hash(known)
        if foreign is None:
            return self._is_argon2_of(password, known)
        if foreign.matches(password):
            return True
        self._is_argon2_of(password, self._nobody)  # no faster than for nobody: that would tell who was imported
        return False

    def _is_argon2_of(self, password: str, known: str) -> bool:
        try:
            return self._hasher.verify(known, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _in_thread(self, function: Callable[..., T], *arguments: str) -> T:
        if self._waiting >= self._cores * (1 + QUEUE_PER_CORE):
            raise Unavailable("Too many sign-ins at this moment. Try again.", type=ErrorType.GENERAL_BUSY)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)
        finally:
            self._waiting -= 1
