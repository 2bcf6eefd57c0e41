"""A way to Redis that a test can cut, stop and slow down: one for each process, so that each can lose it alone."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path


class Proxy:
    """Listens on a port of 127.0.0.1 and passes everything on to a Unix socket."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.port = 0
        self.delay_s = 0.0
        self._is_cut = False
        self._flows = asyncio.Event()
        self._flows.set()
        self._open: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """Close all connections and refuse new ones."""
        self._is_cut = True
        for writer in list(self._open):
            writer.transport.abort()

    def drop_connections(self) -> None:
        """Close all connections; new ones are let through."""
        self.cut()
        self._is_cut = False

    def hold(self) -> None:
        """Let nothing through in either direction, and say so to nobody."""
        self._flows.clear()

    def restore(self) -> None:
        """Be an ordinary way again."""
        self._is_cut = False
        self.delay_s = 0.0
        self._flows.set()

    def lead_to(self, target: Path) -> None:
        """Lead to another server from now on."""
        self.target = target
        self.drop_connections()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.transport.abort()
            return
        try:
            ahead, behind = await asyncio.open_unix_connection(str(self.target))
        except OSError:
            writer.transport.abort()
            return
        pair = {writer, behind}
        self._open |= pair
        try:
            await asyncio.gather(self._pass(reader, behind), self._pass(ahead, writer))
        finally:
            self._open -= pair
            for one in pair:
                one.transport.abort()

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                await self._flows.wait()
                target.write(data)
                await target.drain()
        target.transport.abort()


@contextlib.asynccontextmanager
async def open_proxy(target: Path) -> AsyncIterator[Proxy]:
    """Listen; in the end, close all connections."""
    proxy = Proxy(target)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.restore()
        proxy.cut()
