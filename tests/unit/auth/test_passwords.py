"""Password hashes: bounded, the same for nobody, and renewed when they become too cheap."""

import asyncio
import threading

import pytest
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST

from services.auth.passwords.operations.passwords import QUEUE_PER_CORE, Passwords
from shared.kernel.errors import ErrorType, Unavailable

CHEAP = PasswordHasher.from_parameters(CHEAPEST)


class Held(PasswordHasher):
    """Hashes once it may, and notes what it was asked to verify."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.verified: list[str | bytes] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # noqa: A002 the library's own name
        self.may_go_on.wait()
        self.verified.append(hash)
        return super().verify(hash, password)


async def test_the_password_of_a_hash_is_told_from_others() -> None:
    passwords = Passwords(CHEAP)
    known = await passwords.hash("correct horse")

    assert await passwords.verify("correct horse", known)
    assert not await passwords.verify("wrong horse", known)
    assert not await passwords.verify("correct horse", "$argon2id$garbage")
    passwords.close()


async def test_a_hash_is_verified_even_for_a_user_without_one() -> None:
    hasher = Held()
    passwords = Passwords(hasher)

    assert not await passwords.verify("the password of nobody", None)
    assert len(hasher.verified) == 1
    passwords.close()


async def test_beyond_its_queue_it_is_busy() -> None:
    hasher = Held()
    passwords = Passwords(hasher, cores=1)
    known = await passwords.hash("correct horse")
    hasher.may_go_on.clear()
    waiting = [asyncio.create_task(passwords.verify("correct horse", known)) for _ in range(1 + QUEUE_PER_CORE)]
    await asyncio.sleep(0)

    with pytest.raises(Unavailable) as refusal:
        await passwords.verify("correct horse", known)
    assert refusal.value.type is ErrorType.GENERAL_BUSY
    hasher.may_go_on.set()
    assert all(await asyncio.gather(*waiting))
    passwords.close()


def test_a_hash_that_was_cheaper_is_outdated() -> None:
    cheap = CHEAP.hash("correct horse")

    assert Passwords().is_outdated(cheap)
    assert not Passwords(CHEAP).is_outdated(cheap)
