"""Password hashes: slow by intent, so in threads, as many at once as there are cores, and with a queue that ends."""

import asyncio
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError

from services.auth.passwords.domain.hashes import ForeignHash, read_wrapped, work_of, write_wrapped
from shared.contracts.passwords import new_hasher
from shared.kernel.errors import ErrorType, Unavailable

T = TypeVar("T")

QUEUE_PER_CORE = 32
"""Beyond this many waiting hashes per core, a sign-in is refused by 503: it would wait for seconds anyhow."""


class Decoy(NamedTuple):
    """A hash of no one's password that takes as long to check as a user's, and how much longer than one of ours."""

    hash: str
    seconds: float


class Passwords:
    """Hashes with argon2id, at the cost of `hasher`; verifies other kinds, too."""

    def __init__(self, hasher: PasswordHasher | None = None, *, cores: int | None = None) -> None:
        self._hasher = hasher or new_hasher()
        self._cores = cores or os.cpu_count() or 1
        self._threads = ThreadPoolExecutor(self._cores, thread_name_prefix="argon2")
        self._waiting = 0
        self._decoy = self._hasher.hash("the password of nobody")

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """Return the hash of a password; raises `Unavailable(GENERAL_BUSY)` where the queue is full."""
        return await self._in_thread(self._hasher.hash, password)

    async def wrap(self, foreign: ForeignHash, hash_: str) -> str:
        """Return a hash of another kind as it is kept, inside one of ours.

        Raises `ArgumentInvalid` where it is none of that kind, `Unavailable(GENERAL_BUSY)`.
        """
        return write_wrapped(foreign, await self.hash(foreign.encode_prefs(hash_)))

    async def measure(self, kept: str) -> Decoy:
        """Return a decoy of a hash, and what checking it takes."""

        def check(password: str) -> Decoy:
            decoy = _decoy(kept, password)
            began_s = time.perf_counter()
            self._do_foreign_part(password, decoy)
            return Decoy(decoy, time.perf_counter() - began_s)

        return await self._in_thread(check, "the password of nobody")

    async def verify(self, password: str, known: str | None, *, slowest: str | None = None) -> bool:
        """Say whether a password is the one of a hash; without a hash, take as long and say no.

        What the `slowest` hash of a project takes beyond ours is added for every user, so that time does not reveal
        the kind of a user's hash.
        """
        matches = await self._in_thread(lambda text: self._matches(text, known or self._decoy), password)
        if slowest is not None and (known is None or work_of(known) != work_of(slowest)):
            await self._in_thread(lambda text: self._do_foreign_part(text, slowest), password)
        return matches and known is not None

    def is_outdated(self, known: str) -> bool:
        """Say whether a hash was made in another way, or at another cost, than today's."""
        return read_wrapped(known) is not None or self._hasher.check_needs_rehash(known)

    def _matches(self, password: str, known: str) -> bool:
        """Check a hash: one of ours always, and what is inside or before it."""
        outcome = self._do_foreign_part(password, known)
        if isinstance(outcome, bool):
            self._is_argon2_of(password, self._decoy)
            return outcome
        return self._is_argon2_of(outcome.password, outcome.hash)

    def _do_foreign_part(self, password: str, kept: str) -> "bool | _Remainder":
        """Do what a hash takes beyond one of ours: return whether it matches, or what of ours remains to be checked."""
        if (wrapped := read_wrapped(kept)) is not None:
            return _Remainder(wrapped.foreign.hashed(password), wrapped.hash)
        try:
            is_ours = not self._hasher.check_needs_rehash(kept)
        except InvalidHashError:
            return False
        return _Remainder(password, kept) if is_ours else self._is_argon2_of(password, kept)

    def _is_argon2_of(self, password: str, known: str) -> bool:
        try:
            return self._hasher.verify(known, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _in_thread(self, function: Callable[..., T], *arguments: str) -> T:
        if self._waiting >= self._cores * (1 + QUEUE_PER_CORE):
            raise Unavailable("Too many sign-ins at the moment. Try again.", type=ErrorType.GENERAL_BUSY)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)
        finally:
            self._waiting -= 1


@dataclass(frozen=True, slots=True)
class _Remainder:
    """The text that a hash of ours must match."""

    password: str = field(repr=False)
    hash: str = field(repr=False)


def _decoy(kept: str, password: str) -> str:
    if (wrapped := read_wrapped(kept)) is not None:
        return write_wrapped(wrapped.foreign, "")
    return PasswordHasher.from_parameters(extract_parameters(kept)).hash(password)
