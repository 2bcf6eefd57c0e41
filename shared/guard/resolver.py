"""Where the guard asks on a miss: auth's database, directly in auth itself, over the bus everywhere else."""

from collections.abc import Sequence
from typing import Protocol

from shared.contracts.ids import ProjectId
from shared.contracts.requests import (
    GetKeys,
    ResolvedPrincipal,
    ResolvedProject,
    ResolveJwt,
    ResolveKey,
    ResolveProject,
    ResolveSession,
    SessionsUsed,
    SessionUse,
    VerificationKeys,
)
from shared.guard.uses import Recorder
from shared.messaging.bus import Bus

ResolvePrincipal = ResolveSession | ResolveJwt | ResolveKey


class Resolver(Recorder, Protocol):
    """Answers from the primary database, never from a cache, as of a position not later than the database was read.

    Each raises `Unavailable` where there is no answer in time.
    """

    async def principal(self, request: ResolvePrincipal) -> ResolvedPrincipal:
        """Return the principal of a credential."""

    async def project(self, project_id: ProjectId) -> ResolvedProject:
        """Return a project's record."""

    async def keys(self) -> VerificationKeys:
        """Return the public signing keys."""


class BusResolver:
    """Asks auth and token over the bus."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def principal(self, request: ResolvePrincipal) -> ResolvedPrincipal:
        """Return the principal of a credential."""
        return await self._bus.ask(request)

    async def project(self, project_id: ProjectId) -> ResolvedProject:
        """Return a project's record."""
        return await self._bus.ask(ResolveProject(project_id=project_id))

    async def keys(self) -> VerificationKeys:
        """Return the public signing keys."""
        return await self._bus.ask(GetKeys())

    async def report_uses(self, uses: Sequence[SessionUse]) -> None:
        """Record that sessions are used."""
        await self._bus.ask(SessionsUsed(sessions=tuple(uses)))
