"""A backend that acts for its user: it sees and changes what the user may, until the user signs out.

The page tasks.html sends its user's JWT with each call. There is no API key: Daypass decides what each call may do.
Reads DAYPASS_ENDPOINT, DAYPASS_PROJECT and PORT. Needs `pip install aiohttp appwrite==27.0.0`.
"""

import asyncio
import os
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler
from appwrite.client import Client
from appwrite.exception import AppwriteException
from appwrite.query import Query
from appwrite.services.account import Account
from appwrite.services.tables_db import TablesDB

HERE = Path(__file__).parent
OPEN = [Query.equal("done", False), Query.limit(100)]
routes = web.RouteTableDef()


async def acting_for(request: web.Request) -> tuple[str, TablesDB]:
    """Return the name and the rows of the user whose JWT a request carries. A dead one raises `AppwriteException`."""
    client = Client().set_endpoint(os.environ["DAYPASS_ENDPOINT"]).set_project(os.environ["DAYPASS_PROJECT"])
    client.set_jwt(request.headers.get("Authorization", "").partition(" ")[2])
    # Without this call a dead JWT would act as a guest: it would see no task, but not be refused.
    user = await asyncio.to_thread(Account(client).get)
    return user.name, TablesDB(client)


@routes.get("/api/tasks")
async def list_open(request: web.Request) -> web.Response:
    """List the open tasks that the user may read."""
    name, rows = await acting_for(request)
    page = await asyncio.to_thread(rows.list_rows, "tasks", "tasks", OPEN)
    return web.json_response({"user": name, "open": [row.data["text"] for row in page.rows]})


@routes.post("/api/tasks/done")
async def tick_off(request: web.Request) -> web.Response:
    """Tick off the open tasks that the user may read."""
    name, rows = await acting_for(request)
    page = await asyncio.to_thread(rows.list_rows, "tasks", "tasks", OPEN)
    for row in page.rows:
        await asyncio.to_thread(rows.update_row, "tasks", "tasks", row.id, {"done": True})
    return web.json_response({"user": name, "done": len(page.rows)})


@web.middleware
async def pass_refusals_on(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer what Daypass refuses with its status and type, and 502 if it cannot be reached."""
    try:
        return await handler(request)
    except AppwriteException as error:
        return web.json_response({"message": str(error), "type": error.type}, status=error.code or 502)


@routes.get("/")
async def page(_: web.Request) -> web.FileResponse:
    """Serve the page."""
    return web.FileResponse(HERE / "tasks.html")


if __name__ == "__main__":
    app = web.Application(middlewares=[pass_refusals_on])
    app.add_routes(routes)
    if (HERE / "node_modules").is_dir():
        app.router.add_static("/node_modules", HERE / "node_modules", follow_symlinks=True)
    web.run_app(app, host="127.0.0.1", port=int(os.environ.get("PORT", "8000")))
