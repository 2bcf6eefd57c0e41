"""Sessions. A deleted one stays as a row, for `find_ended` alone."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import asyncpg

from services.auth.people.domain.records import NewSession, Session
from services.auth.people.store.rows import SESSION, session
from shared.contracts.ids import NO_SESSION, ProjectId, SessionId, UserId
from shared.contracts.principal import Principal
from shared.contracts.requests import SessionUse
from shared.kernel.errors import ErrorType, Refusal
from shared.postgres.pool import Connection

_INSERT = f"""
    INSERT INTO auth.sessions (
        project, id, user_id, user_incarnation, secret_digest, provider, provider_uid, factors, ip, user_agent,
        expires_at
    )
    SELECT $1, $2, id, sequence, $4, $5, $6, $7, $8, $11, $9 FROM auth.users
    WHERE project = $1 AND id = $3 AND sequence = coalesce($10, sequence) FOR SHARE
    RETURNING {SESSION}
"""
_LIST = f"""
    SELECT {SESSION} FROM auth.sessions
    WHERE project = $1 AND user_id = $2 AND deleted_at IS NULL ORDER BY sequence
"""
_GET = f"""
    SELECT {SESSION} FROM auth.sessions WHERE project = $1 AND user_id = $2 AND id = $3 AND deleted_at IS NULL
"""
_NEWEST = """
    SELECT id FROM auth.sessions
    WHERE project = $1 AND user_id = $2 AND deleted_at IS NULL AND expires_at > now() ORDER BY sequence DESC LIMIT 1
"""
_SURPLUS = """
    SELECT id FROM auth.sessions
    WHERE project = $1 AND user_id = $2 AND deleted_at IS NULL ORDER BY sequence DESC OFFSET $3
"""
_PLACES = """
    SELECT DISTINCT ip FROM auth.sessions
    WHERE project = $1 AND user_id = $2 AND provider <> 'server' AND ip <> '' AND created_at > now() - $3::interval
      AND created_at >= (SELECT created_at FROM auth.users WHERE project = $1 AND id = $2)
"""
_DELETE = """
    UPDATE auth.sessions SET deleted_at = now()
    WHERE project = $1 AND user_id = $2 AND id = ANY($3) AND deleted_at IS NULL
"""
_HOLD = """
    SELECT FROM auth.sessions WHERE project = $1 AND user_id = $2 AND id = $3 AND deleted_at IS NULL FOR SHARE
"""
_HOLD_GENERATION = "SELECT FROM auth.users WHERE project = $1 AND id = $2 AND generation = $3 FOR SHARE"
_EXTEND = f"""
    UPDATE auth.sessions SET expires_at = $4, updated_at = now()
    WHERE project = $1 AND user_id = $2 AND id = $3 AND deleted_at IS NULL AND expires_at > now() RETURNING {SESSION}
"""
_CREATED = """
    SELECT created_at > now() - make_interval(secs => $4) FROM auth.sessions
    WHERE project = $1 AND user_id = $2 AND id = $3
"""
_USED = """
    UPDATE auth.sessions SET used_at = now()
    FROM unnest($1::text[], $2::text[]) AS used (project, id)
    WHERE sessions.project = used.project AND sessions.id = used.id AND sessions.deleted_at IS NULL
"""
_END_IDLE = """
    UPDATE auth.sessions SET deleted_at = now()
    FROM (
        SELECT sessions.project, sessions.id FROM auth.projects JOIN auth.sessions ON sessions.project = projects.id
        WHERE session_idle_s > 0 AND deleted_at IS NULL
          AND used_at < now() - make_interval(secs => session_idle_s + $1)
        LIMIT $2 FOR UPDATE OF sessions SKIP LOCKED
    ) AS idle
    WHERE sessions.project = idle.project AND sessions.id = idle.id
    RETURNING sessions.project, sessions.id
"""
_ENDED = "SELECT id FROM auth.sessions WHERE project = $1 AND user_id = $2 AND secret_digest = $3"


async def insert_session(connection: Connection, new: NewSession) -> Session:
    """Create a session, with its user locked against deletion; raises `Refusal(USER_NOT_FOUND)`."""
    row = await connection.fetchrow(
        _INSERT,
        new.project_id,
        new.id,
        new.user_id,
        new.secret_digest,
        new.provider,
        new.provider_uid,
        new.factors,
        new.client.ip,
        new.expires_at,
        new.incarnation,
        new.client.user_agent,
    )
    if row is None:
        raise Refusal(ErrorType.USER_NOT_FOUND)
    return session(row)


async def list_places(
    connection: Connection, project_id: ProjectId, user_id: UserId, *, within: timedelta
) -> list[str]:
    """Return the addresses from which a user has signed in lately; what a backend made is no sign-in."""
    return [row["ip"] for row in await connection.fetch(_PLACES, project_id, user_id, within)]


async def hold_credential(connection: Connection, principal: Principal) -> bool:
    """Lock the session or JWT of the caller against its end until this transaction ends; False where it has ended."""
    who = (principal.project_id, principal.user_id)
    if principal.generation:
        return await connection.fetchrow(_HOLD_GENERATION, *who, principal.generation) is not None
    return await connection.fetchrow(_HOLD, *who, principal.session_id) is not None


async def list_sessions(connection: Connection, project_id: ProjectId, user_id: UserId) -> list[Session]:
    """Return a user's sessions, the oldest first."""
    return [session(row) for row in await connection.fetch(_LIST, project_id, user_id)]


async def get_session(connection: Connection, project_id: ProjectId, user_id: UserId, id_: SessionId) -> Session:
    """Return one session of a user; raises `Refusal(USER_SESSION_NOT_FOUND)`."""
    row: asyncpg.Record | None = await connection.fetchrow(_GET, project_id, user_id, id_)
    if row is None:
        raise Refusal(ErrorType.USER_SESSION_NOT_FOUND)
    return session(row)


async def find_newest(connection: Connection, project_id: ProjectId, user_id: UserId) -> SessionId:
    """Return the id of a user's newest session that has not expired; empty where there is none."""
    newest: SessionId | None = await connection.fetchval(_NEWEST, project_id, user_id)
    return newest or NO_SESSION


async def list_surplus(connection: Connection, project_id: ProjectId, user_id: UserId, limit: int) -> list[SessionId]:
    """Return the ids of a user's sessions beyond the newest `limit`."""
    return [row["id"] for row in await connection.fetch(_SURPLUS, project_id, user_id, limit)]


async def delete_sessions(connection: Connection, project_id: ProjectId, user_id: UserId, ids: list[SessionId]) -> None:
    """Delete these sessions of a user; raises `Refusal(USER_SESSION_NOT_FOUND)` where none of them was there."""
    if await connection.execute(_DELETE, project_id, user_id, ids) == "UPDATE 0":
        raise Refusal(ErrorType.USER_SESSION_NOT_FOUND)


async def extend_session(
    connection: Connection, project_id: ProjectId, user_id: UserId, id_: SessionId, *, expires_at: datetime
) -> Session:
    """Let a session end at another time; raises `Refusal(USER_SESSION_NOT_FOUND)`, also where it has ended by now."""
    row: asyncpg.Record | None = await connection.fetchrow(_EXTEND, project_id, user_id, id_, expires_at)
    if row is None:
        raise Refusal(ErrorType.USER_SESSION_NOT_FOUND)
    return session(row)


async def find_ended(connection: Connection, project_id: ProjectId, user_id: UserId, secret_digest: bytes) -> SessionId:
    """Return the id of the session with this secret, deleted or not; empty where there was none."""
    ended: SessionId | None = await connection.fetchval(_ENDED, project_id, user_id, secret_digest)
    return ended or NO_SESSION


async def has_signed_in(connection: Connection, principal: Principal, *, within_s: int) -> bool:
    """Return whether the session that calls, or that the JWT was made from, began within so many seconds."""
    who = (principal.project_id, principal.user_id, principal.session_id)
    return bool(await connection.fetchval(_CREATED, *who, within_s))


async def mark_used(connection: Connection, uses: Sequence[SessionUse]) -> None:
    """Record that sessions were used."""
    await connection.execute(_USED, [use.project_id for use in uses], [use.session_id for use in uses])


async def end_idle(connection: Connection, *, late_s: float, limit: int) -> list[SessionUse]:
    """Delete sessions that were unused for longer than their project allows; return which.

    `late_s` is how long ago a use may lie that is not recorded yet.
    """
    return [SessionUse(row["project"], row["id"]) for row in await connection.fetch(_END_IDLE, late_s, limit)]
