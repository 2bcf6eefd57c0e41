"""What others put before a handler in the place of our guard: nothing, a decoder, a list in Redis, introspection.

Each spares itself what it can: the principal is ready made, and the project is known.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import jwt
from aiohttp import ClientSession
from redis.asyncio import Redis

from shared.contracts.principal import Principal, Project
from shared.guard.guard import Guard


class KnownGuard(Guard):
    """Knows one project and one principal, and looks at nothing: a request without authentication."""

    def __init__(self, principal: Principal) -> None:
        self.principal = principal
        self._project = Project(
            id=principal.project_id, name=principal.project_id, incarnation=principal.project_incarnation
        )

    async def project(self, _: str) -> Project:
        return self._project

    async def jwt(self, _: str, __: str) -> Principal | None:
        return self.principal


class DecodingGuard(KnownGuard):
    """Verifies each JWT by PyJWT, and accepts it until it expires, whatever has become of its session."""

    def __init__(self, principal: Principal, key: jwt.PyJWK, issuer: str) -> None:
        super().__init__(principal)
        self._key = key
        self._issuer = issuer

    async def jwt(self, project_id: str, token: str) -> Principal | None:
        self.decode(project_id, token)
        return self.principal

    def decode(self, project_id: str, token: str) -> dict[str, Any]:
        """Return the claims."""
        return jwt.decode(token, self._key, algorithms=["ES256"], audience=project_id, issuer=self._issuer)


class DenylistGuard(DecodingGuard):
    """Verifies each JWT, and asks Redis whether its session was deleted."""

    def __init__(self, principal: Principal, key: jwt.PyJWK, issuer: str, redis: Redis) -> None:
        super().__init__(principal, key, issuer)
        self._redis = redis

    async def jwt(self, project_id: str, token: str) -> Principal | None:
        claims = self.decode(project_id, token)
        return None if await self._redis.get(f"denied:{claims['sid']}") else self.principal


class IntrospectingGuard(KnownGuard):
    """Asks the token service about each JWT (RFC 7662)."""

    def __init__(self, principal: Principal, introspect: Callable[[str], Awaitable[bool]]) -> None:
        super().__init__(principal)
        self._introspect = introspect

    async def jwt(self, _: str, token: str) -> Principal | None:
        return self.principal if await self._introspect(token) else None


def introspection(http: ClientSession) -> Callable[[str], Awaitable[bool]]:
    """Return what asks; `http` knows the server, the project and a key."""

    async def introspect(token: str) -> bool:
        async with http.post("/v1/jwts/introspect", data={"token": token}) as answer:
            assert answer.status == 200, await answer.text()
            return bool((await answer.json())["active"])

    return introspect
