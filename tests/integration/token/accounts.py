"""Stands in for the auth service: answers its requests on the bus from memory, and tells changes in the real feed."""

from dataclasses import dataclass, field
from typing import Any

import asyncpg

from shared.contracts import subjects
from shared.contracts.credentials import SessionSecret, digest
from shared.contracts.events import PrincipalsChanged
from shared.contracts.principal import Kind, Principal, Project
from shared.contracts.requests import (
    FindSession,
    FoundSession,
    ResolvedPrincipal,
    ResolvedProject,
    ResolveJwt,
    ResolveKey,
    ResolveProject,
    ResolveSession,
)
from shared.kernel.errors import ErrorType, Refusal
from shared.messaging.bus import Handler
from shared.messaging.outbox import publish

Handlers = dict[type[Any], Handler]

PROJECTS = ("library", "archive")


@dataclass(kw_only=True)
class Accounts:
    """Users are `ada` and whoever gets a session; sessions and keys are those that were made here."""

    dsn: str
    users: set[str] = field(default_factory=lambda: {"ada"})
    blocked: set[str] = field(default_factory=set)
    sessions: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    keys: dict[bytes, frozenset[str]] = field(default_factory=dict)
    projects: dict[str, Project] = field(
        default_factory=lambda: {id_: Project(id=id_, name=id_, incarnation=1) for id_ in PROJECTS}
    )

    def sign_in(self, user: str) -> tuple[str, dict[str, str]]:
        """Make a session; return its id, and the header that proves it."""
        secret = SessionSecret.new(user)
        id_ = f"session-{len(self.sessions)}"
        self.users.add(user)
        self.sessions[id_] = (user, secret.digest())
        return id_, {"X-Appwrite-Session": secret.wire()}

    def make_key(self, *scopes: str) -> dict[str, str]:
        """Make an API key for all projects; return the header that proves it."""
        secret = f"standard_{len(self.keys):0256x}"
        self.keys[digest(secret)] = frozenset(scopes)
        return {"X-Appwrite-Key": secret}

    def switch_off(self, project: str, method: str) -> None:
        """Switch a method of authentication off, before anyone has asked for the project."""
        self.projects[project] = Project(
            id=project, name=project, incarnation=1, disabled_auth_methods=frozenset({method})
        )

    async def sign_out(self, session: str) -> None:
        """Delete a session, without waiting for who hears of it."""
        del self.sessions[session]
        await self._tell(*(subjects.session(project, session) for project in PROJECTS))

    async def block(self, user: str) -> None:
        """Block a user, likewise."""
        self.blocked.add(user)
        await self._tell(*(subjects.user(project, user) for project in PROJECTS))

    def principal_lane(self) -> Handlers:
        return {
            ResolveSession: self._on_session,
            ResolveJwt: self._on_jwt,
            ResolveKey: self._on_key,
            ResolveProject: self._on_project,
        }

    def general_lane(self) -> Handlers:
        return {FindSession: self._on_find}

    async def _on_session(self, request: ResolveSession) -> ResolvedPrincipal:
        position = await self._position()
        for id_, session in self.sessions.items():
            if session == (request.user_id, request.secret_digest):
                return self._found(position, request.project_id, request.user_id, id_, Kind.SESSION)
        return ResolvedPrincipal(position=position, subjects=(subjects.user(request.project_id, request.user_id),))

    async def _on_jwt(self, request: ResolveJwt) -> ResolvedPrincipal:
        position = await self._position()
        if request.user_id in self.users and (not request.session_id or request.session_id in self.sessions):
            return self._found(position, request.project_id, request.user_id, request.session_id, Kind.JWT)
        return ResolvedPrincipal(position=position, subjects=(subjects.user(request.project_id, request.user_id),))

    async def _on_key(self, request: ResolveKey) -> ResolvedPrincipal:
        position = await self._position()
        scopes = self.keys.get(request.secret_digest)
        principal = (
            None
            if scopes is None
            else Principal(project_id=request.project_id, kind=Kind.KEY, scopes=scopes, project_incarnation=1)
        )
        return ResolvedPrincipal(position=position, subjects=(), principal=principal)

    async def _on_project(self, request: ResolveProject) -> ResolvedProject:
        return ResolvedProject(position=await self._position(), project=self.projects.get(request.project_id))

    async def _on_find(self, request: FindSession) -> FoundSession:
        if request.user_id not in self.users:
            raise Refusal(ErrorType.USER_NOT_FOUND)
        own = [id_ for id_, (user, _) in self.sessions.items() if user == request.user_id]
        if request.session_id == "recent":
            return FoundSession(session_id=own[-1] if own else "", project_incarnation=1, user_incarnation=1)
        if request.session_id not in own:
            raise Refusal(ErrorType.USER_SESSION_NOT_FOUND)
        return FoundSession(session_id=request.session_id, project_incarnation=1, user_incarnation=1)

    def _found(self, position: int, project: str, user: str, session: str, kind: Kind) -> ResolvedPrincipal:
        concerned = (subjects.user(project, user), subjects.session(project, session))
        principal = Principal(
            project_id=project,
            kind=kind,
            user_id=user,
            session_id=session,
            blocked=user in self.blocked,
            incarnation=1,
            project_incarnation=1,
        )
        return ResolvedPrincipal(position=position, subjects=concerned, principal=principal)

    async def _position(self) -> int:
        connection = await asyncpg.connect(self.dsn)
        position: int = await connection.fetchval("SELECT number FROM feed.heads WHERE stream = 'feed'")
        await connection.close()
        return position

    async def _tell(self, *concerned: str) -> None:
        connection = await asyncpg.connect(self.dsn)
        await publish(connection, PrincipalsChanged(subjects=concerned, reason="test"))
        await connection.close()
