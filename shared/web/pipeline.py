"""Each request's way from its bytes to an answer.

The order in which a request is refused is Appwrite's: project, credentials, origin, scope, blocked user, switched-off
method, session already there, parameters. The rate limit comes last, so that only what would be done is counted. All
but parameters and rate limit are decided by line and headers, before the body is read; but where only the body names
the project, a small one is read.
"""

import asyncio
import contextlib
from collections.abc import Iterable
from functools import partial

import msgspec
import structlog
from aiohttp.web import BaseRequest, Response, StreamResponse
from multidict import istr

from shared.appwrite.clientinfo import Edge
from shared.appwrite.cors import FETCH_SITE, ORIGIN, headers_for, is_foreign, preflight_headers, refusal_of
from shared.contracts.principal import Kind
from shared.guard.guard import Guard
from shared.kernel.errors import ErrorType, Refusal, Unavailable
from shared.postgres.errors import as_refusal
from shared.web.authenticate import identify
from shared.web.bodies import MOST_BYTES, MOST_GUEST_BYTES, SMALL_BODY_BYTES, Body, Budget, Permit
from shared.web.call import JSON, TEXT, Call, Reply, Stream
from shared.web.dispatch import Table
from shared.web.endpoint import DIMENSIONS, Endpoint
from shared.web.errors import error_body, error_headers
from shared.web.input import (
    MAX_FORM_BYTES,
    PROJECT,
    Names,
    RawInput,
    header_project,
    is_form,
    is_in_query,
    named_project,
    parse_body,
    parse_query,
)
from shared.web.limits import Limiter
from shared.web.parameters import Parameters
from shared.web.request_id import request_id
from shared.web.scopes import Admission, Caller

NO_PROJECT = "The request names no project: send its id in the header X-Appwrite-Project."
HEALTH = frozenset({"/livez", "/readyz"})
"""What is answered under any host, for whoever watches this process."""

HSTS = ("Strict-Transport-Security", "max-age=10886400")

PART_TIMEOUT_S = 20.0
"""For a client to take a part of an answer that is sent in parts."""

Answer = tuple[int, bytes | Stream, str]
"""Status, body, content type."""

_CACHE_CONTROL = istr("Cache-Control")
_CONTENT_TYPE = istr("Content-Type")
_NO_NAMES = Names()

_log = structlog.get_logger()
_encode = msgspec.json.Encoder().encode


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint with what it takes to serve it, prepared once."""

    endpoint: Endpoint
    deps: object
    admission: Admission
    parameters: Parameters | None
    names: Names
    counted_by: tuple[str, ...]
    """The parameters by which calls are counted."""

    @classmethod
    def of(cls, endpoint: Endpoint, deps: object) -> "Route":
        """Prepare an endpoint."""
        parameters = None if endpoint.params is None else Parameters(endpoint.params, endpoint.placeholders())
        return cls(
            endpoint=endpoint,
            deps=deps,
            admission=Admission.of(endpoint.callers, endpoint.scopes),
            parameters=parameters,
            names=_NO_NAMES if parameters is None else parameters.names,
            counted_by=() if endpoint.limit is None else tuple(set(endpoint.limit.by) - DIMENSIONS),
        )


class Pipeline:
    """Serves prepared routes."""

    def __init__(self, *, guard: Guard, limiter: Limiter | None, edge: Edge) -> None:
        self._guard = guard
        self._limiter = limiter
        self._edge = edge
        self._table: Table[Route] = Table()
        self._guests = Budget(MOST_GUEST_BYTES)
        self._others = Budget(MOST_BYTES)
        self.is_draining = False

    def add(self, endpoints: Iterable[Endpoint], deps: object) -> None:
        """Serve endpoints; `deps` is what their handlers find in their call."""
        for endpoint in endpoints:
            route = Route.of(endpoint, deps)
            for path in endpoint.paths:
                self._table.add(endpoint.method, path, route)

    async def respond(self, request: BaseRequest) -> StreamResponse:
        """Answer one request, whatever happens."""
        call: Call[object] = Call(request, request_id(request.headers), self._edge)
        structlog.contextvars.bind_contextvars(request_id=call.request_id)
        try:
            answer = await self._answer(request, call)
        except Refusal as refusal:
            answer = _refuse(call, refusal)
        except Exception as error:  # noqa: BLE001 the last resort: the log hears all of it, the caller nothing
            answer = _refuse(call, _unexpected(error, request.method))
        status, body, content_type = answer
        headers = self._headers(call, content_type)
        if isinstance(body, Stream):
            return await self._send(request, status, headers, body)
        response = Response(status=status, body=body, headers=headers)
        if self.is_draining:
            response.force_close()
        return response

    async def _answer(self, request: BaseRequest, call: Call[object]) -> Answer:
        target = request.raw_path.partition("?")[0]
        if self._edge.is_set and target not in HEALTH:
            self._edge.check_host(call.client)
        method = "GET" if request.method == "HEAD" else request.method
        if method == "OPTIONS":
            call.headers += preflight_headers(request.headers)
            return 204, b"", TEXT
        found = self._table.find(method, target)
        if found is None:
            raise Refusal(ErrorType.GENERAL_ROUTE_NOT_FOUND)
        route, path = found
        call.deps = route.deps
        if not is_in_query(request, method):
            return await self._answer_body(route, request, call, path)
        raw = parse_query(request, route.names)
        if route.endpoint.callers is not Caller.PUBLIC:
            await self._authenticate(route, request, call, raw.text(PROJECT) or header_project(request))
        return await self._handle(route, call, raw, path)

    async def _answer_body(self, route: Route, request: BaseRequest, call: Call[object], path: list[str]) -> Answer:
        """Answer a request whose parameters are in its body."""
        endpoint = route.endpoint
        reader = _Reader(request, route)
        try:
            if endpoint.callers is not Caller.PUBLIC:
                project = named_project(request, route.names)
                if not project:
                    project = (await reader.read(self._guests, SMALL_BODY_BYTES)).text(PROJECT)
                await self._authenticate(route, request, call, project)
            may_send_more = endpoint.may_send_more and partial(endpoint.may_send_more, call, path)
            budget = self._guests if call.principal.kind is Kind.GUEST else self._others
            raw = await reader.read(budget, endpoint.max_body_bytes, may_send_more)
            return await self._handle(route, call, raw, path)
        finally:
            reader.release()

    async def _authenticate(self, route: Route, request: BaseRequest, call: Call[object], project: str) -> None:
        if not project:
            raise Refusal(ErrorType.PROJECT_NOT_FOUND, NO_PROJECT)
        call.project = await self._guard.project(project)
        headers = request.headers
        origin = headers.get(ORIGIN)
        if origin is not None or FETCH_SITE in headers:
            call.is_foreign = is_foreign(call.project, request.method, headers, call.client.own_host)
        if origin is not None and not call.is_foreign:
            call.headers += headers_for(origin)
        identity = await identify(self._guard, call.project, headers, self._edge.cookies)
        call.principal = identity.principal
        call.user = identity.user
        call.headers.append(("X-Debug-Fallback", "true" if identity.is_fallback else "false"))
        # The principal decides, not the header: a page can send any header, but knows no key.
        if call.is_foreign and call.principal.kind is not Kind.KEY:
            raise Refusal(ErrorType.GENERAL_UNKNOWN_ORIGIN, refusal_of(call.project, origin))
        await _admit(route, call)
        _check_switches(route.endpoint, call)
        if call.project.session_idle_s and call.user is not None and call.user.session:
            self._guard.uses.note(call.project.id, call.user.session)

    async def _handle(self, route: Route, call: Call[object], raw: RawInput, path: list[str]) -> Answer:
        endpoint = route.endpoint
        if raw.fault is not None:
            raise raw.fault
        arguments = () if route.parameters is None else (route.parameters.parse(raw, path),)
        limiter = None if call.principal.kind is Kind.KEY else self._limiter
        call.counts = None if limiter is None else limiter.counts
        if limiter is None or endpoint.limit is None:
            result = await endpoint.handler(call, *arguments)
        else:
            named = {name: raw.text(name) for name in route.counted_by}
            windows = await limiter.count(endpoint, endpoint.limit, call, named)
            result = await endpoint.handler(call, *arguments)
            await limiter.succeed(windows)
        call.headers.append((_CACHE_CONTROL, endpoint.cache_control))
        return _rendered(endpoint, result)

    def _headers(self, call: Call[object], content_type: str) -> list[tuple[str, str]]:
        call.headers.append((_CONTENT_TYPE, content_type))
        if self._edge.is_set and call.client.scheme == "https":
            call.headers.append(HSTS)
        return call.headers

    async def _send(
        self, request: BaseRequest, status: int, headers: list[tuple[str, str]], stream: Stream
    ) -> StreamResponse:
        """Send an answer in parts; break the connection off where one cannot be made, or is not taken in time."""
        response = StreamResponse(status=status, headers=headers)
        if self.is_draining:
            response.force_close()
        async with contextlib.aclosing(stream.rest) as rest:
            if request.method == "HEAD":
                return response
            try:
                await response.prepare(request)
                await _write(response, stream.first)
                async for part in rest:
                    await _write(response, part)
                await response.write_eof()
            except Exception as error:
                _log.warning("an answer was interrupted", error=type(error).__name__)
                if request.transport is not None:
                    request.transport.abort()
                raise ConnectionResetError("the answer is broken off") from error
        return response


class _Reader:
    """Reads the body of one request: once, and no earlier than it is needed."""

    __slots__ = ("_body", "_names", "_raw", "_request")

    def __init__(self, request: BaseRequest, route: Route) -> None:
        self._request = request
        self._names = route.names
        self._raw: RawInput | None = None
        self._body: Body | None = None

    async def read(self, budget: Budget, most: int, may_send_more: Permit | None = None) -> RawInput:
        """Return the parameters, of a body of at most `most` bytes; raises as `Body.read` does."""
        if self._raw is None:
            self._raw = await self._read(budget, most, may_send_more)
        return self._raw

    def release(self) -> None:
        """Say that the body is not needed any more."""
        if self._body is not None:
            self._body.release()

    async def _read(self, budget: Budget, most: int, may_send_more: Permit | None) -> RawInput:
        if not self._request.body_exists:
            return RawInput({})
        self._body = Body(self._request, budget)
        most = min(most, MAX_FORM_BYTES) if is_form(self._request) else most
        return parse_body(self._request, await self._body.read(most, may_send_more), self._names)


async def _write(response: StreamResponse, part: bytes) -> None:
    async with asyncio.timeout(PART_TIMEOUT_S):
        await response.write(part)


async def _admit(route: Route, call: Call[object]) -> None:
    try:
        _check_admission(route, call)
    except Refusal:
        if route.endpoint.before_refusal is not None:
            await route.endpoint.before_refusal(call)
        raise


def _check_admission(route: Route, call: Call[object]) -> None:
    route.admission.check(call.principal)
    if call.user is not None and call.user.blocked:
        raise Refusal(ErrorType.USER_BLOCKED)


def _unexpected(error: Exception, method: str) -> Refusal:
    refusal = as_refusal(error)
    if isinstance(refusal, Unavailable):
        _log.warning("the database is unavailable", method=method, error=repr(error))
    elif refusal is None:
        _log.error("a request failed", method=method, exc_info=error)
    return refusal or Refusal(ErrorType.GENERAL_SERVER_ERROR)


def _check_switches(endpoint: Endpoint, call: Call[object]) -> None:
    if (
        endpoint.auth_method
        and endpoint.auth_method in call.project.disabled_auth_methods
        and call.principal.kind is not Kind.KEY
    ):
        raise Refusal(ErrorType.USER_AUTH_METHOD_UNSUPPORTED)
    if endpoint.forbids_session and call.user is not None:
        raise Refusal(ErrorType.USER_SESSION_ALREADY_EXISTS)


def _rendered(endpoint: Endpoint, result: object) -> Answer:
    if isinstance(result, (bytes, Stream)):
        return endpoint.status, result, JSON
    if isinstance(result, Reply):
        return result.status or endpoint.status, result.body, result.content_type
    if result is None:
        return endpoint.status, b"", TEXT
    return endpoint.status, _encode(result), JSON


def _refuse(call: Call[object], refusal: Refusal) -> Answer:
    call.headers += error_headers(refusal)
    status, body = error_body(refusal)
    return status, body, JSON
