"""The web application: routes, guard and limits put together, and served."""

import socket
from collections.abc import Mapping, Sequence
from typing import Any

from shared.guard.guard import Guard
from shared.process import health as system
from shared.process import welcome
from shared.process.health import Check, SystemDeps
from shared.web import openapi
from shared.web.endpoint import Routes
from shared.web.ingress import Ingress
from shared.web.pipeline import Pipeline
from shared.web.server import HttpServer

GRACE_S = 15.0


class WebApp:
    """Serves the routes of one or more services.

    `checks` are what `/readyz` looks at. `document` is the OpenAPI document to serve; without it, one of these routes
    alone.
    """

    def __init__(
        self,
        parts: Sequence[tuple[Routes[Any], object]],  # Any: each part has dependencies of its own
        *,
        guard: Guard,
        ingress: Ingress | None = None,
        checks: Mapping[str, Check] | None = None,
        document: bytes | None = None,
    ) -> None:
        ingress = ingress or Ingress()
        self._timing = ingress.timing
        self._server: HttpServer | None = None
        self.endpoints = [endpoint for routes, _ in (*parts, (system.routes, None)) for endpoint in routes.endpoints]
        own = SystemDeps(
            checks=checks or {},
            is_draining=lambda: self._pipeline.is_draining,
            document=document or openapi.document(self.endpoints),
        )
        self._pipeline = Pipeline(guard=guard, ingress=ingress)
        # The page is for people: the OpenAPI document has nothing about it.
        for routes, deps in (*parts, (system.routes, own), (welcome.routes, None)):
            self._pipeline.add(routes.endpoints, deps)

    async def start(self, where: socket.socket | tuple[str, int]) -> int:
        """Listen on a socket, or on a host and port (0: any free one); return the port. May be called again."""
        if self._server is None:
            self._server = HttpServer(self._pipeline.respond, timing=self._timing)
        return await self._server.listen(where)

    def drain(self) -> None:
        """Say at `/readyz` that no more requests should come here, and close connections after their answer."""
        self._pipeline.drain()

    async def stop(self, grace_s: float = GRACE_S) -> None:
        """Accept nothing more; let requests in flight end, for at most `grace_s` seconds."""
        self.drain()
        if self._server is not None:
            await self._server.close(grace_s)
