"""The page for somebody who opens the endpoint in a browser: that Daypass runs, and what to do next.

A client that does not ask for HTML is answered as for any path that is not served. The page needs nothing from
elsewhere, and its policy lets it load nothing.
"""

import base64
import hashlib
import html

from shared.kernel.errors import ErrorType, Refusal
from shared.web.call import Call, Reply
from shared.web.endpoint import Routes
from shared.web.scopes import Caller

HTML = "text/html; charset=UTF-8"

_STYLE = """
body { margin: 4rem auto; max-width: 42rem; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; color: #1c1c1c; }
pre { background: #f2f2f2; padding: 1rem; overflow-x: auto; }
code { font-family: ui-monospace, monospace; }
@media (prefers-color-scheme: dark) { body { background: #161616; color: #e4e4e4; } pre { background: #262626; }
  a { color: #8ab4f8; } }
"""
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Daypass</title>
<style>{style}</style>
<h1>Daypass is running</h1>
<p>Endpoint for Appwrite's SDKs: <code>{endpoint}</code></p>
<h2>Next</h2>
<pre><code>daypass project list
daypass project update PROJECT --add-origin HOST
daypass user create --help</code></pre>
<p>The first lists the projects. The second lets the pages of a host call a project. The third says how to create a
user.</p>
<h2>Documentation</h2>
<p>In the repository: <code>README.md</code>, <code>docs/how-to/javascript.md</code>,
<code>docs/how-to/python.md</code>, <code>docs/how-to/operate.md</code>.
This server describes its API in <a href="/v1/openapi.json">OpenAPI 3.1</a>.</p>
</html>
"""
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

routes = Routes[object]("welcome")


@routes.endpoint("GET", "/", name="system.welcome", callers=Caller.PUBLIC, aliases=("/v1", "/v1/"))
async def welcome(call: Call[object]) -> Reply:
    """Return the page to a browser; raise `Refusal(GENERAL_ROUTE_NOT_FOUND)` for all others."""
    if "text/html" not in call.header("Accept"):
        raise Refusal(ErrorType.GENERAL_ROUTE_NOT_FOUND)
    call.add_header("Content-Security-Policy", POLICY)
    call.add_header("Referrer-Policy", "no-referrer")
    call.add_header("Vary", "Accept")
    endpoint = html.escape(f"{call.client.scheme}://{call.header('Host')}/v1")
    return Reply(body=_PAGE.format(style=_STYLE, endpoint=endpoint).encode(), content_type=HTML)
