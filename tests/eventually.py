"""Waiting for what will be so, without sleeping for a guess."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE_S = 60.0
"""How long a test waits for what must come; never part of what it asserts."""


async def eventually(look: Callable[[], T | Awaitable[T]], expected: T, *, patience_s: float = PATIENCE_S) -> None:
    """Look again and again until what is seen equals `expected`."""
    deadline = time.monotonic() + patience_s
    while True:
        seen = look()
        if inspect.isawaitable(seen):
            seen = await seen
        if seen == expected:
            return
        assert time.monotonic() < deadline, f"still {seen!r}, not {expected!r}"
        await asyncio.sleep(0.01)
