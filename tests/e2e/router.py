"""A small gateway for services that run as processes: routes by the gateway's table, turns among replicas.

`python -m tests.e2e.router auth=PORT token=PORT data=PORT,PORT` prints its own port, and serves until its standard
input closes. Deployments have a real gateway; this one only lets the tests do without one.
"""

import asyncio
import itertools
import re
import sys
from collections.abc import Iterator

import uvloop
from aiohttp import ClientSession, DummyCookieJar, TCPConnector, web

from deploy.gateway.generate import FILE

HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host"})


RULES = [
    (re.compile(expression), service)
    for expression, service in (
        line.rsplit(" ", 1) for line in FILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")
    )
]
"""The lines of the gateway's table: an expression on the path, and a service."""


def service_of(path: str) -> str:
    """Return the service of the first line that matches, else auth, as HAProxy does with its map."""
    return next((service for expression, service in RULES if expression.search(path)), "auth")


class Router:
    """Passes requests on."""

    def __init__(self, ports: dict[str, list[int]], client: ClientSession) -> None:
        self._turns: dict[str, Iterator[int]] = {service: itertools.cycle(own) for service, own in ports.items()}
        self._client = client

    async def handle(self, request: web.BaseRequest) -> web.Response:
        port = next(self._turns[service_of(request.raw_path.partition("?")[0])])
        headers = [(name, value) for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP]
        url = f"http://127.0.0.1:{port}{request.raw_path}"
        body = await request.content.read()
        async with self._client.request(
            request.method,
            url,
            data=body or None,
            headers=headers,
            allow_redirects=False,
            skip_auto_headers=["Content-Type"],
        ) as answer:
            kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP]
            return web.Response(status=answer.status, body=await answer.read(), headers=kept)  # type: ignore[arg-type]


async def _main(arguments: list[str]) -> None:
    named = (argument.split("=") for argument in arguments)
    ports = {service: [int(port) for port in own.split(",")] for service, own in named}
    async with ClientSession(
        cookie_jar=DummyCookieJar(), connector=TCPConnector(limit=0), auto_decompress=False
    ) as client:
        server = web.Server(Router(ports, client).handle)
        listener = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
        print(listener.sockets[0].getsockname()[1], flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    uvloop.run(_main(sys.argv[1:]))
