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

A handler returns a `msgspec.Struct` (sent as JSON), `bytes` (JSON, rendered already), a `Reply`, a `Stream` (JSON in
parts), or None (no content: status 204). It refuses by raising `Refusal`. Parameters of the path take their names from
it (`/v1/users/{userId}`). A nullable parameter without a default (`default: str | None`) must be sent, and may be null;
for all others null is the same as absent. `shared.web.parameters` has the types of ids.
'''

import inspect
import re
import typing
from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, TypeVar

import msgspec

from shared.kernel.errors import ErrorType
from shared.web.bodies import SMALL_BODY_BYTES
from shared.web.call import Call, Reply, Stream
from shared.web.scopes import Caller

__all__ = ["Call", "Caller", "Endpoint", "RateLimit", "Reply", "Routes", "Stream"]

D = TypeVar("D")
Handler = Callable[..., Awaitable[object]]
H = TypeVar("H", bound=Handler)

NO_STORE = "no-store"
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
PLACEHOLDER = re.compile(r"\{([A-Za-z]+)\}")
DIMENSIONS = frozenset({"ip", "method", "url", "user"})


class RateLimit(msgspec.Struct, frozen=True):
    """At most `amount` calls per window of `window_s` seconds, counted by project and by `by`.

    `by` names `ip`, `method`, `url`, `user`, or a parameter. `reset_on_success`: a call that succeeds (201) clears the
    count. `fail_closed`: where calls cannot be counted they are refused by 503 instead of let through. Where a
    parameter is named, the failures of the caller's address are counted before (`shared.web.limits`).
    """

    amount: int
    window_s: int = 3600
    by: tuple[str, ...] = ("url", "ip")
    reset_on_success: bool = False
    fail_closed: bool = False


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
    auth_method: str
    """The project's switch that turns this off, by Appwrite's name of it; empty: none."""
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
    """The type of the answer: a struct, `bytes`, `Reply` or `NoneType`."""
    summary: str

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
        auth_method: str = "",
        forbids_session: bool = False,
        errors: tuple[ErrorType, ...] = (),
        model: type[msgspec.Struct] | None = None,
        max_body_bytes: int = SMALL_BODY_BYTES,
        may_send_more: Callable[..., Awaitable[bool]] | None = None,
        before_refusal: Handler | None = None,
        cache_control: str = NO_STORE,
    ) -> Callable[[H], H]:
        """Declare the decorated function as an endpoint.

        `scopes`: any one suffices. `max_body_bytes` bounds the body; a form is small in any case. `model` describes an
        answer that the handler returns as bytes. `errors` are those that the handler itself raises, for the
        documentation. Raises `TypeError` where the declaration contradicts
        itself.
        """

        def declare(handler: H) -> H:
            params, answer = _signature(handler)
            missing = {error for name, error in self.not_found.items() if f"{{{name}}}" in path}
            declared = Endpoint(
                service=self.service,
                name=name,
                method=method,
                paths=(path, *aliases),
                callers=callers,
                scopes=scopes,
                status=status,
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
            )
            self.add(declared)
            return handler

        return declare

    def add(self, endpoint: Endpoint) -> None:
        """Add an endpoint; raises `TypeError` where its declaration contradicts itself."""
        _check(endpoint)
        self.endpoints.append(endpoint)


def _signature(handler: Handler) -> tuple[type[msgspec.Struct] | None, object]:
    hints = typing.get_type_hints(handler, include_extras=True)
    names = list(inspect.signature(handler).parameters)
    params = hints.get(names[1]) if len(names) > 1 else None
    if params is not None and not (isinstance(params, type) and issubclass(params, msgspec.Struct)):
        raise TypeError(f"{handler.__name__}: parameters are a msgspec.Struct")
    return params, hints["return"]


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
    if (endpoint.answer is type(None)) != (endpoint.status == 204):  # noqa: PLR2004 the status that says "no content"
        faults.append("status 204 and None go together")
    if faults:
        raise TypeError(f"{endpoint.name}: {'; '.join(faults)}")
