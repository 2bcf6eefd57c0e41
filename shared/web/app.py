"""The web application: routes, guard and limits put together; each request's way through them.

The order in which a request is refused is Appwrite's: project, credentials, origin, scope, blocked user, rate limit,
switched-off method, session already there, parameters.
"""

import re
import secrets
import socket
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import structlog
from aiohttp.web import BaseRequest, Response
from multidict import istr

from shared.contracts.principal import Kind
from shared.guard.guard import Guard
from shared.kernel.errors import ErrorType, Refusal
from shared.web import openapi, system
from shared.web.authenticate import KEY, identify
from shared.web.call import JSON, TEXT, Call, Reply
from shared.web.clientinfo import TrustedProxies
from shared.web.cors import ORIGIN, allows, headers_for, preflight_headers
from shared.web.dispatch import Table
from shared.web.endpoint import Endpoint, Routes
from shared.web.errors import error_body, error_headers
from shared.web.given import Given, project_id, read_given
from shared.web.limits import Limiter
from shared.web.parameters import Parameters
from shared.web.scopes import Admission, Caller
from shared.web.server import MAX_BODY_BYTES, HttpServer
from shared.web.system import Check, SystemDeps

GRACE_S = 15.0
HSTS = ("Strict-Transport-Security", "max-age=10886400")

FAILED = "The server has failed to answer. Its log has the cause, under the id in X-Request-Id."

_REQUEST_ID = istr("X-Request-Id")
_GOOD_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_NO_LISTS: frozenset[str] = frozenset()

_log = structlog.get_logger()
_encode = msgspec.json.Encoder().encode


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint with what it takes to serve it, prepared once."""

    endpoint: Endpoint
    deps: object
    admission: Admission
    parameters: Parameters | None
    lists: frozenset[str]

    @classmethod
    def of(cls, endpoint: Endpoint, deps: object) -> "Route":
        """Prepare an endpoint."""
        parameters = None if endpoint.params is None else Parameters(endpoint.params, endpoint.placeholders())
        return cls(
            endpoint=endpoint,
            deps=deps,
            admission=Admission.of(endpoint.callers, endpoint.scopes),
            parameters=parameters,
            lists=_NO_LISTS if parameters is None else parameters.lists,
        )


class WebApp:
    """Serves the routes of one or more services.

    `limiter` None: calls are not counted. `checks` are what `/readyz` looks at. `document` is the OpenAPI document to
    serve; without it, one of these routes alone.
    """

    def __init__(
        self,
        parts: Sequence[tuple[Routes[Any], object]],  # Any: each part has dependencies of its own
        *,
        guard: Guard,
        limiter: Limiter | None = None,
        trusted_proxies: Sequence[str] = (),
        checks: Mapping[str, Check] | None = None,
        document: bytes | None = None,
        max_body_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        self._guard = guard
        self._limiter = limiter
        self._proxies = TrustedProxies(trusted_proxies)
        self._max_body_bytes = max_body_bytes
        self._is_draining = False
        self._server: HttpServer | None = None
        self.endpoints = [endpoint for routes, _ in (*parts, (system.routes, None)) for endpoint in routes.endpoints]
        own = SystemDeps(
            checks=checks or {},
            is_draining=lambda: self._is_draining,
            document=document or openapi.document(self.endpoints),
        )
        self._table = _table([*parts, (system.routes, own)])

    async def start(self, where: socket.socket | tuple[str, int]) -> int:
        """Listen on a socket, or on a host and port (0: any free one); return the port."""
        self._server = HttpServer(self.respond, max_body_bytes=self._max_body_bytes)
        return await self._server.listen(where)

    def drain(self) -> None:
        """Say at `/readyz` that no more requests should come here, and close connections after their answer."""
        self._is_draining = True

    async def stop(self, grace_s: float = GRACE_S) -> None:
        """Accept nothing more; let requests in flight end, for at most `grace_s` seconds."""
        self.drain()
        if self._server is not None:
            await self._server.close(grace_s)

    async def respond(self, request: BaseRequest) -> Response:
        """Answer one request, whatever happens."""
        request_id = _request_id(request)
        structlog.contextvars.bind_contextvars(request_id=request_id)
        call: Call[object] = Call(request, request_id, self._proxies)
        try:
            status, body, content_type = await self._answer(request, call)
        except Refusal as refusal:
            status, body, content_type = _refuse(call, refusal)
        except Exception:  # noqa: BLE001 the last resort: the log hears all of it, the caller nothing
            _log.exception("a request failed", method=request.method)
            status, body, content_type = _refuse(call, Refusal(ErrorType.GENERAL_SERVER_ERROR, FAILED))
        return self._response(call, status, body, content_type)

    async def _answer(self, request: BaseRequest, call: Call[object]) -> tuple[int, bytes, str]:
        method = "GET" if request.method == "HEAD" else request.method
        if method == "OPTIONS":
            call.headers += preflight_headers(request.headers)
            return 204, b"", TEXT
        found = self._table.find(method, request.raw_path.partition("?")[0])
        if found is None:
            raise Refusal(ErrorType.GENERAL_ROUTE_NOT_FOUND, "The requested route was not found.")
        route, path = found
        call.deps = route.deps
        given = await read_given(request, method, route.lists, self._max_body_bytes)
        if route.endpoint.callers is not Caller.UNASKED:
            await self._authenticate(route, request, call, project_id(request, method, given))
        return await self._handle(route, call, given, path)

    async def _authenticate(self, route: Route, request: BaseRequest, call: Call[object], project: str) -> None:
        call.project = await self._guard.project(project)
        origin = request.headers.get(ORIGIN)
        is_allowed = origin is None or allows(call.project, origin, call.client.host)
        if origin is not None and is_allowed:
            call.headers += headers_for(origin)
        identity = await identify(self._guard, call.project, request.headers)
        call.principal = identity.principal
        call.user = identity.user
        call.headers.append(("X-Debug-Fallback", "true" if identity.is_fallback else "false"))
        if not is_allowed and not request.headers.get(KEY):
            raise Refusal(ErrorType.GENERAL_UNKNOWN_ORIGIN, "Pages of this origin may not call this project.")
        route.admission.check(call.principal)
        if call.user is not None and call.user.blocked:
            raise Refusal(ErrorType.USER_BLOCKED, "The current user has been blocked.")

    async def _handle(self, route: Route, call: Call[object], given: Given, path: list[str]) -> tuple[int, bytes, str]:
        endpoint = route.endpoint
        window = ""
        if endpoint.limit is not None and self._limiter is not None and call.principal.kind is not Kind.KEY:
            window = await self._limiter.count(endpoint, endpoint.limit, call, given.values)
        _check_switches(endpoint, call)
        if route.parameters is None:
            if given.fault is not None:
                raise given.fault
            result = await endpoint.handler(call)
        else:
            result = await endpoint.handler(call, route.parameters.parse(given, path))
        if window and endpoint.limit is not None and endpoint.limit.reset_on_success and self._limiter is not None:
            await self._limiter.reset(window)
        return _rendered(endpoint, result)

    def _response(self, call: Call[object], status: int, body: bytes, content_type: str) -> Response:
        response = Response(status=status, body=body)
        headers = response.headers
        headers["Content-Type"] = content_type
        headers["Server"] = "Daypass"
        headers["X-Content-Type-Options"] = "nosniff"
        headers["X-Request-Id"] = call.request_id
        for name, value in call.headers:
            headers.add(name, value)
        if self._proxies and call.client.scheme == "https":
            headers.add(*HSTS)
        if self._is_draining:
            response.force_close()
        return response


def _table(parts: Sequence[tuple[Routes[Any], object]]) -> Table[Route]:
    table: Table[Route] = Table()
    for routes, deps in parts:
        for endpoint in routes.endpoints:
            route = Route.of(endpoint, deps)
            for path in endpoint.paths:
                table.add(endpoint.method, path, route)
    return table


def _request_id(request: BaseRequest) -> str:
    sent = request.headers.get(_REQUEST_ID)
    if sent is not None and _GOOD_REQUEST_ID.match(sent):
        return sent
    return secrets.token_hex(16)


def _check_switches(endpoint: Endpoint, call: Call[object]) -> None:
    if (
        endpoint.auth_method
        and endpoint.auth_method in call.project.disabled_auth_methods
        and call.principal.kind is not Kind.KEY
    ):
        raise Refusal(ErrorType.USER_AUTH_METHOD_UNSUPPORTED, "This method of authentication is switched off.")
    if endpoint.needs_no_session and call.user is not None:
        raise Refusal(
            ErrorType.USER_SESSION_ALREADY_EXISTS,
            "Creation of a session is prohibited when a session is active.",
        )


def _rendered(endpoint: Endpoint, result: object) -> tuple[int, bytes, str]:
    if isinstance(result, bytes):
        return endpoint.status, result, JSON
    if isinstance(result, Reply):
        return result.status or endpoint.status, result.body, result.content_type
    if result is None:
        return endpoint.status, b"", TEXT
    return endpoint.status, _encode(result), JSON


def _refuse(call: Call[object], refusal: Refusal) -> tuple[int, bytes, str]:
    call.headers += error_headers(refusal)
    status, body = error_body(refusal)
    return status, body, JSON
