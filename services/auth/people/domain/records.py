"""Users and sessions, as they are kept."""

from datetime import datetime

import msgspec

from shared.contracts.ids import ProjectId, SessionId, TokenId, UserId


class NewUser(msgspec.Struct, frozen=True, kw_only=True):
    """A user to be made; `email` and `phone` are None or empty where unset."""

    id: UserId
    name: str = ""
    email: str | None = None
    phone: str | None = None
    password_hash: str | None = None

    def __repr__(self) -> str:
        return f"NewUser({self.id!r}, …)"


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A user of a project. `email` and `phone` are None where unset; `enabled` is Appwrite's `status`.

    `incarnation` is never used twice, whatever ids are used again. JWTs without a session are good while they are of
    the user's `generation`, which changes when all sessions end; `ended_at` is when they did last.
    """

    project_id: ProjectId
    id: UserId
    incarnation: int
    name: str
    email: str | None
    phone: str | None
    password_hash: str | None
    password_updated_at: datetime | None
    email_verified: bool
    phone_verified: bool
    enabled: bool
    labels: list[str]
    prefs: msgspec.Raw
    accessed_at: datetime | None
    created_at: datetime
    updated_at: datetime
    generation: int
    ended_at: datetime | None

    def __repr__(self) -> str:
        return f"User({self.project_id}/{self.id})"


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """What a session is made from: an address, and the User-Agent of the program there; both may be empty."""

    ip: str = ""
    user_agent: str = ""


class UserChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be changed of a user: None stays. An empty `email` or `phone` is none."""

    name: str | None = None
    email: str | None = None
    phone: str | None = None
    labels: list[str] | None = None
    email_verified: bool | None = None
    phone_verified: bool | None = None

    def __repr__(self) -> str:
        return "UserChange(…)"


class NewSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session to be made, of a user of this incarnation, or whichever there is; else as `Session`."""

    project_id: ProjectId
    id: SessionId
    user_id: UserId
    incarnation: int | None
    secret_digest: bytes
    provider: str
    provider_uid: str
    factors: list[str]
    client: Client
    expires_at: datetime


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A session of a user; its secret is known to its bearer only."""

    project_id: ProjectId
    id: SessionId
    user_id: UserId
    provider: str
    provider_uid: str
    factors: list[str]
    ip: str
    user_agent: str
    expires_at: datetime
    created_at: datetime
    updated_at: datetime


class NewToken(msgspec.Struct, frozen=True, kw_only=True):
    """A login token to be created, of which only the SHA-256 of its secret is kept.

    It ends after so many wrong `guesses`; None: wrong ones do not end it.
    """

    project_id: ProjectId
    id: TokenId
    user_id: UserId
    secret_digest: bytes
    expires_at: datetime
    guesses: int | None
