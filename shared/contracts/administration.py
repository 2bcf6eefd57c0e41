"""Requests of the command line to auth: projects, keys, users, sessions. Answers tell what was done, and its receipt.

Dates are as on the wire. An answer's `receipt` is empty where nothing was revoked. The requester makes the secrets, and
sends what is stored of them: no key and no password is ever on the bus.
"""

import uuid
from typing import ClassVar, Generic, Self

import msgspec

from shared.contracts.credentials import digest, new_key_secret
from shared.contracts.ids import KeyId, ProjectId, SessionId, UserId
from shared.contracts.requests import ADMIN, A, Request
from shared.kernel.ids import unique_id


class ProjectRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A project; `shared.contracts.principal.Project` explains its switches. Web platforms are origins."""

    id: ProjectId
    name: str
    origins: tuple[str, ...]
    incarnation: int = 0
    session_duration_s: int = 0
    session_limit: int = 0
    session_idle_s: int = 0
    recent_sign_in_s: int = 0
    session_invalidation: bool = True
    user_limit: int = 0
    disabled_auth_methods: tuple[str, ...] = ()
    shown_membership_fields: tuple[str, ...] = ()


class ProjectRecords(msgspec.Struct, frozen=True, kw_only=True):
    """Projects: all, or the requested one."""

    projects: tuple[ProjectRecord, ...]
    receipt: str = ""


class KeyRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An API key; `expire` empty: never."""

    id: KeyId
    name: str
    scopes: tuple[str, ...]
    expire: str


class KeyRecords(msgspec.Struct, frozen=True, kw_only=True):
    """Keys of a project."""

    keys: tuple[KeyRecord, ...]
    receipt: str = ""


class UserRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A user; `status` false: blocked."""

    id: UserId
    name: str
    email: str
    status: bool
    labels: tuple[str, ...]
    created_at: str
    phone: str = ""
    email_verified: bool = False
    phone_verified: bool = False


class UserRecords(msgspec.Struct, frozen=True, kw_only=True):
    """Users of a project."""

    users: tuple[UserRecord, ...]
    receipt: str = ""


class SessionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A session."""

    id: SessionId
    provider: str
    ip: str
    created_at: str
    expire: str


class SessionRecords(msgspec.Struct, frozen=True, kw_only=True):
    """Sessions of a user."""

    sessions: tuple[SessionRecord, ...]
    receipt: str = ""


class Asked(Request[A], Generic[A], frozen=True, kw_only=True):
    """What the command line asks of auth."""

    SERVICE: ClassVar[str] = "auth"
    LANE: ClassVar[str] = ADMIN


class Change(Asked[A], Generic[A], frozen=True, kw_only=True):
    """What the command line asks to be changed.

    `ticket` will be the id of its entry in the outbox: by that a request which is delivered twice is known, does its
    work once and has the same answer both times.
    """

    ticket: uuid.UUID = msgspec.field(default_factory=uuid.uuid4)


class ChangeOfProject(Change[ProjectRecords], frozen=True, kw_only=True):
    """What is to be changed of the project `id`."""

    id: ProjectId

    @property
    def project_id(self) -> ProjectId:
        """The project, as other changes name it."""
        return self.id


class CreateProject(ChangeOfProject, frozen=True, kw_only=True):
    """`project.create`. Refused with `project_already_exists`."""

    TYPE: ClassVar[str] = "project.create"
    ANSWER: ClassVar[type[msgspec.Struct]] = ProjectRecords

    name: str
    origins: tuple[str, ...] = ("localhost",)


class ListProjects(Asked[ProjectRecords], frozen=True, kw_only=True):
    """`project.list`."""

    TYPE: ClassVar[str] = "project.list"
    ANSWER: ClassVar[type[msgspec.Struct]] = ProjectRecords


class ShowProject(Asked[ProjectRecords], frozen=True, kw_only=True):
    """`project.show`. Refused with `project_not_found`."""

    TYPE: ClassVar[str] = "project.show"
    ANSWER: ClassVar[type[msgspec.Struct]] = ProjectRecords

    id: ProjectId


class UpdateProject(ChangeOfProject, frozen=True, kw_only=True):
    """`project.update`: what is None or not named stays. Refused with `project_not_found`.

    `origins` replaces the project's own origins; then `added_origins` are added, and `removed_origins` removed.
    `auth_methods` says by Appwrite's ids which are on; `membership_fields` by name which members see of one another.
    """

    TYPE: ClassVar[str] = "project.update"
    ANSWER: ClassVar[type[msgspec.Struct]] = ProjectRecords

    name: str | None = None
    origins: tuple[str, ...] | None = None
    added_origins: tuple[str, ...] = ()
    removed_origins: tuple[str, ...] = ()
    session_duration_s: int | None = None
    session_limit: int | None = None
    session_idle_s: int | None = None
    recent_sign_in_s: int | None = None
    session_invalidation: bool | None = None
    user_limit: int | None = None
    auth_methods: dict[str, bool] = {}
    membership_fields: dict[str, bool] = {}


class DeleteProject(ChangeOfProject, frozen=True, kw_only=True):
    """`project.delete`: refused everywhere once answered; its databases go behind that."""

    TYPE: ClassVar[str] = "project.delete"
    ANSWER: ClassVar[type[msgspec.Struct]] = ProjectRecords


class CreateKey(Change[KeyRecords], frozen=True, kw_only=True):
    """`key.create`: `scopes` None is all; `expire` empty is never, else a date of ISO 8601."""

    TYPE: ClassVar[str] = "key.create"
    ANSWER: ClassVar[type[msgspec.Struct]] = KeyRecords

    project_id: ProjectId = msgspec.field(name="project")
    id: KeyId
    secret_digest: bytes
    name: str
    scopes: tuple[str, ...] | None = None
    expire: str = ""

    @classmethod
    def new(
        cls, *, project_id: ProjectId, name: str, scopes: tuple[str, ...] | None = None, expire: str = ""
    ) -> tuple[Self, str]:
        """Return the request for a key of a new id, and the only copy of the key's secret."""
        secret = new_key_secret()
        request = cls(
            project_id=project_id,
            id=KeyId(unique_id()),
            secret_digest=digest(secret),
            name=name,
            scopes=scopes,
            expire=expire,
        )
        return request, secret


class ListKeys(Asked[KeyRecords], frozen=True, kw_only=True):
    """`key.list`. Refused with `project_not_found`."""

    TYPE: ClassVar[str] = "key.list"
    ANSWER: ClassVar[type[msgspec.Struct]] = KeyRecords

    project_id: ProjectId = msgspec.field(name="project")


class UpdateKey(Change[KeyRecords], frozen=True, kw_only=True):
    """`key.update`: what is None stays; `expire` empty is never. Refused with `key_not_found`."""

    TYPE: ClassVar[str] = "key.update"
    ANSWER: ClassVar[type[msgspec.Struct]] = KeyRecords

    project_id: ProjectId = msgspec.field(name="project")
    id: KeyId
    name: str | None = None
    scopes: tuple[str, ...] | None = None
    expire: str | None = None


class DeleteKey(Change[KeyRecords], frozen=True, kw_only=True):
    """`key.delete`. Refused with `key_not_found`."""

    TYPE: ClassVar[str] = "key.delete"
    ANSWER: ClassVar[type[msgspec.Struct]] = KeyRecords

    project_id: ProjectId = msgspec.field(name="project")
    id: KeyId


class CreateUser(Asked[UserRecords], frozen=True, kw_only=True):
    """`user.create`; `password_hash` is one of argon2, empty: no signing in by a password.

    A user of this id with all the requested fields was created by the same request.
    """

    TYPE: ClassVar[str] = "user.create"
    ANSWER: ClassVar[type[msgspec.Struct]] = UserRecords

    project_id: ProjectId = msgspec.field(name="project")
    id: UserId
    email: str = ""
    password_hash: str = ""
    name: str = ""

    def __repr__(self) -> str:
        return f"CreateUser({self.project_id!r}, {self.id!r}, …)"


class ListUsers(Asked[UserRecords], frozen=True, kw_only=True):
    """`user.list`: those that `search` finds, at most `limit`."""

    TYPE: ClassVar[str] = "user.list"
    ANSWER: ClassVar[type[msgspec.Struct]] = UserRecords

    project_id: ProjectId = msgspec.field(name="project")
    search: str = ""
    limit: int = 100


class ShowUser(Asked[UserRecords], frozen=True, kw_only=True):
    """`user.show`. Refused with `user_not_found`."""

    TYPE: ClassVar[str] = "user.show"
    ANSWER: ClassVar[type[msgspec.Struct]] = UserRecords

    project_id: ProjectId = msgspec.field(name="project")
    id: UserId


class UpdateUser(Change[UserRecords], frozen=True, kw_only=True):
    """`user.update`: what is None stays; an empty `email` or `phone` is none, and a new one is not verified.

    Refused with `user_not_found`, `user_target_already_exists`.
    """

    TYPE: ClassVar[str] = "user.update"
    ANSWER: ClassVar[type[msgspec.Struct]] = UserRecords

    project_id: ProjectId = msgspec.field(name="project")
    id: UserId
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    labels: tuple[str, ...] | None = None
    email_verified: bool | None = None
    phone_verified: bool | None = None

    def __repr__(self) -> str:
        return f"UpdateUser({self.project_id!r}, {self.id!r}, …)"


class SetUserPassword(Change[UserRecords], frozen=True, kw_only=True):
    """`user.set_password`; `password_hash` is one of argon2. Refused with `user_not_found`."""

    TYPE: ClassVar[str] = "user.set_password"
    ANSWER: ClassVar[type[msgspec.Struct]] = UserRecords

    project_id: ProjectId = msgspec.field(name="project")
    id: UserId
    password_hash: str

    def __repr__(self) -> str:
        return f"SetUserPassword({self.project_id!r}, {self.id!r}, …)"


class SetUserStatus(Change[UserRecords], frozen=True, kw_only=True):
    """`user.set_status`: block (`enabled` false) or unblock."""

    TYPE: ClassVar[str] = "user.set_status"
    ANSWER: ClassVar[type[msgspec.Struct]] = UserRecords

    project_id: ProjectId = msgspec.field(name="project")
    id: UserId
    enabled: bool


class DeleteUser(Change[UserRecords], frozen=True, kw_only=True):
    """`user.delete`. Refused with `user_not_found`."""

    TYPE: ClassVar[str] = "user.delete"
    ANSWER: ClassVar[type[msgspec.Struct]] = UserRecords

    project_id: ProjectId = msgspec.field(name="project")
    id: UserId


class ListSessions(Asked[SessionRecords], frozen=True, kw_only=True):
    """`session.list`: a user's sessions."""

    TYPE: ClassVar[str] = "session.list"
    ANSWER: ClassVar[type[msgspec.Struct]] = SessionRecords

    project_id: ProjectId = msgspec.field(name="project")
    user_id: UserId = msgspec.field(name="user")


class RevokeAllSessions(Change[SessionRecords], frozen=True, kw_only=True):
    """`session.revoke_all`: all sessions of all users of a project. Refused with `project_not_found`."""

    TYPE: ClassVar[str] = "session.revoke_all"
    ANSWER: ClassVar[type[msgspec.Struct]] = SessionRecords

    project_id: ProjectId = msgspec.field(name="project")


class RevokeSession(Change[SessionRecords], frozen=True, kw_only=True):
    """`session.revoke`: one session of a user, or all where `id` is empty."""

    TYPE: ClassVar[str] = "session.revoke"
    ANSWER: ClassVar[type[msgspec.Struct]] = SessionRecords

    project_id: ProjectId = msgspec.field(name="project")
    user_id: UserId = msgspec.field(name="user")
    id: SessionId = SessionId("")
