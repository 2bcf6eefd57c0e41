import asyncio

import pytest

from shared.kernel.loops import running


class Broken(Exception):
    pass


async def for_ever() -> None:
    await asyncio.Event().wait()


async def failing() -> None:
    raise Broken


async def test_loops_end_with_the_block() -> None:
    ended = asyncio.Event()

    async def loop() -> None:
        try:
            await for_ever()
        finally:
            ended.set()

    async with running([loop()]):
        await asyncio.sleep(0)
        assert not ended.is_set()
    assert ended.is_set()


async def test_an_error_raised_inside_comes_out_as_it_is() -> None:
    with pytest.raises(Broken):
        async with running([for_ever()]), running([for_ever()]):
            raise Broken


async def test_a_loop_that_fails_ends_the_block_and_tells_why() -> None:
    with pytest.raises(Broken):
        async with running([failing(), for_ever()]):
            await for_ever()


async def test_failures_of_more_than_one_come_out_as_a_group() -> None:
    with pytest.raises(ExceptionGroup) as raised:
        async with running([failing(), failing()]):
            await for_ever()
    assert [type(error) for error in raised.value.exceptions] == [Broken, Broken]
