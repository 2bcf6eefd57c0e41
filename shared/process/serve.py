"""Serving what is open: the application, its limits and its metrics, for one service or for several in one process."""

import contextlib
import socket
from collections.abc import AsyncIterator

from shared.guard.metrics import open_registry
from shared.process.app import WebApp
from shared.process.metrics import serving_metrics
from shared.process.service import Service
from shared.process.settings import ProcessSettings
from shared.web.ingress import Ingress
from shared.web.limits import Limiter
from shared.web.refusals import RefusalLog


@contextlib.asynccontextmanager
async def serving(
    service: Service,
    settings: ProcessSettings,
    where: socket.socket | tuple[str, int],
    *,
    limiter: Limiter,
    document: bytes | None = None,
    logs_refusals: bool = False,
) -> AsyncIterator[int]:
    """Serve a service on a socket, or on a host and port (0: any free one); yield the port.

    `limiter` counts calls, unless the settings say that none are. `document` is as in `WebApp`. `logs_refusals`: all of
    them, not only pages that may not call. Raises `SettingsError` where the port of the metrics is taken.
    """
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(limiter.close)
        ingress = Ingress(
            limiter=limiter if settings.rate_limits else None,
            refusals=RefusalLog(logs_all=logs_refusals),
            edge=settings.edge(),
        )
        app = WebApp(service.parts, guard=service.guard, ingress=ingress, checks=service.checks, document=document)
        if settings.metrics_port:
            registry = open_registry(service.guard, service.revocations)
            await stack.enter_async_context(serving_metrics(registry, settings.metrics_host, settings.metrics_port))
        port = await app.start(where)
        stack.push_async_callback(app.stop)
        yield port
