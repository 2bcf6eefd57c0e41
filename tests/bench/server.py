"""Runs a bench's servers in a process of their own, so that the load does not share a core with what it measures.

`python -m tests.bench.server MODULE ARGUMENT…` opens what `MODULE.servers(ARGUMENT…)` yields, prints it as one line of
JSON, and serves until its standard input closes.
"""

import asyncio
import contextlib
import importlib
import json
import logging
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import uvloop

from shared.process.run import log_as_json


@contextlib.asynccontextmanager
async def serving(module: str, *arguments: str) -> AsyncIterator[dict[str, Any]]:
    """Start the servers of a bench; yield what they printed."""
    command = [sys.executable, "-m", "tests.bench.server", module, *arguments]
    process = await asyncio.create_subprocess_exec(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield json.loads(await process.stdout.readline())
    finally:
        process.stdin.close()
        await process.wait()


async def _main(module: str, *arguments: str) -> None:
    log_as_json(logging.WARNING)
    async with importlib.import_module(module).servers(*arguments) as opened:
        print(json.dumps(opened), flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    uvloop.run(_main(*sys.argv[1:]))
