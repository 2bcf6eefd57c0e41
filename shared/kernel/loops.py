"""Loops that run beside everything else, owned by the code that opened them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine, Iterable


@contextlib.asynccontextmanager
async def running(loops: Iterable[Coroutine[None, None, None]]) -> AsyncIterator[None]:
    """Run loops that never end; where one fails, the code inside is cancelled.

    Raises what was raised, by a loop or inside, as it is; in a group only where there is more than one.
    """
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(loop) for loop in loops]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
    except BaseExceptionGroup as group_of_errors:
        if len(group_of_errors.exceptions) > 1:
            raise
        raise group_of_errors.exceptions[0] from group_of_errors.exceptions[0].__cause__
