"""Credentials resolved to principals by the primary database: what every guard requests on a miss."""

from datetime import datetime

from services.auth.people.domain.roles import roles_of
from services.auth.principals.store import principals as store
from services.auth.projects.store import projects
from shared.contracts import subjects
from shared.contracts.ids import ProjectId
from shared.contracts.principal import Kind, Principal
from shared.contracts.requests import (
    ResolvedPrincipal,
    ResolvedProject,
    ResolveJwt,
    ResolveKey,
    ResolveSession,
    ResolveUser,
)
from shared.postgres.pool import Pool


async def resolve_session(pool: Pool, request: ResolveSession) -> ResolvedPrincipal:
    """Return whose a session secret is."""
    async with pool.acquire() as connection:
        position, user = await store.find_by_session(
            connection, request.project_id, request.user_id, request.secret_digest
        )
    named = (subjects.project(request.project_id), subjects.user(request.project_id, request.user_id))
    if user is None:
        return ResolvedPrincipal(position=position, subjects=named)
    return _user(request.project_id, position, user, Kind.SESSION, named)


async def resolve_jwt(pool: Pool, request: ResolveJwt) -> ResolvedPrincipal:
    """Return whose a JWT is, if all that it rests on still stands."""
    async with pool.acquire() as connection:
        position, user = await store.find_by_jwt(connection, request)
    named = (
        subjects.project(request.project_id),
        subjects.user(request.project_id, request.user_id),
        subjects.jwt(request.jti),
    )
    if user is None:
        return ResolvedPrincipal(position=position, subjects=named)
    return _user(request.project_id, position, user, Kind.JWT, named)


async def resolve_user(pool: Pool, request: ResolveUser) -> ResolvedPrincipal:
    """Return the principal the user would have if they signed in now."""
    async with pool.acquire() as connection:
        position, user = await store.find_by_id(connection, request.project_id, request.user_id)
    named = (subjects.project(request.project_id), subjects.user(request.project_id, request.user_id))
    if user is None:
        return ResolvedPrincipal(position=position, subjects=named)
    return _user(request.project_id, position, user, Kind.SESSION, named)


async def resolve_key(pool: Pool, request: ResolveKey) -> ResolvedPrincipal:
    """Return what an API key may do."""
    async with pool.acquire() as connection:
        position, key = await store.find_by_key(connection, request.project_id, request.secret_digest)
    named: tuple[str, ...] = (subjects.project(request.project_id),)
    if key is None:
        return ResolvedPrincipal(position=position, subjects=named)
    named += (subjects.key(request.project_id, key.id),)
    principal = Principal(
        project_id=request.project_id,
        kind=Kind.KEY,
        key_id=key.id,
        project_incarnation=key.project_incarnation,
        scopes=frozenset(key.scopes),
        expires_at=_seconds(key.expires_at),
    )
    return ResolvedPrincipal(position=position, subjects=named, principal=principal)


async def resolve_project(pool: Pool, project_id: ProjectId) -> ResolvedProject:
    """Return a project's record."""
    async with pool.acquire() as connection:
        position, project = await projects.resolve_project(connection, project_id)
    return ResolvedProject(position=position, project=project)


def _user(
    project_id: ProjectId, position: int, user: store.UserRecord, kind: Kind, named: tuple[str, ...]
) -> ResolvedPrincipal:
    roles = roles_of(user.id, is_verified=user.is_verified, labels=user.labels, memberships=user.memberships)
    named += tuple(subjects.team(project_id, held.team_id) for held in user.memberships)
    if user.session_id:
        named += (subjects.session(project_id, user.session_id),)
    principal = Principal(
        project_id=project_id,
        kind=kind,
        roles=roles,
        user_id=user.id,
        incarnation=user.incarnation,
        project_incarnation=user.project_incarnation,
        session_id=user.session_id,
        blocked=not user.enabled,
        expires_at=_seconds(user.session_expires_at),
        generation=user.generation if kind is Kind.JWT and not user.session_id else 0,
    )
    return ResolvedPrincipal(position=position, subjects=named, principal=principal)


def _seconds(moment: datetime | None) -> float:
    return 0.0 if moment is None else moment.timestamp()
