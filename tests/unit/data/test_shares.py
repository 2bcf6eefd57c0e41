"""Shares: no caller has more than its limit, nobody waits for another caller, and no share is lost."""

import asyncio

import pytest

from services.data.operations.shares import Shares


async def begin(shares: Shares, caller: str) -> None:
    if not shares.take(caller):
        await shares.wait(caller)


async def test_a_caller_beyond_the_limit_waits_for_a_share_of_its_own() -> None:
    shares = Shares(2)
    await begin(shares, "ada")
    await begin(shares, "ada")
    third = asyncio.create_task(begin(shares, "ada"))
    await asyncio.sleep(0)

    assert not third.done()
    await begin(shares, "grace")
    shares.give_back("grace")
    await asyncio.sleep(0)
    assert not third.done()
    shares.give_back("ada")
    await third


async def test_shares_come_in_the_order_of_the_calls() -> None:
    shares, order = Shares(1), []

    async def use(name: int) -> None:
        await begin(shares, "ada")
        order.append(name)
        shares.give_back("ada")

    await begin(shares, "ada")
    uses = [asyncio.create_task(use(name)) for name in range(5)]
    await asyncio.sleep(0)
    shares.give_back("ada")
    await asyncio.gather(*uses)

    assert order == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("is_given", [False, True])
async def test_a_use_that_is_cancelled_loses_no_share(is_given: bool) -> None:
    shares = Shares(1)
    await begin(shares, "ada")
    cancelled = asyncio.create_task(begin(shares, "ada"))
    await asyncio.sleep(0)
    if is_given:
        shares.give_back("ada")
    cancelled.cancel()
    await asyncio.gather(cancelled, return_exceptions=True)
    if not is_given:
        shares.give_back("ada")

    assert shares.take("ada")
    assert not shares.take("ada")


async def test_a_caller_without_uses_is_forgotten() -> None:
    shares = Shares(1)
    await begin(shares, "ada")
    waiting = asyncio.create_task(begin(shares, "ada"))
    await asyncio.sleep(0)
    shares.give_back("ada")
    await waiting
    shares.give_back("ada")

    assert vars(shares) == vars(Shares(1))
