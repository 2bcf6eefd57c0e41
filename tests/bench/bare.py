"""What is measured against: a handler of aiohttp, and nothing else."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from aiohttp import web

Handle = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


async def serve_bare(stack: contextlib.AsyncExitStack, handle: Handle) -> int:
    """Serve requests by this function until the stack closes; return the port."""
    server = web.Server(handle)
    listener = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
    stack.callback(listener.close)
    return int(listener.sockets[0].getsockname()[1])
