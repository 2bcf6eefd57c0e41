"""`make bench`: run all benchmarks, or those that are named, and report."""

import asyncio
import importlib
import logging
import sys

import uvloop

from shared.process.run import log_as_json
from tests.bench.measures import Measure, report

BENCHES = (
    "dispatch",
    "minting",
    "rows",
    "lists",
    "crud",
    "pocketbase",
    "flat",
    "barrier",
    "deletes",
    "refused",
    "warm",
    "memory",
    "apply",
    "costs",
)


async def _main(chosen: list[str]) -> None:
    measures: list[Measure] = []
    for name in chosen or BENCHES:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        measures += await importlib.import_module(f"tests.bench.{name}").measure()
    report(measures)


if __name__ == "__main__":
    log_as_json(logging.ERROR)
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(_main(sys.argv[1:]))
