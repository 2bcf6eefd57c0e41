"""A service as a process of its own: from its settings to the signal that ends it."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

import structlog
import uvloop

from shared.kernel.cores import forbid_core_dumps
from shared.kernel.loops import running
from shared.kernel.settings import SettingsError, read_settings
from shared.postgres.errors import DATABASE_ERRORS
from shared.postgres.migrations import MigrationError
from shared.process.preflight import check_limits, check_redis, require_safe_database, require_safe_redis
from shared.process.serve import serving
from shared.process.service import Service
from shared.process.settings import ProcessSettings
from shared.web import openapi
from shared.web.counts import open_counts
from shared.web.limits import Limiter

log = structlog.get_logger()

S = TypeVar("S", bound=ProcessSettings)


def run(kind: type[S], open_service: Callable[[S], AbstractAsyncContextManager[Service]]) -> None:
    """Serve until SIGTERM or SIGINT, with settings of this kind from the environment.

    Where the service cannot start, say why in one line on stderr, and end with exit code 1.
    """
    forbid_core_dumps()
    log_as_json()
    try:
        settings = read_settings(kind, os.environ)
        uvloop.run(_serve(settings, open_service(settings)))
    except (SettingsError, MigrationError, *DATABASE_ERRORS) as error:
        sys.exit(f"Daypass cannot start: {error}")


async def _serve(settings: ProcessSettings, opening: AbstractAsyncContextManager[Service]) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await require_safe_database(settings.database_url.reveal())
    redis_url = settings.redis_url.reveal()
    await check_limits(settings.limits_redis_url, redis_url)
    later = [] if await check_redis(redis_url) else [require_safe_redis(redis_url)]
    async with running(later), opening as service:
        counts = open_counts(settings.limits_redis_url, service=service.guard.reader.service)
        where = (settings.host, settings.port)
        async with serving(service, settings, where, limiter=Limiter(counts), document=openapi.packaged()) as port:
            log.info("listening", host=settings.host, port=port)
            await ended.wait()


def log_as_json(level: int = logging.INFO) -> None:
    """Write what happens to stderr: one line of JSON for each fact of at least this level."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
