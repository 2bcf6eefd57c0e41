"""The users service: the sessions of users, as backends see and end them."""

from services.auth.deps import AuthDeps
from services.auth.people.http.models import Session, SessionList, session_model
from services.auth.people.http.sessions import client_of
from services.auth.people.http.users import UserPath
from services.auth.people.operations import sessions, sign_in
from shared.contracts.ids import SessionId
from shared.kernel.errors import ErrorType
from shared.web.endpoint import Call, Caller, Routes
from shared.web.parameters import IdOf
from shared.web.receipts import add_receipt

routes = Routes[AuthDeps]("users", {"userId": ErrorType.USER_NOT_FOUND, "sessionId": ErrorType.USER_SESSION_NOT_FOUND})

SESSIONS_READ, SESSIONS_WRITE = ("users.read", "sessions.read"), ("users.write", "sessions.write")


class ListSessions(UserPath, frozen=True, kw_only=True, rename="camel"):
    """`total` false: skip counting."""

    total: bool = True


class SessionPath(UserPath, frozen=True, kw_only=True, rename="camel"):
    """One session of a user."""

    session_id: IdOf[SessionId]


@routes.endpoint(
    "GET", "/v1/users/{userId}/sessions", name="users.list_sessions", callers=Caller.KEY, scopes=SESSIONS_READ
)
async def list_user_sessions(call: Call[AuthDeps], params: ListSessions) -> SessionList:
    """List a user's sessions."""
    listed = await sessions.list_sessions(call.deps, call.project.id, user_id=params.user_id)
    return SessionList(
        total=len(listed) if params.total else 0, sessions=[session_model(call.deps, one) for one in listed]
    )


@routes.endpoint(
    "POST",
    "/v1/users/{userId}/sessions",
    name="users.create_session",
    callers=Caller.KEY,
    scopes=SESSIONS_WRITE,
    status=201,
)
async def create_user_session(call: Call[AuthDeps], params: UserPath) -> Session:
    """Create a session for a user; its secret goes to the backend that asks."""
    signed_in = await sign_in.create_user_session(
        call.deps, call.project, user_id=params.user_id, client=client_of(call)
    )
    return session_model(call.deps, signed_in.session, secret=signed_in.secret.wire())


@routes.endpoint(
    "DELETE",
    "/v1/users/{userId}/sessions/{sessionId}",
    name="users.delete_session",
    callers=Caller.KEY,
    scopes=SESSIONS_WRITE,
    status=204,
    errors=(ErrorType.USER_SESSION_NOT_FOUND, ErrorType.REVOCATION_UNCONFIRMED),
)
async def delete_user_session(call: Call[AuthDeps], params: SessionPath) -> None:
    """Delete a session of a user, everywhere."""
    receipt = await sessions.delete_session(
        call.deps, call.principal, user_id=params.user_id, session_id=params.session_id
    )
    add_receipt(call, receipt)


@routes.endpoint(
    "DELETE",
    "/v1/users/{userId}/sessions",
    name="users.delete_sessions",
    callers=Caller.KEY,
    scopes=SESSIONS_WRITE,
    status=204,
)
async def delete_user_sessions(call: Call[AuthDeps], params: UserPath) -> None:
    """Delete all sessions of a user, everywhere."""
    add_receipt(call, await sessions.delete_sessions(call.deps, call.principal, user_id=params.user_id))
