"""The router that stands in for the gateway sends every endpoint where it is declared."""

import contextlib
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from services.registry import ENDPOINTS
from shared.web.endpoint import PLACEHOLDER
from tests.e2e.router import Router

PLACES = [
    (endpoint.method, path, service)
    for service, endpoints in ENDPOINTS.items()
    for endpoint in endpoints
    for path in endpoint.paths
]


@pytest.fixture(scope="module")
async def router() -> AsyncIterator[TestServer]:
    """The router, in front of servers that answer with a service's name."""
    async with contextlib.AsyncExitStack() as stack:
        ports = {}
        for service in ENDPOINTS:
            server = await stack.enter_async_context(naming_server(service))
            ports[service] = [server.port or 0]
        client = await stack.enter_async_context(ClientSession())
        router = TestServer(web.Application())
        router.app.router.add_route("*", "/{path:.*}", Router(ports, client).handle)
        yield await stack.enter_async_context(router)


def naming_server(service: str) -> TestServer:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(headers={"Service": service})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    return TestServer(app)


@pytest.mark.parametrize(("method", "path", "service"), PLACES)
async def test_an_endpoint_is_routed_to_the_service_that_declares_it(
    router: TestServer, method: str, path: str, service: str
) -> None:
    url = router.make_url(PLACEHOLDER.sub("65f0c9d1e2b3a4958671", path))
    async with ClientSession() as client, client.request(method, url) as answer:
        assert answer.headers["Service"] == service
