"""A small gateway for services that run as processes: routes by the declared endpoints, turns among replicas.

`python -m tests.e2e.router auth=PORT token=PORT data=PORT,PORT` prints its own port, and serves until its standard
input closes. Deployments have a real gateway; this one only lets the tests do without one.
"""

import asyncio
import itertools
import sys
from collections.abc import Iterator

import uvloop
from aiohttp import ClientSession, DummyCookieJar, TCPConnector, web

from services.auth.instance.http import health
from services.auth.people.http import account, sessions, users
from services.auth.projects.http import keys, platforms, project
from services.auth.teams.http import memberships, teams
from services.data.http import columns, databases, indexes, rows, tables
from services.token.http import jwks, jwts
from shared.web.dispatch import Table
from shared.web.endpoint import Routes

PARTS = {
    "auth": (account, sessions, users, keys, project, platforms, teams, memberships, health),
    "token": (jwks, jwts),
    "data": (columns, databases, indexes, rows, tables),
}
HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host"})


def table() -> Table[str]:
    """The name of the service that answers each endpoint."""
    found: Table[str] = Table()
    for service, modules in PARTS.items():
        for module in modules:
            routes: Routes[object] = module.routes
            for endpoint in routes.endpoints:
                for path in endpoint.paths:
                    found.add(endpoint.method, path, service)
    return found


class Router:
    """Passes requests on."""

    def __init__(self, ports: dict[str, list[int]], client: ClientSession) -> None:
        self._table = table()
        self._turns: dict[str, Iterator[int]] = {service: itertools.cycle(own) for service, own in ports.items()}
        self._client = client

    async def handle(self, request: web.BaseRequest) -> web.Response:
        found = self._table.find(request.method, request.raw_path.partition("?")[0])
        port = next(self._turns[found[0] if found else "auth"])
        headers = [(name, value) for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP]
        url = f"http://127.0.0.1:{port}{request.raw_path}"
        body = await request.read()
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
