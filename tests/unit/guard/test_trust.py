"""An absence is believed only in a Redis that has been the same for longer than any lease."""

import asyncio

from shared.guard.feed_reader import REGISTRATION_S
from shared.guard.trust import Trust

ONE, OTHER = (b"run-1", b"repl-1", b"token-1"), (b"run-1", b"repl-1", b"token-2")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_an_identity_is_believed_once_it_has_been_seen_for_the_life_of_a_registration() -> None:
    clock = Clock()
    trust = Trust(clock=clock)

    assert not await trust.see(ONE)
    clock.now = REGISTRATION_S - 0.1
    assert not await trust.see(ONE)
    clock.now = REGISTRATION_S
    assert await trust.see(ONE)


async def test_another_identity_starts_the_wait_again_and_so_does_the_way_back() -> None:
    clock = Clock()
    trust = Trust(trusted=b" ".join(ONE).decode(), clock=clock)

    assert await trust.see(ONE)
    clock.now = 1.0
    assert not await trust.see(OTHER)
    clock.now = REGISTRATION_S
    assert not await trust.see(OTHER)
    clock.now = 1.0 + REGISTRATION_S
    assert await trust.see(OTHER)
    assert not await trust.see(ONE)


async def test_the_first_identity_ever_is_believed_and_written_down() -> None:
    kept: list[str] = []

    async def keep(identity: str) -> str:
        kept.append(identity)
        return identity

    trust = Trust(trusted=None, keep_first=keep, clock=Clock())

    assert await trust.see(ONE)
    assert await trust.see(ONE)
    assert kept == ["run-1 repl-1 token-1"]


async def test_an_identity_is_not_the_first_where_somebody_has_trusted_another_meanwhile() -> None:
    async def keep_first(_: str) -> str:
        return b" ".join(OTHER).decode()

    trust = Trust(trusted=None, keep_first=keep_first, clock=Clock())

    assert not await trust.see(ONE)
    assert await trust.see(OTHER)


async def test_no_principal_is_given_out_before_any_redis_was_trusted() -> None:
    trust = Trust(trusted=None, clock=Clock())
    waiting = asyncio.create_task(trust.until_known())
    await asyncio.wait({waiting}, timeout=0)

    assert not waiting.done()
    await trust.see(ONE)
    await waiting


async def test_a_redis_that_the_relay_has_not_named_yet_is_not_the_first_to_be_believed() -> None:
    trust = Trust(trusted=None, clock=Clock())

    assert not await trust.see((b"run-1", b"repl-1", b""))

    assert await trust.see(ONE)
