"""Stands in for the auth service: whoever is made here may call, with the roles that auth itself would give."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from services.auth.people.domain.roles import roles_of
from shared.contracts import subjects
from shared.contracts.credentials import SessionSecret, digest, new_key_secret
from shared.contracts.principal import Kind, Principal, Project
from shared.contracts.requests import (
    ResolvedPrincipal,
    ResolvedProject,
    ResolveJwt,
    ResolveKey,
    ResolveSession,
    ResolveUser,
    VerificationKeys,
)
from shared.contracts.scopes import ALL
from shared.postgres.pool import Pool

PROJECTS = {"library": 1, "archive": 2}
"""By their ids, the incarnations with which they begin."""

Headers = dict[str, str]
"""What proves who is calling."""

GUEST: Headers = {}


@dataclass(kw_only=True)
class Accounts:
    """Sessions and keys by their digests, users as they last signed in.

    `pool` sees the feed, by which guards know how old an answer is.
    """

    pool: Pool
    known: dict[bytes, Principal] = field(default_factory=dict)
    users: dict[str, Principal] = field(default_factory=dict)
    projects: dict[str, int] = field(default_factory=lambda: dict(PROJECTS))

    def sign_in(
        self,
        user: str,
        *,
        is_verified: bool = False,
        labels: Sequence[str] = (),
        memberships: Sequence[tuple[str, str, Sequence[str]]] = (),
    ) -> Headers:
        """Make a session of a user who holds this; a membership is its id, its team, its roles there."""
        secret = SessionSecret.new(user)
        roles = roles_of(user, is_verified=is_verified, labels=labels, memberships=memberships)
        self.known[secret.digest()] = self.users[user] = Principal(
            project_id="", kind=Kind.SESSION, user_id=user, session_id=f"session-{len(self.known)}", roles=roles
        )
        return {"X-Appwrite-Session": secret.wire()}

    def make_key(self, *scopes: str) -> Headers:
        """Make an API key; without scopes, of all there are."""
        secret = new_key_secret()
        self.known[digest(secret)] = Principal(
            project_id="", kind=Kind.KEY, key_id=f"key-{len(self.known)}", scopes=frozenset(scopes) or ALL
        )
        return {"X-Appwrite-Key": secret}

    def user_of(self, session: Headers) -> str:
        """Return whose a session is."""
        secret = SessionSecret.parse(session["X-Appwrite-Session"])
        assert secret is not None
        return secret.id

    def session_subject(self, session: Headers) -> str:
        """Return what a feed entry names to end a session, as of project `library`."""
        secret = SessionSecret.parse(session["X-Appwrite-Session"])
        assert secret is not None
        return subjects.session("library", self.known[secret.digest()].session_id)

    async def principal(self, request: ResolveSession | ResolveJwt | ResolveKey) -> ResolvedPrincipal:
        position = await self._position()
        assert not isinstance(request, ResolveJwt)
        found = self.known.get(request.secret_digest)
        if found is None:
            return ResolvedPrincipal(position=position, subjects=())
        concerned = (
            subjects.project(request.project_id),
            subjects.session(request.project_id, found.session_id),
            subjects.key(request.project_id, found.key_id),
        )
        principal = msgspec.structs.replace(found, project_incarnation=self.projects[request.project_id])
        return ResolvedPrincipal(position=position, subjects=concerned, principal=principal)

    async def user(self, request: ResolveUser) -> ResolvedPrincipal:
        position = await self._position()
        return ResolvedPrincipal(position=position, subjects=(), principal=self.users.get(request.user_id))

    async def project(self, project_id: str) -> ResolvedProject:
        project = None
        if (incarnation := self.projects.get(project_id)) is not None:
            project = Project(id=project_id, name=project_id, incarnation=incarnation)
        return ResolvedProject(position=await self._position(), project=project)

    async def keys(self) -> VerificationKeys:
        raise AssertionError("no JWTs here")

    async def _position(self) -> int:
        position: int = await self.pool.fetchval("SELECT number FROM feed.heads WHERE stream = 'feed'")
        return position
