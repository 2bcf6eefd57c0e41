"""Loops that run beside everything else, owned by whoever opened them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine, Iterable


@contextlib.asynccontextmanager
async def running(loops: Iterable[Coroutine[None, None, None]]) -> AsyncIterator[None]:
    """Run loops that never end; where one fails, whoever is inside is cancelled."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(loop) for loop in loops]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
