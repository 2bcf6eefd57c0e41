"""Sessions: list, extend and delete them."""

from datetime import timedelta
from typing import NamedTuple

from services.auth.deps import AuthDeps
from services.auth.people.domain.records import Session
from services.auth.people.store import sessions as store
from services.auth.people.store import users
from services.auth.projects.store import projects
from services.auth.revocations.operations.endings import end_all
from services.auth.revocations.store.endings import end_all_of_project
from shared.contracts import subjects
from shared.contracts.ids import NO_SESSION, ProjectId, SessionId, UserId
from shared.contracts.principal import Principal, Project
from shared.contracts.reasons import Reason
from shared.contracts.requests import ResolvedSession
from shared.guard.changing import Actor, Changed, SystemActor, changing, confirm_pending
from shared.guard.receipt import Receipt
from shared.kernel.clock import now

RECENT = "recent"


class EndedCredential(NamedTuple):
    """What a refused credential says of itself: its user, and its session or the digest of its session's secret."""

    project_id: ProjectId
    user_id: UserId
    session_id: SessionId = SessionId("")
    secret_digest: bytes = b""


async def list_sessions(deps: AuthDeps, project_id: ProjectId, *, user_id: UserId) -> list[Session]:
    """Return a user's sessions, the oldest first; raises `Refusal(USER_NOT_FOUND)`."""
    async with deps.pool.acquire() as connection:
        await users.get_user(connection, project_id, user_id)
        return await store.list_sessions(connection, project_id, user_id)


async def get_session(deps: AuthDeps, project_id: ProjectId, *, user_id: UserId, session_id: SessionId) -> Session:
    """Return a session; raises `Refusal(USER_SESSION_NOT_FOUND)`."""
    async with deps.pool.acquire() as connection:
        return await store.get_session(connection, project_id, user_id, session_id)


async def update_session(
    deps: AuthDeps, principal: Principal, *, project: Project, user_id: UserId, session_id: SessionId
) -> Changed[Session]:
    """Let a session last as long from now as the project says: known everywhere on return, for it may be shorter.

    Raises `Refusal(USER_SESSION_NOT_FOUND)`, `Unavailable`.
    """
    expires_at = now() + timedelta(seconds=project.session_duration_s)
    about = subjects.session(project.id, session_id)
    async with changing(deps, principal, Reason.SESSION_EXTENDED, about, side_effect=True) as change:
        session = await store.extend_session(change.connection, project.id, user_id, session_id, expires_at=expires_at)
    return Changed(session, change.receipt)


async def find_session(
    deps: AuthDeps, project_id: ProjectId, *, user_id: UserId, session_id: SessionId
) -> ResolvedSession:
    """Return a session by id, or the newest for RECENT, empty where there is none; and the user's generation.

    Raises `Refusal(USER_NOT_FOUND)`, `Refusal(USER_SESSION_NOT_FOUND)`.
    """
    async with deps.pool.acquire() as connection:
        user = await users.get_user(connection, project_id, user_id)
        incarnation = (await projects.get_project(connection, project_id)).project.incarnation
        if session_id == RECENT:
            session_id = await store.find_newest(connection, project_id, user_id)
        else:
            session_id = (await store.get_session(connection, project_id, user_id, session_id)).id
    return ResolvedSession(
        session_id=session_id,
        generation=user.generation,
        project_incarnation=incarnation,
        user_incarnation=user.incarnation,
    )


async def delete_session(deps: AuthDeps, actor: Actor, *, user_id: UserId, session_id: SessionId) -> Receipt | None:
    """Delete a session; when this returns, no replica accepts it, nor any JWT made from it.

    Raises `Refusal(USER_SESSION_NOT_FOUND)`; for a session deleted before, once that delete is in force everywhere.
    """
    session, user = subjects.session(actor.project_id, session_id), subjects.user(actor.project_id, user_id)
    async with changing(deps, actor, Reason.SESSION_DELETED, session, settles=[user]) as change:
        await store.delete_sessions(change.connection, actor.project_id, user_id, [session_id])
    return change.receipt


async def delete_sessions(
    deps: AuthDeps, actor: Actor, *, user_id: UserId, kept: SessionId = NO_SESSION
) -> Receipt | None:
    """End all by which a user signs in or acts but the session `kept`, by one entry.

    Raises `Refusal(USER_NOT_FOUND)`, `Unavailable`.
    """
    async with changing(deps, actor, Reason.SESSIONS_DELETED, subjects.user(actor.project_id, user_id)) as change:
        await end_all(change, user_id, kept=kept)
    return change.receipt


async def delete_sessions_of_project(deps: AuthDeps, actor: SystemActor) -> Receipt | None:
    """End, by one entry, all by which any user of the actor's project signs in or acts; keys stay.

    Raises `Refusal(PROJECT_NOT_FOUND)`, `Unavailable`.
    """
    async with changing(deps, actor, Reason.PROJECT_SESSIONS, subjects.project(actor.project_id)) as change:
        await projects.get_project(change.connection, actor.project_id)
        await end_all_of_project(change.connection, actor.project_id)
    return change.receipt


async def await_own_revocation(deps: AuthDeps, ended: EndedCredential) -> None:
    """Wait until what ended a credential, if anything did, is in force everywhere: its holder may be refused then."""
    project_id, user_id, session_id, secret_digest = ended
    if not session_id:
        async with deps.pool.acquire() as connection:
            session_id = await store.find_ended(connection, project_id, user_id, secret_digest)
    named = [subjects.user(project_id, user_id)]
    if session_id:
        named.append(subjects.session(project_id, session_id))
    await confirm_pending(deps, *named)
