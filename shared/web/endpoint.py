'''Endpoint declarations: one place says who may call what, how often, with which parameters, for which answer.

    routes = Routes[AuthDeps]("account")

    class CreateJwt(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
        """Parameters by name, wherever they travel: path, query (GET) or body. No default: mandatory."""

        duration: Annotated[int, msgspec.Meta(ge=1, le=3600)] = 900

    @routes.endpoint(
        "POST", "/v1/account/jwts", name="account.create_jwt", aliases=("/v1/account/jwt",),
        callers=Caller.USER, scopes=("account",), limit=RateLimit(120, 60, by=("url", "user")), status=201,
    )
    async def create_account_jwt(call: Call[AuthDeps], params: CreateJwt) -> Jwt:
        return await operations.create_jwt(call.deps.pool, call.principal, params.duration)

    app = WebApp([(routes, deps)], guard=guard)

A handler returns a `msgspec.Struct` (sent as JSON), `bytes` (JSON, rendered already), a `Reply`, a `Stream` (in parts),
a `Blob` (of which a GET may ask for a range), or None (no content: status 204). It refuses by raising `Refusal`.
Parameters of the path take their names from it (`/v1/users/{userId}`). A nullable parameter without a default
(`default: str | None`) must be sent, and may be null; for all others null is the same as absent.
`shared.web.parameters` has the types of ids.

What a handler takes beside its call says how it is fed (`Mode`). It starts before any of the body has been read, and
so refuses whom it likes:

    async def put_part(call: Call[D], params: PutPart, upload: Upload) -> None         # a body in chunks
    async def create_file(call: Call[D], form: Form[CreateFile]) -> File               # multipart/form-data
    async def listen(call: Call[D], params: Listen, socket: WebSocket) -> None         # with `upgrade=Upgrade(…)`
'''

import enum
import inspect
import re
import typing
from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, TypeVar

import msgspec

from shared.contracts.auth_methods import AuthMethod
from shared.kernel.errors import ErrorType
from shared.web.bodies import SMALL_BODY_BYTES
from shared.web.call import Blob, Call, Reply, Stream
from shared.web.forms import Form
from shared.web.scopes import Caller
from shared.web.sockets import Upgrade, WebSocket
from shared.web.uploads import Upload

__all__ = [
    "Blob",
    "Call",
    "Caller",
    "Endpoint",
    "Form",
    "Mode",
    "RateLimit",
    "Reply",
    "Routes",
    "Stream",
    "Upgrade",
    "Upload",
    "WebSocket",
]

D = TypeVar("D")
Handler = Callable[..., Awaitable[object]]
H = TypeVar("H", bound=Handler)

NO_STORE = "no-store"
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
PLACEHOLDER = re.compile(r"\{([A-Za-z]+)\}")
NO_CONTENT = 204
SWITCHING_PROTOCOLS = 101
DIMENSIONS = frozenset({"chunk", "ip", "method", "url", "user"})


class Mode(enum.Enum):
    """How a handler is fed. `PLAIN`: with its parameters alone, once the body has been read."""

    PLAIN = "plain"
    UPLOAD = "upload"
    FORM = "form"
    WEBSOCKET = "websocket"


class RateLimit(msgspec.Struct, frozen=True):
    """At most `amount` calls per window of `window_s` seconds, counted by project and by `by`.

    `by` names `ip`, `method`, `url`, `user`, `chunk` (of an upload), or a parameter.
    `reset_on_success`: a call that succeeds (201) clears the
    count. `fail_closed`: where calls cannot be counted they are refused by 503 instead of let through.
    `may_spare_local`: the machine itself may call more often while an app is developed there. Where a parameter
    is named, the failures of the caller's address are counted before (`shared.web.limits`).
    """

    amount: int
    window_s: int = 3600
    by: tuple[str, ...] = ("url", "ip")
    reset_on_success: bool = False
    fail_closed: bool = False
    may_spare_local: bool = False


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A declared endpoint. Admission, validation, limits and the OpenAPI document all follow from it."""

    service: str
    name: str
    method: str
    paths: tuple[str, ...]
    """The path, then its aliases."""
    callers: Caller
    scopes: tuple[str, ...]
    status: int
    limit: RateLimit | None
    auth_method: AuthMethod | None
    """The switch by which a project turns this off; None: it cannot."""
    forbids_session: bool
    errors: tuple[ErrorType, ...]
    handler: Handler
    params: type[msgspec.Struct] | None
    cache_control: str
    """`Cache-Control` of the answer (RFC 9111): `no-store` unless the answer is the same for everybody."""
    max_body_bytes: int
    may_send_more: Callable[..., Awaitable[bool]] | None
    """Called with the call and the path's parameters before more than a small body is read; None: who is admitted may.

    Returns whether this caller may send so much.
    """
    before_refusal: Handler | None
    """Called with the call of somebody who is not admitted, before that is said."""
    answer: object
    """The type of the answer: a struct, `bytes`, `Reply`, `Stream`, `Blob` or `NoneType`."""
    summary: str
    mode: Mode = Mode.PLAIN
    upgrade: Upgrade | None = None

    def placeholders(self) -> tuple[str, ...]:
        """Return the names of the parameters in the path."""
        return tuple(PLACEHOLDER.findall(self.paths[0]))


class Routes(Generic[D]):
    """The endpoints of one part of a service; `D` is what their handlers need.

    `not_found` has the error for each parameter in a path that names nothing: every endpoint of such a path may answer
    with it.
    """

    def __init__(self, service: str, not_found: Mapping[str, ErrorType] | None = None) -> None:
        self.service = service
        self.not_found = not_found or {}
        self.endpoints: list[Endpoint] = []

    def endpoint(
        self,
        method: str,
        path: str,
        *,
        name: str,
        callers: Caller,
        scopes: tuple[str, ...] = (),
        status: int = 200,
        aliases: tuple[str, ...] = (),
        limit: RateLimit | None = None,
        auth_method: AuthMethod | None = None,
        forbids_session: bool = False,
        errors: tuple[ErrorType, ...] = (),
        model: type[msgspec.Struct] | None = None,
        max_body_bytes: int = SMALL_BODY_BYTES,
        may_send_more: Callable[..., Awaitable[bool]] | None = None,
        before_refusal: Handler | None = None,
        cache_control: str = NO_STORE,
        upgrade: Upgrade | None = None,
    ) -> Callable[[H], H]:
        """Declare the decorated function as an endpoint.

        The parameters are many, and stay flat: each is a fact by itself, most endpoints name six of them, and values
        around them would only make a declaration longer.

        `scopes`: any one suffices. `max_body_bytes` bounds the body; a form is small in any case. `model` describes an
        answer that the handler returns as bytes. `errors` are those that the handler itself raises, for the
        documentation. `upgrade` has the rules of a WebSocket. Raises `TypeError` where the declaration contradicts
        itself.
        """

        def declare(handler: H) -> H:
            params, mode, answer = _signature(handler)
            missing = {error for name, error in self.not_found.items() if f"{{{name}}}" in path}
            declared = Endpoint(
                service=self.service,
                name=name,
                method=method,
                paths=(path, *aliases),
                callers=callers,
                scopes=scopes,
                status=status if upgrade is None else SWITCHING_PROTOCOLS,
                limit=limit,
                auth_method=auth_method,
                forbids_session=forbids_session,
                errors=(*errors, *sorted(missing.difference(errors))),
                handler=handler,
                params=params,
                max_body_bytes=max_body_bytes,
                may_send_more=may_send_more,
                before_refusal=before_refusal,
                cache_control=cache_control,
                answer=model or answer,
                summary=inspect.cleandoc(handler.__doc__ or name).splitlines()[0],
                mode=mode,
                upgrade=upgrade,
            )
            self.add(declared)
            return handler

        return declare

    def add(self, endpoint: Endpoint) -> None:
        """Add an endpoint; raises `TypeError` where its declaration contradicts itself."""
        _check(endpoint)
        self.endpoints.append(endpoint)


_MODES: dict[object, Mode] = {Upload: Mode.UPLOAD, WebSocket: Mode.WEBSOCKET}


def _signature(handler: Handler) -> tuple[type[msgspec.Struct] | None, Mode, object]:
    """Return the type of the parameters, how the handler is fed, and the type of its answer."""
    hints = typing.get_type_hints(handler, include_extras=True)
    taken = [hints.get(name) for name in list(inspect.signature(handler).parameters)[1:]]
    mode = Mode.PLAIN
    if taken and taken[-1] in _MODES:
        mode = _MODES[taken.pop()]
    elif taken and typing.get_origin(taken[0]) is Form:
        mode = Mode.FORM
        taken[:1] = typing.get_args(taken[0])
    params = taken[0] if taken else None
    if len(taken) > 1 or not (params is None or (isinstance(params, type) and issubclass(params, msgspec.Struct))):
        raise TypeError(f"{handler.__name__}: parameters are a msgspec.Struct")
    return params, mode, hints["return"]


def _check(endpoint: Endpoint) -> None:
    fields = {} if endpoint.params is None else {f.encode_name: f for f in msgspec.structs.fields(endpoint.params)}
    faults = []
    if endpoint.method not in METHODS:
        faults.append(f"method {endpoint.method}")
    for path in endpoint.paths:
        faults += [f"path parameter {name} is not declared" for name in PLACEHOLDER.findall(path) if name not in fields]
        if PLACEHOLDER.findall(path) != list(endpoint.placeholders()):
            faults.append(f"alias {path} has other parameters")
    if endpoint.limit is not None:
        faults += [f"no dimension {by}" for by in endpoint.limit.by if by not in DIMENSIONS and by not in fields]
    if (endpoint.answer is type(None)) != (endpoint.status in {NO_CONTENT, SWITCHING_PROTOCOLS}):
        faults.append("status 204 and None go together")
    faults += _faults_of_mode(endpoint)
    if faults:
        raise TypeError(f"{endpoint.name}: {'; '.join(faults)}")


def _faults_of_mode(endpoint: Endpoint) -> list[str]:
    faults = []
    takes_body = endpoint.mode in {Mode.UPLOAD, Mode.FORM}
    if takes_body and endpoint.method not in {"POST", "PUT", "PATCH"}:
        faults.append(f"a {endpoint.method} has no body to read")
    if takes_body and endpoint.may_send_more is not None:
        faults.append("the handler itself says who may send a body")
    if endpoint.mode is Mode.FORM and endpoint.limit is not None:
        early = DIMENSIONS.union(endpoint.placeholders())
        faults += [f"{by} is not known before the form is read" for by in endpoint.limit.by if by not in early]
    if (endpoint.mode is Mode.WEBSOCKET) != (endpoint.upgrade is not None):
        faults.append("a WebSocket and `upgrade` go together")
    if endpoint.upgrade is not None and endpoint.method != "GET":
        faults.append("a WebSocket begins with a GET")
    return faults
