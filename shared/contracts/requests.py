"""Requests from service to service, and their answers.

`TYPE` names a request on the wire and `VERSION` counts its incompatible changes. Adding a field with a default is
free; unknown fields are ignored; anything else is a new version. Secrets never travel: only their SHA-256 does.
"""

from typing import ClassVar, Generic, NamedTuple, TypeVar

import msgspec

from shared.contracts.ids import ProjectId, SessionId, UserId
from shared.contracts.principal import Principal, Project

A = TypeVar("A", bound=msgspec.Struct)


PRINCIPAL = "principal"
"""The lane of what guards ask, never behind anything else."""

GENERAL = "general"
"""The lane of what other services ask."""

ADMIN = "admin"
"""The lane of what the command line asks, and it alone may; such a request waits at a barrier."""

LANES = (GENERAL, PRINCIPAL, ADMIN)


class Request(msgspec.Struct, Generic[A], frozen=True, kw_only=True):
    """What one service asks of another; subclasses name their type, the service that answers, and the answer."""

    TYPE: ClassVar[str]
    VERSION: ClassVar[int] = 1
    SERVICE: ClassVar[str]
    ANSWER: ClassVar[type[msgspec.Struct]]
    LANE: ClassVar[str] = GENERAL
    """Requests of one lane share a stream and its concurrency."""


class ResolvedPrincipal(msgspec.Struct, frozen=True, kw_only=True):
    """The principal of a credential, or None: there is none, go on as a guest.

    `position` is the feed position at which this was read; `subjects` are all that an entry may name to make it stale.
    The guard copies both into the principal, so that auth need not fill them in twice.
    """

    position: int
    subjects: tuple[str, ...]
    principal: Principal | None = None


class ResolveSession(Request[ResolvedPrincipal], frozen=True, kw_only=True):
    """`principal.resolve_session`: whose is a session secret?"""

    TYPE: ClassVar[str] = "principal.resolve_session"
    SERVICE: ClassVar[str] = "auth"
    LANE: ClassVar[str] = PRINCIPAL
    ANSWER: ClassVar[type[msgspec.Struct]] = ResolvedPrincipal

    project_id: ProjectId = msgspec.field(name="project")
    user_id: UserId = msgspec.field(name="user")
    secret_digest: bytes


class ResolveJwt(Request[ResolvedPrincipal], frozen=True, kw_only=True):
    """`principal.resolve_jwt`: do the session, the user and the `jti` of a verified JWT still stand?

    `session` is empty for a JWT without a session, which is of a `generation` of its user; `issued_at` is its `iat`, in
    Unix seconds. The incarnations are its claims; no user and no project has 0. It was verified with keys of `epoch`.
    """

    TYPE: ClassVar[str] = "principal.resolve_jwt"
    SERVICE: ClassVar[str] = "auth"
    LANE: ClassVar[str] = PRINCIPAL
    ANSWER: ClassVar[type[msgspec.Struct]] = ResolvedPrincipal

    project_id: ProjectId = msgspec.field(name="project")
    user_id: UserId = msgspec.field(name="user")
    session_id: SessionId = msgspec.field(name="session")
    jti: str
    issued_at: int
    generation: int = 0
    project_incarnation: int = 0
    user_incarnation: int = 0
    epoch: str = ""


class ResolveKey(Request[ResolvedPrincipal], frozen=True, kw_only=True):
    """`principal.resolve_key`: what may an API key do? None: there is no such key."""

    TYPE: ClassVar[str] = "principal.resolve_key"
    SERVICE: ClassVar[str] = "auth"
    LANE: ClassVar[str] = PRINCIPAL
    ANSWER: ClassVar[type[msgspec.Struct]] = ResolvedPrincipal

    project_id: ProjectId = msgspec.field(name="project")
    secret_digest: bytes


class ResolveUser(Request[ResolvedPrincipal], frozen=True, kw_only=True):
    """`principal.resolve_user`: who would a user be that signs in now? For explanations: it proves nothing."""

    TYPE: ClassVar[str] = "principal.resolve_user"
    SERVICE: ClassVar[str] = "auth"
    LANE: ClassVar[str] = PRINCIPAL
    ANSWER: ClassVar[type[msgspec.Struct]] = ResolvedPrincipal

    project_id: ProjectId = msgspec.field(name="project")
    user_id: UserId = msgspec.field(name="user")


class ResolvedProject(msgspec.Struct, frozen=True, kw_only=True):
    """A project's record (None: there is none), as read at feed position `position`."""

    position: int
    project: Project | None = None


class ResolveProject(Request[ResolvedProject], frozen=True, kw_only=True):
    """`principal.resolve_project`: does a project exist, and with what switches?"""

    TYPE: ClassVar[str] = "principal.resolve_project"
    SERVICE: ClassVar[str] = "auth"
    LANE: ClassVar[str] = PRINCIPAL
    ANSWER: ClassVar[type[msgspec.Struct]] = ResolvedProject

    project_id: ProjectId = msgspec.field(name="project")


class Done(msgspec.Struct, frozen=True):
    """The answer to a request that asks for nothing back."""


class SessionUse(NamedTuple):
    """A session that was used."""

    project_id: ProjectId
    session_id: SessionId


class SessionsUsed(Request[Done], frozen=True, kw_only=True):
    """`sessions.used`: sessions that a replica has seen in use within the last minute."""

    TYPE: ClassVar[str] = "sessions.used"
    SERVICE: ClassVar[str] = "auth"
    LANE: ClassVar[str] = PRINCIPAL
    ANSWER: ClassVar[type[msgspec.Struct]] = Done

    sessions: tuple[SessionUse, ...]


class ResolvedSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session to bind a JWT to; where `session` is empty, as the user has none, it is bound to `generation`."""

    session_id: SessionId = msgspec.field(name="session")
    generation: int = 0
    project_incarnation: int = 0
    user_incarnation: int = 0


class FindSession(Request[ResolvedSession], frozen=True, kw_only=True):
    """`session.find`: a user's session by id, or the newest for `recent`.

    Refused with `user_not_found`, or `user_session_not_found` where an id names none of the user's sessions.
    """

    TYPE: ClassVar[str] = "session.find"
    SERVICE: ClassVar[str] = "auth"
    ANSWER: ClassVar[type[msgspec.Struct]] = ResolvedSession

    project_id: ProjectId = msgspec.field(name="project")
    user_id: UserId = msgspec.field(name="user")
    session_id: SessionId = msgspec.field(name="session")


class VerificationKey(msgspec.Struct, frozen=True, kw_only=True):
    """A public signing key: `jwk` is its JSON Web Key (RFC 7517) as JSON text."""

    kid: str
    algorithm: str
    jwk: str


class VerificationKeys(msgspec.Struct, frozen=True, kw_only=True):
    """All public keys whose JWTs are good, as read at feed position `position`, and the issuer they sign for.

    They are those of `epoch`: in another one, of a database that was restored, none of them is good.
    """

    position: int
    issuer: str
    keys: tuple[VerificationKey, ...]
    epoch: str = ""


class GetKeys(Request[VerificationKeys], frozen=True, kw_only=True):
    """`keys.get`: the public signing keys of the instance."""

    TYPE: ClassVar[str] = "keys.get"
    SERVICE: ClassVar[str] = "token"
    LANE: ClassVar[str] = PRINCIPAL
    ANSWER: ClassVar[type[msgspec.Struct]] = VerificationKeys
