"""Each request's way from its bytes to an answer.

The order in which a request is refused is Appwrite's: project, credentials, origin, scope, blocked user, switched-off
method, session already there, parameters. But a page that may not call, and sends no key, is refused before its
credentials are looked at: it may read why, and must not learn whose cookies it sends. The rate limit comes last, so
that only what would be done is counted. All but parameters and rate limit are decided by line and headers, before the
body is read; but where only the body names the project, a small one is read.
"""

from collections.abc import Iterable
from functools import partial
from typing import cast

import msgspec
import structlog
from aiohttp.web import BaseRequest, Response, StreamResponse
from multidict import istr

from shared.appwrite.absent import why_absent
from shared.appwrite.cors import (
    ALLOW_ORIGIN,
    FETCH_SITE,
    ORIGIN,
    headers_for,
    headers_for_any,
    is_foreign,
    preflight_headers,
    refusal_of,
)
from shared.contracts.ids import ProjectId
from shared.contracts.principal import Kind
from shared.guard.guard import Guard
from shared.kernel.errors import ErrorType, Refusal, Unavailable
from shared.postgres.errors import as_refusal
from shared.web.authenticate import KEY, identify
from shared.web.bodies import SMALL_BODY_BYTES, Body, Budget, Permit
from shared.web.call import JSON, TEXT, Blob, Call, Reply, Stream
from shared.web.dispatch import Table
from shared.web.endpoint import DIMENSIONS, METHODS, Endpoint, Mode
from shared.web.errors import error_body, error_headers
from shared.web.forms import Form
from shared.web.ingress import Ingress
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
from shared.web.parameters import Parameters
from shared.web.refusals import UNKNOWN_METHOD, UNKNOWN_ROUTE
from shared.web.request_id import request_id
from shared.web.scopes import Admission, Caller
from shared.web.sending import Conversation, Sender, of_blob
from shared.web.server import Connection
from shared.web.sockets import WebSocket, upgraded
from shared.web.timing import WebTiming
from shared.web.uploads import Upload

NO_PROJECT = "The request names no project: send its id in the header X-Appwrite-Project."
HEALTH = frozenset({"/livez", "/readyz"})
"""What is answered under any host, for monitoring."""

HSTS = ("Strict-Transport-Security", "max-age=10886400")

Answer = tuple[int, bytes | Stream | Conversation, str]
"""Status, body, content type."""

_CACHE_CONTROL = istr("Cache-Control")
_CONTENT_TYPE = istr("Content-Type")
_NO_NAMES = Names()
_VARIES = (("Vary", "Origin"),)

_log = structlog.get_logger()
_encode = msgspec.json.Encoder().encode


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint with what it takes to serve it, prepared once."""

    endpoint: Endpoint
    deps: object
    admission: Admission
    parameters: Parameters | None
    names: Names
    is_open: bool
    """Whether the handler reads the body by itself, or goes on as a WebSocket."""
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
            is_open=endpoint.mode is not Mode.PLAIN,
            counted_by=() if endpoint.limit is None else tuple(set(endpoint.limit.by) - DIMENSIONS),
        )


class Pipeline:
    """Serves prepared routes."""

    def __init__(self, *, guard: Guard, ingress: Ingress) -> None:
        self._guard = guard
        self._limiter = ingress.limiter
        self._edge = ingress.edge
        self._table: Table[Route] = Table()
        self._timing = ingress.timing
        self._guests = Budget(ingress.guest_body_bytes)
        self._others = Budget(ingress.body_bytes)
        self._sender = Sender(lambda: guard.watches, ingress.timing)
        self._refusals = ingress.refusals
        self.is_draining = False

    def drain(self) -> None:
        """Close connections after their answer from now on, and WebSockets at once."""
        self.is_draining = True
        self._sender.drain()

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
            answer = self._refuse(request, call, refusal)
        except Exception as error:  # noqa: BLE001 the last resort: the log hears all of it, the caller nothing
            answer = self._refuse(request, call, _unexpected(error, request.method))
        status, body, content_type = answer
        headers = self._headers(call, content_type)
        if not isinstance(body, bytes):
            try:
                return await self._send(request, headers, call, status, body)
            except Refusal as refusal:  # nothing has been sent yet
                call.headers = [header for header in call.headers if header[0] != _CACHE_CONTROL]
                status, body, content_type = self._refuse(request, call, refusal)
                headers = self._headers(call, content_type)
        response = Response(status=status, body=body, headers=headers)
        if self.is_draining or call.is_cut_off:
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
        match = self._table.find(method, target)
        if match is None:
            raise Refusal(ErrorType.GENERAL_ROUTE_NOT_FOUND, why_absent(target))
        route, path = match
        call.deps = route.deps
        if route.is_open:
            return await self._answer_open(route, request, call, path)
        if not is_in_query(request, method):
            return await self._answer_body(route, request, call, path)
        raw = parse_query(request, route.names)
        if route.endpoint.callers is not Caller.PUBLIC:
            await self._authenticate(route, request, call, ProjectId(raw.text(PROJECT) or header_project(request)))
        return await self._handle(route, request, call, raw, path)

    async def _answer_open(self, route: Route, request: BaseRequest, call: Call[object], path: list[str]) -> Answer:
        """Answer a request whose handler reads the body by itself, or goes on as a WebSocket."""
        endpoint = route.endpoint
        raw = parse_query(request, route.names)
        upload: Upload | None = None
        try:
            if endpoint.callers is not Caller.PUBLIC:
                await self._authenticate(route, request, call, ProjectId(header_project(request) or raw.text(PROJECT)))
            if endpoint.upgrade is not None:
                return await self._open_conversation(route, request, call, raw, path)
            budget = self._guests if call.principal.kind is Kind.GUEST else self._others
            check = partial(self._guard.check, call.principal)
            upload = Upload(request, budget, endpoint.max_body_bytes, check, self._timing)
            return await self._handle(route, request, call, raw, path, upload)
        finally:
            if upload is not None:
                upload.release()
            if not request.content.is_eof():
                cast("Connection", request.protocol).linger_briefly()
                call.is_cut_off = True

    async def _open_conversation(
        self, route: Route, request: BaseRequest, call: Call[object], raw: RawInput, path: list[str]
    ) -> Answer:
        endpoint = route.endpoint
        assert endpoint.upgrade is not None  # noqa: S101 for the type checker
        response = upgraded(request, endpoint.upgrade)
        arguments = _arguments(route, raw, path)
        limiter = None if call.principal.kind is Kind.KEY else self._limiter
        call.counts = None if limiter is None else limiter.counts
        if limiter is not None and endpoint.limit is not None:
            named = {name: raw.text(name) for name in route.counted_by}
            await limiter.succeed(await limiter.count(endpoint, endpoint.limit, call, named))

        async def handler(socket: WebSocket) -> None:
            await endpoint.handler(call, *arguments, socket)

        return 101, Conversation(response, handler), ""

    async def _answer_body(self, route: Route, request: BaseRequest, call: Call[object], path: list[str]) -> Answer:
        """Answer a request whose parameters are in its body."""
        endpoint = route.endpoint
        reader = _Reader(request, route, self._timing)
        try:
            if endpoint.callers is not Caller.PUBLIC:
                project_id = named_project(request, route.names)
                if not project_id:
                    project_id = (await reader.read(self._guests, SMALL_BODY_BYTES)).text(PROJECT)
                await self._authenticate(route, request, call, ProjectId(project_id))
            may_send_more = endpoint.may_send_more and partial(endpoint.may_send_more, call, path)
            budget = self._guests if call.principal.kind is Kind.GUEST else self._others
            raw = await reader.read(budget, endpoint.max_body_bytes, may_send_more)
            return await self._handle(route, request, call, raw, path)
        finally:
            reader.release()

    async def _authenticate(
        self, route: Route, request: BaseRequest, call: Call[object], project_id: ProjectId
    ) -> None:
        if not project_id:
            raise Refusal(ErrorType.PROJECT_NOT_FOUND, NO_PROJECT)
        call.project = await self._guard.project(project_id)
        headers = request.headers
        origin = headers.get(ORIGIN)
        if origin is not None or FETCH_SITE in headers:
            call.is_foreign = is_foreign(call.project, request.method, headers, call.client.own_host)
        if origin is not None and not call.is_foreign:
            call.headers += headers_for(origin)
        if call.is_foreign and not headers.get(KEY):
            raise Refusal(ErrorType.GENERAL_UNKNOWN_ORIGIN, refusal_of(call.project, origin))
        identity = await identify(self._guard, call.project, headers, self._edge.cookies)
        call.principal = identity.principal
        call.user = identity.user
        call.headers.append(("X-Debug-Fallback", "true" if identity.is_fallback else "false"))
        # The principal decides, not the header: a page can send any header, but knows no key.
        if call.is_foreign and call.principal.kind is not Kind.KEY:
            raise Refusal(ErrorType.GENERAL_UNKNOWN_ORIGIN, refusal_of(call.project, origin))
        await _admit(route, call)
        _check_switches(route.endpoint, call)
        if call.project.session_idle_s and call.user is not None and call.user.session_id:
            self._guard.uses.note(call.project.id, call.user.session_id)

    async def _handle(
        self,
        route: Route,
        request: BaseRequest,
        call: Call[object],
        raw: RawInput,
        path: list[str],
        upload: Upload | None = None,
    ) -> Answer:
        endpoint = route.endpoint
        if raw.fault is not None:
            raise raw.fault
        if upload is not None:
            arguments = _open_arguments(route, raw, path, upload)
        else:
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
        answer = _rendered(endpoint, result, request, call)
        call.headers.append((_CACHE_CONTROL, endpoint.cache_control))
        if endpoint.callers is Caller.PUBLIC and HEALTH.isdisjoint(endpoint.paths):
            call.headers += headers_for_any(call.header(ORIGIN)) or _VARIES
        return answer

    def _headers(self, call: Call[object], content_type: str) -> list[tuple[str, str]]:
        hsts = [HSTS] if self._edge.is_set and call.client.scheme == "https" else []
        return [*call.headers, (_CONTENT_TYPE, content_type), *hsts]

    def _refuse(self, request: BaseRequest, call: Call[object], refusal: Refusal) -> Answer:
        method = "GET" if request.method == "HEAD" else request.method
        match = self._table.find(method, request.raw_path.partition("?")[0])
        self._refusals.note(
            refusal,
            method=method if method in METHODS else UNKNOWN_METHOD,
            route=UNKNOWN_ROUTE if match is None else match[0].endpoint.paths[0],
            project_id=call.project.id,
            origin=call.header(ORIGIN),
        )
        call.headers += error_headers(refusal)
        _open_to_page(call, refusal)
        status, body = error_body(refusal)
        return status, body, JSON

    async def _send(
        self,
        request: BaseRequest,
        headers: list[tuple[str, str]],
        call: Call[object],
        status: int,
        body: Stream | Conversation,
    ) -> StreamResponse:
        """Send what is more than one piece of bytes; raises the `Refusal` of a caller who has ended before that."""
        if isinstance(body, Conversation):
            body.response.headers.extend(headers)
            await self._sender.converse(request, call, body)
            return body.response
        response = StreamResponse(status=status, headers=headers)
        if self.is_draining or call.is_cut_off:
            response.force_close()
        await self._sender.send(request, response, call, body)
        return response


class _Reader:
    """Reads the body of one request: once, and no earlier than it is needed."""

    __slots__ = ("_body", "_names", "_raw", "_request", "_timing")

    def __init__(self, request: BaseRequest, route: Route, timing: WebTiming) -> None:
        self._request = request
        self._timing = timing
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
        self._body = Body(self._request, budget, self._timing)
        most = min(most, MAX_FORM_BYTES) if is_form(self._request) else most
        return parse_body(self._request, await self._body.read(most, may_send_more), self._names)


def _arguments(route: Route, raw: RawInput, path: list[str]) -> tuple[object, ...]:
    if raw.fault is not None:
        raise raw.fault
    return () if route.parameters is None else (route.parameters.parse(raw, path),)


def _open_arguments(route: Route, raw: RawInput, path: list[str], upload: Upload) -> tuple[object, ...]:
    if route.endpoint.mode is Mode.UPLOAD:
        return (*_arguments(route, raw, path), upload)
    assert route.parameters is not None  # noqa: S101 for the type checker
    values = route.parameters.read_path(path)
    raw.values |= values
    return (Form(upload, values, route.parameters),)


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


def _rendered(endpoint: Endpoint, result: object, request: BaseRequest, call: Call[object]) -> Answer:
    if isinstance(result, (bytes, Stream, Blob)):
        return _rendered_bytes(endpoint, result, request, call)
    if isinstance(result, Reply):
        return result.status or endpoint.status, result.body, result.content_type
    if result is None:
        return endpoint.status, b"", TEXT
    return endpoint.status, _encode(result), JSON


def _rendered_bytes(
    endpoint: Endpoint, result: bytes | Stream | Blob, request: BaseRequest, call: Call[object]
) -> Answer:
    if isinstance(result, bytes):
        return endpoint.status, result, JSON
    if isinstance(result, Stream):
        return endpoint.status, result, result.content_type
    status, stream = of_blob(result, request, call)
    return status, stream, stream.content_type


def _open_to_page(call: Call[object], refusal: Refusal) -> None:
    """Let a page read why it is refused: any page before the project is known, later one that may call.

    One that may not call reads only that.
    """
    if call.is_foreign and refusal.type is not ErrorType.GENERAL_UNKNOWN_ORIGIN:
        return
    if all(name != ALLOW_ORIGIN for name, _ in call.headers):
        call.headers += headers_for_any(call.header(ORIGIN))
