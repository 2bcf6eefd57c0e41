"""Where auth's own guard asks: the primary database at once, and token for the signing keys."""

from collections.abc import Awaitable, Callable, Sequence

from services.auth.people.operations import idle
from services.auth.principals.operations import principals
from shared.contracts.ids import ProjectId
from shared.contracts.requests import (
    GetKeys,
    ResolvedPrincipal,
    ResolvedProject,
    ResolveJwt,
    ResolveSession,
    SessionUse,
    VerificationKeys,
)
from shared.guard.resolver import ResolvePrincipal
from shared.messaging.bus import Bus
from shared.postgres.pool import Pool


class DatabaseResolver:
    """The same answers as over the bus, without the round trip. `until_trusted` waits until it may answer."""

    def __init__(self, pool: Pool, bus: Bus, until_trusted: Callable[[], Awaitable[None]]) -> None:
        self._pool = pool
        self._bus = bus
        self._until_trusted = until_trusted

    async def principal(self, request: ResolvePrincipal) -> ResolvedPrincipal:
        """Return the principal of a credential."""
        await self._until_trusted()
        if isinstance(request, ResolveSession):
            return await principals.resolve_session(self._pool, request)
        if isinstance(request, ResolveJwt):
            return await principals.resolve_jwt(self._pool, request)
        return await principals.resolve_key(self._pool, request)

    async def project(self, project_id: ProjectId) -> ResolvedProject:
        """Return a project's record."""
        return await principals.resolve_project(self._pool, project_id)

    async def keys(self) -> VerificationKeys:
        """Return the public signing keys."""
        return await self._bus.ask(GetKeys())

    async def report_uses(self, uses: Sequence[SessionUse]) -> None:
        """Record that sessions are used."""
        await idle.mark_used(self._pool, uses)
