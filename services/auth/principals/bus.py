"""What guards ask: who is behind a credential, and what a project is."""

from services.auth.deps import AuthDeps
from services.auth.principals.operations import principals as operations
from shared.contracts.requests import (
    ResolvedPrincipal,
    ResolvedProject,
    ResolveJwt,
    ResolveKey,
    ResolveProject,
    ResolveSession,
    ResolveUser,
)
from shared.messaging.answers import Requests

requests = Requests[AuthDeps]()


@requests.answers(ResolveSession)
async def resolve_session(deps: AuthDeps, request: ResolveSession) -> ResolvedPrincipal:
    """Return whose a session secret is."""
    return await operations.resolve_session(deps.pool, request)


@requests.answers(ResolveJwt)
async def resolve_jwt(deps: AuthDeps, request: ResolveJwt) -> ResolvedPrincipal:
    """Return whose a JWT is, if all that it rests on still stands."""
    return await operations.resolve_jwt(deps.pool, request)


@requests.answers(ResolveKey)
async def resolve_key(deps: AuthDeps, request: ResolveKey) -> ResolvedPrincipal:
    """Return what an API key may do."""
    return await operations.resolve_key(deps.pool, request)


@requests.answers(ResolveUser)
async def resolve_user(deps: AuthDeps, request: ResolveUser) -> ResolvedPrincipal:
    """Return who a user would be that signs in now."""
    return await operations.resolve_user(deps.pool, request)


@requests.answers(ResolveProject)
async def resolve_project(deps: AuthDeps, request: ResolveProject) -> ResolvedProject:
    """Return a project's record."""
    return await operations.resolve_project(deps.pool, request.project_id)
