"""What the command line asks about users and sessions, and what other services ask about sessions."""

from collections.abc import Iterable

from services.auth.deps import AuthDeps
from services.auth.people.domain.records import NewUser, Session, User, UserChange
from services.auth.people.operations import idle, sessions, users
from services.auth.projects.operations.projects import get_project
from shared.contracts import administration as admin
from shared.contracts.requests import Done, FindSession, ResolvedSession, SessionsUsed
from shared.guard.changing import once
from shared.kernel.clock import wire_date
from shared.messaging.answers import Requests
from shared.queries.lists import ListQuery
from shared.queries.tree import Query

requests = Requests[AuthDeps]()


@requests.answers(SessionsUsed)
async def mark_sessions_used(deps: AuthDeps, request: SessionsUsed) -> Done:
    """Record that sessions are used."""
    await idle.mark_used(deps.pool, request.sessions)
    return Done()


@requests.answers(FindSession)
async def find_session(deps: AuthDeps, request: FindSession) -> ResolvedSession:
    """Return the session to bind a JWT to."""
    return await sessions.find_session(deps, request.project_id, user_id=request.user_id, session_id=request.session_id)


@requests.answers(admin.CreateUser)
async def create_user(deps: AuthDeps, request: admin.CreateUser) -> admin.UserRecords:
    """Make a user, once."""
    project = (await get_project(deps, request.project_id)).project
    new = NewUser(id=request.id, name=request.name, email=request.email, password_hash=request.password_hash)
    return _users([await users.create_user_once(deps, project, new=new)])


@requests.answers(admin.ListUsers)
async def list_users(deps: AuthDeps, request: admin.ListUsers) -> admin.UserRecords:
    """Return the users that are searched for."""
    await get_project(deps, request.project_id)
    query = ListQuery(query=Query(limit=request.limit), search=request.search, total=False)
    return _users((await users.list_users(deps, request.project_id, query=query)).items)


@requests.answers(admin.ShowUser)
async def show_user(deps: AuthDeps, request: admin.ShowUser) -> admin.UserRecords:
    """Return a user."""
    return _users([await users.get_user(deps, request.project_id, user_id=request.id)])


@requests.answers(admin.UpdateUser)
async def update_user(deps: AuthDeps, request: admin.UpdateUser) -> admin.UserRecords:
    """Change a user."""
    project = (await get_project(deps, request.project_id)).project
    user_change = UserChange(
        name=request.name,
        email=request.email,
        phone=request.phone,
        labels=None if request.labels is None else list(request.labels),
        email_verified=request.email_verified,
        phone_verified=request.phone_verified,
    )
    receipt = await once(
        deps,
        request,
        lambda actor: users.update_user(deps, actor, project=project, user_id=request.id, user_change=user_change),
    )
    return _users([await users.get_user(deps, request.project_id, user_id=request.id)], receipt)


@requests.answers(admin.SetUserPassword)
async def set_user_password(deps: AuthDeps, request: admin.SetUserPassword) -> admin.UserRecords:
    """Give a user another password."""
    project = (await get_project(deps, request.project_id)).project
    receipt = await once(
        deps,
        request,
        lambda actor: users.replace_hash(
            deps, actor, project=project, user_id=request.id, new_hash=request.password_hash
        ),
    )
    return _users([], receipt)


@requests.answers(admin.SetUserStatus)
async def set_user_status(deps: AuthDeps, request: admin.SetUserStatus) -> admin.UserRecords:
    """Block or unblock a user."""
    receipt = await once(
        deps, request, lambda actor: users.update_status(deps, actor, user_id=request.id, enabled=request.enabled)
    )
    return _users([await users.get_user(deps, request.project_id, user_id=request.id)], receipt)


@requests.answers(admin.DeleteUser)
async def delete_user(deps: AuthDeps, request: admin.DeleteUser) -> admin.UserRecords:
    """Delete a user."""
    receipt = await once(deps, request, lambda actor: users.delete_user(deps, actor, user_id=request.id))
    return _users([], receipt)


@requests.answers(admin.ListSessions)
async def list_sessions(deps: AuthDeps, request: admin.ListSessions) -> admin.SessionRecords:
    """Return a user's sessions."""
    listed = await sessions.list_sessions(deps, request.project_id, user_id=request.user_id)
    return admin.SessionRecords(sessions=tuple(map(_session, listed)))


@requests.answers(admin.RevokeSession)
async def revoke_session(deps: AuthDeps, request: admin.RevokeSession) -> admin.SessionRecords:
    """End one session of a user, or all."""
    receipt = await once(
        deps,
        request,
        lambda actor: (
            sessions.delete_session(deps, actor, user_id=request.user_id, session_id=request.id)
            if request.id
            else sessions.delete_sessions(deps, actor, user_id=request.user_id)
        ),
    )
    return admin.SessionRecords(sessions=(), receipt=receipt)


@requests.answers(admin.RevokeAllSessions)
async def revoke_all_sessions(deps: AuthDeps, request: admin.RevokeAllSessions) -> admin.SessionRecords:
    """End all sessions of all users of a project."""
    receipt = await once(deps, request, lambda actor: sessions.delete_sessions_of_project(deps, actor))
    return admin.SessionRecords(sessions=(), receipt=receipt)


def _users(users: Iterable[User], receipt: str = "") -> admin.UserRecords:
    return admin.UserRecords(users=tuple(map(_user, users)), receipt=receipt)


def _user(user: User) -> admin.UserRecord:
    return admin.UserRecord(
        id=user.id,
        name=user.name,
        email=user.email or "",
        status=user.enabled,
        labels=tuple(user.labels),
        created_at=wire_date(user.created_at),
        phone=user.phone or "",
        email_verified=user.email_verified,
        phone_verified=user.phone_verified,
    )


def _session(session: Session) -> admin.SessionRecord:
    return admin.SessionRecord(
        id=session.id,
        provider=session.provider,
        ip=session.ip,
        created_at=wire_date(session.created_at),
        expire=wire_date(session.expires_at),
    )
