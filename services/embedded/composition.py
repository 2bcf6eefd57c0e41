"""Where the embedded process is put together: the parts, the three services, one port."""

import contextlib
import os
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from services.embedded.child import Child
from services.embedded.credentials import Credentials, find_credentials, write_credentials
from services.embedded.datadir import DataDir
from services.embedded.parts import Parts, Say, open_parts
from services.embedded.port import endpoint, take_port
from services.embedded.run_file import Running, announced
from shared.kernel.settings import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """What runs, and what its user needs to know of it."""

    endpoint: str
    credentials: Credentials
    is_first_start: bool
    data_dir: DataDir
    pid: int
    children: tuple[Child, ...]


@contextlib.asynccontextmanager
async def open_instance(path: Path, *, host: str, port: int | None, say: Say) -> AsyncIterator[Instance]:
    """Run everything on the data directory `path`; `port` as in `take_port`.

    Raises `StartRefused` or `PartFailed`, and what the services raise where they cannot start; nothing is left running.
    """
    async with contextlib.AsyncExitStack() as stack:
        listener = stack.enter_context(take_port(host, port))
        parts = await stack.enter_async_context(open_parts(path, say=say))
        say("starting the services")
        await stack.enter_async_context(_serving(parts, listener))
        url = endpoint(listener)
        known = find_credentials(parts.data_dir)
        credentials = known or await _make_credentials(parts)
        write_credentials(parts.data_dir, credentials, endpoint=url)
        running = Running(endpoint=url, pid=os.getpid(), redis_url=parts.valkey.url("cli"))
        stack.enter_context(announced(parts.data_dir, running))
        yield Instance(
            endpoint=url,
            credentials=credentials,
            is_first_start=known is None,
            data_dir=parts.data_dir,
            pid=os.getpid(),
            children=(parts.postgres.child, parts.valkey.child),
        )


@contextlib.asynccontextmanager
async def _serving(parts: Parts, listener: socket.socket) -> AsyncIterator[None]:
    del parts, listener
    yield


async def _make_credentials(parts: Parts) -> Credentials:
    del parts
    return Credentials(project="default", key=Secret("none-yet"))
