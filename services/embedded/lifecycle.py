"""From the start to the signal that ends it, with nothing left running in any case."""

import asyncio
import signal
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from services.embedded.child import Child
from services.embedded.composition import Instance
from services.embedded.errors import PartFailed

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def run_until_ended(opening: AbstractAsyncContextManager[Instance], *, ready: Callable[[Instance], None]) -> None:
    """Open an instance, call `ready` with it, and close it at the first of the ENDING signals, even while it opens.

    Raises what opening raises, and `PartFailed` where one of its children ends by itself.
    """
    ended = False
    work = asyncio.create_task(_hold(opening, ready))

    def end() -> None:
        nonlocal ended
        if not ended:  # a second signal must not interrupt what the first one began
            ended = True
            work.cancel()

    loop = asyncio.get_running_loop()
    for number in ENDING:
        if signal.getsignal(number) != signal.SIG_IGN:  # as nohup leaves SIGHUP
            loop.add_signal_handler(number, end)
    try:
        await work
    except asyncio.CancelledError:
        if not ended:
            raise


async def _hold(opening: AbstractAsyncContextManager[Instance], ready: Callable[[Instance], None]) -> None:
    async with opening as instance:
        ready(instance)
        raise await _first_end(instance.children)


async def _first_end(children: tuple[Child, ...]) -> PartFailed:
    waits = {asyncio.create_task(child.wait()): child for child in children}
    try:
        done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        return waits[done.pop()].failure()
    finally:
        for task in waits:
            task.cancel()
