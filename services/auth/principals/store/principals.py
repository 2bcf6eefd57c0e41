"""Principals: all that a credential rests on, and the feed position, in one statement and so in one snapshot."""

from datetime import datetime
from typing import NamedTuple

import msgspec

from services.auth.people.domain.roles import Held
from shared.contracts.ids import KeyId, MembershipId, ProjectId, SessionId, TeamId, UserId
from shared.contracts.requests import ResolveJwt
from shared.postgres.pool import Connection

_POSITION = "SELECT number FROM feed.heads WHERE stream = 'feed'"
_USER = """
    users.id AS user_id, users.enabled, users.email_verified OR users.phone_verified AS is_verified, users.labels,
    users.generation, users.sequence AS incarnation, projects.sequence AS project_incarnation,
    ARRAY(
        SELECT to_jsonb(ARRAY[memberships.id, memberships.team_id] || memberships.roles)::text FROM auth.memberships
        WHERE memberships.project = users.project AND memberships.user_id = users.id AND memberships.confirmed
    ) AS memberships
"""
_USERS = "auth.users JOIN auth.projects ON projects.id = users.project"
# Blocking a user ends the sessions, and a caller who still has one gets the refusal of a blocked user.
_STANDS = "sessions.user_incarnation = users.sequence AND (sessions.deleted_at IS NULL OR NOT users.enabled)"
_BY_SESSION = f"""
    SELECT ({_POSITION}) AS position, holder.*
    FROM (SELECT) AS one LEFT JOIN (
        SELECT sessions.id AS session_id, sessions.expires_at, {_USER}
        FROM {_USERS} JOIN auth.sessions ON sessions.project = users.project AND sessions.user_id = users.id
        WHERE sessions.project = $1 AND sessions.user_id = $2 AND sessions.secret_digest = $3
          AND {_STANDS}
    ) AS holder ON true
"""
_BY_JWT = f"""
    SELECT ({_POSITION}) AS position, holder.*
    FROM (SELECT) AS one LEFT JOIN (
        SELECT sessions.id AS session_id, sessions.expires_at, {_USER}
        FROM {_USERS} LEFT JOIN auth.sessions
          ON sessions.project = users.project AND sessions.user_id = users.id AND sessions.id = $3
          AND {_STANDS}
        WHERE users.project = $1 AND users.id = $2 AND ($3 = '' OR sessions.id IS NOT NULL)
          AND NOT EXISTS (SELECT FROM auth.revoked_jwts WHERE jti = $4)
          AND projects.sequence = $6 AND users.sequence = $7
          AND ($3 <> '' OR users.generation = $8 OR NOT users.enabled)
          AND EXISTS (
            SELECT FROM feed.instance
            WHERE epoch = $9 AND ($3 <> '' OR to_timestamp($5) > coalesce(restored_at, '-infinity'))
          )
    ) AS holder ON true
"""
_BY_ID = f"""
    SELECT ({_POSITION}) AS position, holder.*
    FROM (SELECT) AS one LEFT JOIN (
        SELECT '' AS session_id, NULL::timestamptz AS expires_at, {_USER}
        FROM {_USERS} WHERE users.project = $1 AND users.id = $2
    ) AS holder ON true
"""
_BY_KEY = f"""
    SELECT ({_POSITION}) AS position, holder.*
    FROM (SELECT) AS one LEFT JOIN (
        SELECT keys.id AS key_id, scopes, expires_at, projects.sequence AS project_incarnation
        FROM auth.keys JOIN auth.projects ON projects.id = keys.project WHERE project = $1 AND secret_digest = $2
    ) AS holder ON true
"""


class UserRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A user behind a credential."""

    id: UserId
    incarnation: int
    project_incarnation: int
    enabled: bool
    is_verified: bool
    labels: list[str]
    memberships: list[Held]
    session_id: SessionId
    session_expires_at: datetime | None
    generation: int


class KeyRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An API key."""

    id: KeyId
    project_incarnation: int
    scopes: list[str]
    expires_at: datetime | None


class UserAt(NamedTuple):
    """The user of a credential, None where there is none, and the feed position of the same snapshot."""

    position: int
    user: UserRecord | None


class KeyAt(NamedTuple):
    """The key of a secret, None where there is none, and the feed position of the same snapshot."""

    position: int
    key: KeyRecord | None


async def find_by_session(
    connection: Connection, project_id: ProjectId, user_id: UserId, secret_digest: bytes
) -> UserAt:
    """Return the user of a session secret, and the feed position."""
    return _user(await connection.fetchrow(_BY_SESSION, project_id, user_id, secret_digest))


async def find_by_jwt(connection: Connection, request: ResolveJwt) -> UserAt:
    """Return the feed position, and the user of a JWT of this epoch, of the same incarnation as when it was made.

    Without a session (empty) the JWT is bound to its user alone, and is of a generation.
    """
    values = (request.project_id, request.user_id, request.session_id, request.jti, request.issued_at)
    incarnations = (request.project_incarnation, request.user_incarnation)
    return _user(await connection.fetchrow(_BY_JWT, *values, *incarnations, request.generation, request.epoch))


async def find_by_id(connection: Connection, project_id: ProjectId, user_id: UserId) -> UserAt:
    """Return a user without a session, and the feed position."""
    return _user(await connection.fetchrow(_BY_ID, project_id, user_id))


async def find_by_key(connection: Connection, project_id: ProjectId, secret_digest: bytes) -> KeyAt:
    """Return the key of a secret, and the feed position."""
    row = await connection.fetchrow(_BY_KEY, project_id, secret_digest)
    assert row is not None  # noqa: S101 the statement always gives one row
    if row["key_id"] is None:
        return KeyAt(row["position"], None)
    key = KeyRecord(
        id=row["key_id"],
        project_incarnation=row["project_incarnation"],
        scopes=row["scopes"],
        expires_at=row["expires_at"],
    )
    return KeyAt(row["position"], key)


def _user(row: object) -> UserAt:
    columns = dict(row)  # type: ignore[call-overload] # a Record, which is a mapping but not for type checkers
    if columns["user_id"] is None:
        return UserAt(columns["position"], None)
    memberships = [msgspec.json.decode(text, type=list[str]) for text in columns["memberships"]]
    user = UserRecord(
        id=columns["user_id"],
        incarnation=columns["incarnation"],
        project_incarnation=columns["project_incarnation"],
        enabled=columns["enabled"],
        is_verified=columns["is_verified"],
        labels=columns["labels"],
        memberships=[Held(MembershipId(parts[0]), TeamId(parts[1]), parts[2:]) for parts in memberships],
        session_id=SessionId(columns["session_id"] or ""),
        session_expires_at=columns["expires_at"],
        generation=columns["generation"],
    )
    return UserAt(columns["position"], user)
