"""The public keys, for anyone who verifies JWTs without us."""

import msgspec

from services.token.operations.deps import TokenDeps
from shared.contracts.ids import ProjectId
from shared.kernel.errors import ErrorType
from shared.web.endpoint import Call, Caller, Routes
from shared.web.parameters import IdOf

routes = Routes[TokenDeps]("jwks", {"projectId": ErrorType.PROJECT_NOT_FOUND})

MAX_AGE_S = 300
"""How long a copy of the set may be kept: a key is published at least one rotation before it signs, and a
verifier that keeps a copy accepts a retired key for so long."""
CACHED = f"public, max-age={MAX_AGE_S}"


class Jwks(msgspec.Struct, frozen=True):
    """A JSON Web Key Set (RFC 7517)."""

    keys: list[dict[str, str]]


class GetProjectJwks(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The project whose JWTs are to be verified."""

    project_id: IdOf[ProjectId]


@routes.endpoint(
    "GET",
    "/v1/.well-known/jwks.json",
    name="jwks.get",
    callers=Caller.PUBLIC,
    model=Jwks,
    cache_control=CACHED,
)
async def get_jwks(call: Call[TokenDeps]) -> bytes:
    """Return the public signing keys of the instance."""
    return await _key_set(call)


@routes.endpoint(
    "GET",
    "/v1/projects/{projectId}/jwks",
    name="projects.get_jwks",
    callers=Caller.PUBLIC,
    model=Jwks,
    cache_control=CACHED,
)
async def get_project_jwks(call: Call[TokenDeps], params: GetProjectJwks) -> bytes:
    """Return the public signing keys, which all projects share; `aud` tells their JWTs apart."""
    await call.deps.guard.project(params.project_id)
    return await _key_set(call)


async def _key_set(call: Call[TokenDeps]) -> bytes:
    keyring = await call.deps.keyrings.current()
    return b'{"keys":[%b]}' % b",".join(key.jwk.encode() for key in keyring.published)
