"""Principals: the outcome of authenticating a credential. All permission checks use one."""

from enum import StrEnum

import msgspec

from shared.contracts.ids import KeyId, ProjectId, SessionId, UserId


class Kind(StrEnum):
    """How the caller proved who it is."""

    GUEST = "guest"
    SESSION = "session"
    JWT = "jwt"
    KEY = "key"


class Principal(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A caller, and what it holds.

    `roles` are role strings of the permission grammar, sorted; a key has none, since permissions do not bind it.
    `expires_at` is the end of the session or key in Unix seconds (0: none), and in a guard that of the JWT if earlier.
    `generation` is that of a JWT without a session (0: another credential); it ends with all sessions of the user.
    `incarnation` is the user's and `project_incarnation` the project's: numbers that are never used twice, whatever
    ids are used again. `position` is the feed position at which all this was read, and `subjects` are what an entry may
    name to end it; `era` is the guard's own, and tells what it read before it had to forget everything.
    """

    project_id: ProjectId = msgspec.field(name="project")
    kind: Kind
    roles: tuple[str, ...] = ()
    user_id: UserId = msgspec.field(default=UserId(""), name="user")
    session_id: SessionId = msgspec.field(default=SessionId(""), name="session")
    key_id: KeyId = msgspec.field(default=KeyId(""), name="key")
    blocked: bool = False
    scopes: frozenset[str] = frozenset()
    expires_at: float = 0.0
    generation: int = 0
    position: int = 0
    subjects: tuple[str, ...] = ()
    era: int = 0
    incarnation: int = 0
    project_incarnation: int = 0

    @property
    def who(self) -> str:
        """The caller, for records: `key:ID`, `user:ID` or `guest`."""
        if self.key_id:
            return f"key:{self.key_id}"
        return f"user:{self.user_id}" if self.user_id else "guest"


GUEST_ROLES = ("any", "guests")


def guest(project_id: ProjectId) -> Principal:
    """Return the principal of a caller without a (good) credential."""
    return Principal(project_id=project_id, kind=Kind.GUEST, roles=GUEST_ROLES)


class Project(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What every service must know of a project: that it exists, and its switches.

    `incarnation` is never used twice: a project that is created again with the id of a deleted one has another.
    `origins` are host names whose pages may call (`*.example.com` covers subdomains), and schemes of apps
    (`shop-app://`); links lead to these alone. `session_duration_s` and `session_limit` are the policies of those
    names; `session_idle_s` is how long a session may be unused, and `recent_sign_in_s` how long ago a user may have
    signed in who ends the own account (0: for ever); `session_invalidation`: a new password, or another address in
    place of one, ends the user's other sessions; `disabled_auth_methods` holds Appwrite's method ids;
    `shown_membership_fields` are the names of the fields of a membership that tell of its user and that other members
    may see (`userId`, `userEmail`, …).
    """

    id: ProjectId
    name: str
    incarnation: int = 0
    origins: tuple[str, ...] = ("localhost",)
    session_duration_s: int = 31_536_000
    session_limit: int = 10
    session_idle_s: int = 0
    recent_sign_in_s: int = 0
    session_invalidation: bool = True
    user_limit: int = 0
    disabled_auth_methods: frozenset[str] = frozenset()
    shown_membership_fields: frozenset[str] = frozenset()
