"""Stands in for the auth service: answers its requests on the bus from memory, and tells changes in the real feed."""

import uuid
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

from msgspec.structs import replace

from services.auth.people.domain.roles import Held, roles_of
from shared.contracts import subjects
from shared.contracts.credentials import SessionSecret, digest, new_key_secret
from shared.contracts.events import PrincipalsChanged
from shared.contracts.principal import Kind, Principal, Project
from shared.contracts.requests import (
    FindSession,
    ResolvedPrincipal,
    ResolvedProject,
    ResolvedSession,
    ResolveJwt,
    ResolveKey,
    ResolveProject,
    ResolveSession,
    ResolveUser,
)
from shared.contracts.scopes import ALL
from shared.kernel.errors import ErrorType, Refusal
from shared.messaging.answers import Requests
from shared.messaging.bus import Handlers
from shared.messaging.outbox import publish
from shared.postgres.pool import Pool

PROJECTS = {"library": 1, "archive": 2}
"""By their ids, the incarnations with which they begin."""

Headers = dict[str, str]
"""What proves who is calling."""

GUEST: Headers = {}

requests = Requests["Accounts"]()


@dataclass(kw_only=True)
class Accounts:
    """Sessions and keys by their digests, users as they last signed in; all of them are good in every project.

    `pool` sees the feed, by which guards know how old an answer is. `lookups` counts the credentials that were looked
    up, and `pause` holds each of their answers back once it is read.
    """

    pool: Pool
    users: dict[str, Principal] = field(default_factory=dict)
    blocked: set[str] = field(default_factory=set)
    sessions: dict[bytes, Principal] = field(default_factory=dict)
    keys: dict[bytes, Principal] = field(default_factory=dict)
    projects: dict[str, int] = field(default_factory=lambda: dict(PROJECTS))
    disabled_auth_methods: dict[str, frozenset[str]] = field(default_factory=dict)
    lookups: int = 0
    pause: Callable[[], Awaitable[None]] | None = None
    numbers: Iterator[int] = field(default_factory=count)
    """For the ids of sessions and keys."""

    def new_user(
        self,
        user: str,
        *,
        is_verified: bool = False,
        labels: Sequence[str] = (),
        memberships: Sequence[tuple[str, str, Sequence[str]]] = (),
    ) -> None:
        """Let there be a user who holds this; a membership is its id, its team, its roles there."""
        held = [Held(id_, team, list(roles)) for id_, team, roles in memberships]
        roles = roles_of(user, is_verified=is_verified, labels=labels, memberships=held)
        self.users[user] = Principal(project_id="", kind=Kind.SESSION, user_id=user, roles=roles, incarnation=1)

    def sign_in(self, user: str, **holds: Any) -> Headers:
        """Make a session of a user who holds this, as `new_user` takes it."""
        self.new_user(user, **holds)
        secret = SessionSecret.new(user)
        self.sessions[secret.digest()] = self.users[user] = replace(
            self.users[user], session_id=f"session-{next(self.numbers)}"
        )
        return headers_of(secret)

    def make_key(self, *scopes: str) -> Headers:
        """Make an API key; without scopes, of all there are."""
        secret = new_key_secret()
        self.keys[digest(secret)] = Principal(
            project_id="", kind=Kind.KEY, key_id=f"key-{next(self.numbers)}", scopes=frozenset(scopes) or ALL
        )
        return {"X-Appwrite-Key": secret}

    def switch_off(self, project: str, method: str) -> None:
        """Switch a method of authentication off, before anyone has asked for the project."""
        self.disabled_auth_methods[project] = frozenset({method})

    def session_id(self, session: Headers) -> str:
        """Return the id of a session."""
        return self.sessions[secret_of(session).digest()].session_id

    def session_subject(self, session: Headers) -> str:
        """Return what a feed entry names to end a session, as of project `library`."""
        return subjects.session("library", self.session_id(session))

    async def sign_out(self, session: Headers) -> uuid.UUID:
        """Delete a session, without waiting for who hears of it; return the ticket of the entry that tells it."""
        gone = self.sessions.pop(secret_of(session).digest())
        return await self.tell(*(subjects.session(project, gone.session_id) for project in self.projects))

    async def block(self, user: str) -> uuid.UUID:
        """Block a user, likewise."""
        self.blocked.add(user)
        return await self.tell(*(subjects.user(project, user) for project in self.projects))

    async def tell(self, *concerned: str) -> uuid.UUID:
        """Tell in the feed that what is known of these no longer holds; return the ticket of the entry."""
        async with self.pool.acquire() as connection, connection.transaction():
            return await publish(connection, PrincipalsChanged(subjects=concerned, reason="test"))

    def lanes(self) -> dict[str, Handlers]:
        """Return the handlers of each lane, as the bus serves them."""
        lanes: dict[str, dict[Any, Any]] = {}
        for kind, handler in requests.handlers:
            lanes.setdefault(kind.LANE, {})[kind] = partial(handler, self)
        return dict(lanes)

    @requests.answers(ResolveSession)
    async def resolve_session(self, request: ResolveSession) -> ResolvedPrincipal:
        position = await self._position()
        session = self.sessions.get(request.secret_digest)
        if session is not None and session.user_id != request.user_id:
            session = None
        return await self._look_up(request.project_id, position, session, user=request.user_id)

    @requests.answers(ResolveJwt)
    async def resolve_jwt(self, request: ResolveJwt) -> ResolvedPrincipal:
        position = await self._position()
        bearer = self.users.get(request.user_id)
        if bearer is not None:
            bearer = replace(bearer, kind=Kind.JWT, session_id=request.session_id)
        if request.session_id and request.session_id not in (one.session_id for one in self.sessions.values()):
            bearer = None
        return await self._look_up(request.project_id, position, bearer, user=request.user_id)

    @requests.answers(ResolveKey)
    async def resolve_key(self, request: ResolveKey) -> ResolvedPrincipal:
        position = await self._position()
        return await self._look_up(request.project_id, position, self.keys.get(request.secret_digest))

    @requests.answers(ResolveUser)
    async def resolve_user(self, request: ResolveUser) -> ResolvedPrincipal:
        position = await self._position()
        return self._answer(request.project_id, position, self.users.get(request.user_id), user=request.user_id)

    @requests.answers(ResolveProject)
    async def resolve_project(self, request: ResolveProject) -> ResolvedProject:
        position = await self._position()
        id_, project = request.project_id, None
        if (incarnation := self.projects.get(id_)) is not None:
            disabled = self.disabled_auth_methods.get(id_, frozenset())
            project = Project(id=id_, name=id_, incarnation=incarnation, disabled_auth_methods=disabled)
        return ResolvedProject(position=position, project=project)

    @requests.answers(FindSession)
    async def find_session(self, request: FindSession) -> ResolvedSession:
        user = self.users.get(request.user_id)
        if user is None:
            raise Refusal(ErrorType.USER_NOT_FOUND)
        own = [one.session_id for one in self.sessions.values() if one.user_id == request.user_id]
        session = request.session_id
        if session == "recent":
            session = own[-1] if own else ""
        elif session not in own:
            raise Refusal(ErrorType.USER_SESSION_NOT_FOUND)
        incarnation = self.projects[request.project_id]
        return ResolvedSession(session_id=session, project_incarnation=incarnation, user_incarnation=user.incarnation)

    async def _look_up(
        self, project: str, position: int, principal: Principal | None, *, user: str = ""
    ) -> ResolvedPrincipal:
        self.lookups += 1
        answer = self._answer(project, position, principal, user=user)
        if self.pause is not None:
            await self.pause()
        return answer

    def _answer(self, project: str, position: int, principal: Principal | None, *, user: str) -> ResolvedPrincipal:
        named = [subjects.project(project)]
        if user:
            named.append(subjects.user(project, user))
        if principal is None or project not in self.projects:
            return ResolvedPrincipal(position=position, subjects=tuple(named))
        if principal.session_id:
            named.append(subjects.session(project, principal.session_id))
        if principal.key_id:
            named.append(subjects.key(project, principal.key_id))
        principal = replace(
            principal,
            project_id=project,
            project_incarnation=self.projects[project],
            blocked=principal.user_id in self.blocked,
        )
        return ResolvedPrincipal(position=position, subjects=tuple(named), principal=principal)

    async def _position(self) -> int:
        position: int = await self.pool.fetchval("SELECT number FROM feed.heads WHERE stream = 'feed'")
        return position


def secret_of(session: Headers) -> SessionSecret:
    """Return the secret that a session's header carries."""
    secret = SessionSecret.parse(session["X-Appwrite-Session"])
    assert secret is not None
    return secret


def headers_of(secret: SessionSecret) -> Headers:
    """Return what proves a session."""
    return {"X-Appwrite-Session": secret.wire()}
