"""Stands in for a service behind the gateway: says what it was asked. Runs in a container: `python standin.py NAME`.

`/v1/tablesdb/break`: a replica named data-1 takes the request and breaks the connection off without an answer.
`/v1/tablesdb/broken`: how often that has happened.
"""

import sys

from aiohttp import web

NAME = sys.argv[1]
BROKEN = [0]


async def answer(request: web.BaseRequest) -> web.StreamResponse:
    body = await request.read()
    if request.path == "/v1/tablesdb/break" and NAME == "data-1":
        BROKEN[0] += 1
        assert request.transport is not None
        request.transport.abort()
    heard = {
        "name": NAME,
        "method": request.method,
        "path": request.raw_path,
        "headers": {name.lower(): value for name, value in request.headers.items()},
        "length": len(body),
        "broken": BROKEN[0],
    }
    return web.json_response(heard)


async def main() -> web.Application:
    app = web.Application(
        client_max_size=64 * 1024 * 1024, handler_args={"max_line_size": 100_000, "max_field_size": 100_000}
    )
    app.router.add_route("*", "/{path:.*}", answer)
    return app


if __name__ == "__main__":
    web.run_app(main(), port=8080, print=None)
