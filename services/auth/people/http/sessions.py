"""Sessions of the user who calls, and every way of signing in."""

from typing import Annotated

import msgspec

from services.auth.deps import AuthDeps
from services.auth.people.domain.records import Client
from services.auth.people.http.models import Session, SessionList, session_model
from services.auth.people.operations import sessions as operations
from services.auth.people.operations import sign_in
from services.auth.people.operations.sessions import EndedCredential
from services.auth.people.operations.sign_in import Credentials, SignedIn
from services.auth.projects.domain.projects import SHORTEST_SESSION_S
from shared.appwrite.agents import bounded_agent
from shared.contracts.ids import NO_SESSION, SessionId, UserId
from shared.contracts.principal import Kind
from shared.guard.jwt import claims_of
from shared.kernel.errors import ErrorType
from shared.web.authenticate import JWT
from shared.web.endpoint import Call, Caller, RateLimit, Routes
from shared.web.parameters import IdOf
from shared.web.receipts import add_receipt, with_receipt

# A call that takes rights away has no rate limit: other callers must not keep a user from signing out.
routes = Routes[AuthDeps]("account", {"sessionId": ErrorType.USER_SESSION_NOT_FOUND})

CURRENT = "current"
AGENT, FORWARDED_AGENT = "User-Agent", "X-Forwarded-User-Agent"


class CreateEmailSession(msgspec.Struct, frozen=True, kw_only=True):
    """Credentials. `duration` in seconds makes the session shorter than the project has it."""

    email: Annotated[str, msgspec.Meta(min_length=1, max_length=320)]
    password: Annotated[str, msgspec.Meta(min_length=8, max_length=256)]
    duration: Annotated[int, msgspec.Meta(ge=SHORTEST_SESSION_S)] | None = None


class CreateTokenSession(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A login token of a user."""

    user_id: IdOf[UserId]
    secret: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class SessionPath(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One session: its id, or `current`."""

    session_id: IdOf[SessionId]


class ListSessions(msgspec.Struct, frozen=True, kw_only=True):
    """`total` false: skip counting."""

    total: bool = True


class DeleteSessions(msgspec.Struct, frozen=True, kw_only=True):
    """`current` false spares the session that calls."""

    current: bool = True


async def await_own_revocation(call: Call[AuthDeps]) -> None:
    """Wait until the revocation of the caller's own credential is in force everywhere; clear its cookie."""
    if (secret := call.session_secret) is not None:
        call.clear_session_cookies()
        ended = EndedCredential(call.project.id, secret.id, secret_digest=secret.digest())
    elif token := call.header(JWT):
        claims = claims_of(token)
        ended = EndedCredential(call.project.id, claims.user_id, session_id=claims.session_id)
    else:
        return
    await operations.await_own_revocation(call.deps, ended)


@routes.endpoint(
    "POST",
    "/v1/account/sessions/email",
    name="account.create_email_password_session",
    aliases=("/v1/account/sessions",),
    callers=Caller.ANYONE,
    scopes=("sessions.write",),
    status=201,
    limit=RateLimit(10, by=("ip", "email"), reset_on_success=True, fail_closed=True),
    auth_method="email-password",
    forbids_session=True,
    errors=(ErrorType.USER_INVALID_CREDENTIALS, ErrorType.USER_BLOCKED, ErrorType.GENERAL_BUSY),
)
async def create_email_session(call: Call[AuthDeps], params: CreateEmailSession) -> Session:
    """Sign in by e-mail and password."""
    signed_in = await sign_in.create_email_session(
        call.deps,
        call.project,
        credentials=Credentials(params.email, params.password, params.duration),
        client=client_of(call),
        counts=call.counts,
    )
    return _session_of(call, signed_in)


@routes.endpoint(
    "POST",
    "/v1/account/sessions/anonymous",
    name="account.create_anonymous_session",
    callers=Caller.ANYONE,
    scopes=("sessions.write",),
    status=201,
    limit=RateLimit(50, by=("ip",), fail_closed=True, may_spare_local=True),
    auth_method="anonymous",
    forbids_session=True,
    errors=(ErrorType.USER_COUNT_EXCEEDED,),
)
async def create_anonymous_session(call: Call[AuthDeps]) -> Session:
    """Create a user without an address, and sign in."""
    signed_in = await sign_in.create_anonymous_session(call.deps, call.project, client=client_of(call))
    return _session_of(call, signed_in)


@routes.endpoint(
    "POST",
    "/v1/account/sessions/token",
    name="account.create_session",
    callers=Caller.ANYONE,
    scopes=("sessions.write",),
    status=201,
    limit=RateLimit(10, by=("ip", "userId"), reset_on_success=True, fail_closed=True),
    forbids_session=True,
    errors=(ErrorType.USER_INVALID_TOKEN,),
)
async def create_session(call: Call[AuthDeps], params: CreateTokenSession) -> Session:
    """Exchange a login token for a session."""
    signed_in = await sign_in.create_token_session(
        call.deps, call.project, user_id=params.user_id, secret=params.secret, client=client_of(call)
    )
    return _session_of(call, signed_in)


@routes.endpoint("GET", "/v1/account/sessions", name="account.list_sessions", callers=Caller.USER, scopes=("account",))
async def list_sessions(call: Call[AuthDeps], params: ListSessions) -> SessionList:
    """List the sessions of the user who calls."""
    listed = await operations.list_sessions(call.deps, call.project.id, user_id=call.principal.user_id)
    total = len(listed) if params.total else 0
    return SessionList(total=total, sessions=[session_model(call.deps, one, current=_current(call)) for one in listed])


@routes.endpoint(
    "GET", "/v1/account/sessions/{sessionId}", name="account.get_session", callers=Caller.USER, scopes=("account",)
)
async def get_session(call: Call[AuthDeps], params: SessionPath) -> Session:
    """Return one session of the user who calls."""
    session = await operations.get_session(
        call.deps, call.project.id, user_id=call.principal.user_id, session_id=_chosen(call, params)
    )
    return session_model(call.deps, session, current=_current(call))


@routes.endpoint(
    "PATCH",
    "/v1/account/sessions/{sessionId}",
    name="account.update_session",
    callers=Caller.USER,
    scopes=("account",),
    limit=RateLimit(10, by=("user",)),
    errors=(ErrorType.USER_SESSION_NOT_FOUND, ErrorType.REVOCATION_UNCONFIRMED),
)
async def update_session(call: Call[AuthDeps], params: SessionPath) -> Session:
    """Extend a session by the project's session duration, from now."""
    changed = await operations.update_session(
        call.deps,
        call.principal,
        project=call.project,
        user_id=call.principal.user_id,
        session_id=_chosen(call, params),
    )
    return session_model(call.deps, with_receipt(call, changed), current=_current(call))


@routes.endpoint(
    "DELETE",
    "/v1/account/sessions/{sessionId}",
    name="account.delete_session",
    callers=Caller.USER,
    scopes=("account",),
    status=204,
    before_refusal=await_own_revocation,
    errors=(ErrorType.USER_SESSION_NOT_FOUND, ErrorType.REVOCATION_UNCONFIRMED),
)
async def delete_session(call: Call[AuthDeps], params: SessionPath) -> None:
    """Delete a session: when this has answered, no replica of any service accepts it, nor a JWT made from it."""
    session_id = _chosen(call, params)
    if session_id == call.principal.session_id:
        call.clear_session_cookies()
    receipt = await operations.delete_session(
        call.deps, call.principal, user_id=call.principal.user_id, session_id=session_id
    )
    add_receipt(call, receipt)


@routes.endpoint(
    "DELETE",
    "/v1/account/sessions",
    name="account.delete_sessions",
    callers=Caller.USER,
    scopes=("account",),
    status=204,
    before_refusal=await_own_revocation,
    errors=(ErrorType.REVOCATION_UNCONFIRMED,),
)
async def delete_sessions(call: Call[AuthDeps], params: DeleteSessions) -> None:
    """Delete all sessions of the user who calls, or all others, everywhere; a JWT is no session to be spared."""
    kept = NO_SESSION if params.current else _current(call)
    if not kept:
        call.clear_session_cookies()
    receipt = await operations.delete_sessions(call.deps, call.principal, user_id=call.principal.user_id, kept=kept)
    add_receipt(call, receipt)


def client_of(call: Call[AuthDeps]) -> Client:
    """Return what a session is made from. A backend may pass on the User-Agent of the browser that it signs in for."""
    forwarded = call.header(FORWARDED_AGENT) if call.principal.kind is Kind.KEY else ""
    return Client(ip=call.client.ip, user_agent=bounded_agent(forwarded or call.header(AGENT)))


def send_cookies(call: Call[AuthDeps], signed_in: SignedIn) -> None:
    """Send the cookies of a new session."""
    call.deps.deployment.note_session(scheme=call.client.scheme, host=call.client.host)
    call.set_session_cookies(signed_in.secret, signed_in.session.expires_at)


def _session_of(call: Call[AuthDeps], signed_in: SignedIn) -> Session:
    send_cookies(call, signed_in)
    add_receipt(call, signed_in.receipt)
    # Only a backend is shown the secret; a browser has it in its cookie, out of reach of scripts.
    secret = signed_in.secret.wire() if call.principal.kind is Kind.KEY else ""
    return session_model(call.deps, signed_in.session, current=signed_in.session.id, secret=secret)


def _current(call: Call[AuthDeps]) -> SessionId:
    """Return the session that calls; empty for a JWT, even one made from a session."""
    return call.principal.session_id if call.principal.kind is Kind.SESSION else NO_SESSION


def _chosen(call: Call[AuthDeps], params: SessionPath) -> SessionId:
    """Return the session that is meant; `current` of a JWT is the session it was made from."""
    return call.principal.session_id if params.session_id == CURRENT else params.session_id
