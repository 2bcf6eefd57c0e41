"""Metrics over HTTP, on a port of their own: every client that reaches it may read them."""

import contextlib
from collections.abc import AsyncIterator

from aiohttp.web import BaseRequest, Response, Server, ServerRunner, TCPSite
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from shared.kernel.settings import SettingsError

PATH = "/metrics"


@contextlib.asynccontextmanager
async def serving_metrics(registry: CollectorRegistry, host: str, port: int) -> AsyncIterator[int]:
    """Serve `/metrics` on a host and port (0: any free one); yields the port. Raises `SettingsError` if taken."""

    async def respond(request: BaseRequest) -> Response:
        if request.path != PATH:
            return Response(status=404, text=f"Metrics are at {PATH}.\n")
        if request.method not in {"GET", "HEAD"}:
            return Response(status=405, headers={"Allow": "GET, HEAD"})
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return Response(body=encode(registry), headers={"Content-Type": content_type})

    runner = ServerRunner(Server(respond, access_log=None), shutdown_timeout=1)
    await runner.setup()
    try:
        site = TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            raise SettingsError(f"DAYPASS_METRICS_PORT: cannot listen on {host}:{port}: {error.strerror}") from error
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
