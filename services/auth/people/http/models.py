"""Models of answers, as Appwrite's SDKs read them: no field is ever null that they take for a text, list or boolean."""

from typing import Any

import msgspec

from services.auth.deps import AuthDeps
from services.auth.mail.domain.canonical import traits_of
from services.auth.passwords.domain.hashes import describe_hash
from services.auth.people.domain.records import Session as SessionOf
from services.auth.people.domain.records import User as UserOf
from shared.kernel.clock import wire_date


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where a user can be written to."""

    id: str = msgspec.field(name="$id")
    created_at: str = msgspec.field(name="$createdAt")
    updated_at: str = msgspec.field(name="$updatedAt")
    name: str = ""
    user_id: str = msgspec.field(name="userId")
    provider_id: str = msgspec.field(name="providerId", default="")
    provider_type: str = msgspec.field(name="providerType")
    identifier: str
    expired: bool = False


class Account(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A user as the user may see it. What the e-mail address tells by itself is null without one."""

    id: str = msgspec.field(name="$id")
    created_at: str = msgspec.field(name="$createdAt")
    updated_at: str = msgspec.field(name="$updatedAt")
    name: str
    registration: str
    status: bool
    labels: list[str]
    password_update: str
    email: str
    phone: str
    email_verification: bool
    email_canonical: str | None
    email_is_canonical: bool | None
    email_is_free: bool | None
    email_is_disposable: bool | None
    email_is_corporate: bool | None
    phone_verification: bool
    mfa: bool = False
    prefs: msgspec.Raw
    targets: list[Target]
    accessed_at: str


class User(Account, frozen=True, kw_only=True, rename="camel"):
    """A user as a key may see it: never with the hash of the password, only with its kind and parameters."""

    password: str = ""
    hash: str = ""
    hash_options: dict[str, str | int] = {}


class UserList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of users."""

    total: int
    users: list[User]


class Session(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A session. `secret` is filled for keys, where the session is made; what its User-Agent does not say is empty."""

    id: str = msgspec.field(name="$id")
    created_at: str = msgspec.field(name="$createdAt")
    updated_at: str = msgspec.field(name="$updatedAt")
    user_id: str
    expire: str
    provider: str
    provider_uid: str
    provider_access_token: str = ""
    provider_access_token_expiry: str = ""
    provider_refresh_token: str = ""
    ip: str
    os_code: str = ""
    os_name: str = ""
    os_version: str = ""
    client_type: str = ""
    client_code: str = ""
    client_name: str = ""
    client_version: str = ""
    client_engine: str = ""
    client_engine_version: str = ""
    device_name: str = ""
    device_brand: str = ""
    device_model: str = ""
    country_code: str = "--"
    country_name: str = "Unknown"
    current: bool
    factors: list[str]
    secret: str
    mfa_updated_at: str = ""


class SessionList(msgspec.Struct, frozen=True, kw_only=True):
    """All sessions of a user."""

    total: int
    sessions: list[Session]


class Token(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A login token; its secret is shown once."""

    id: str = msgspec.field(name="$id")
    created_at: str = msgspec.field(name="$createdAt")
    user_id: str
    secret: str
    expire: str
    phrase: str = ""


def account_model(user: UserOf) -> Account:
    """Render the caller's own user."""
    return Account(**_shared(user))


def user_model(user: UserOf) -> User:
    """Write a user for a key."""
    kind, options = describe_hash(user.password_hash)
    return User(**_shared(user), hash=kind, hash_options=options)


def session_model(deps: AuthDeps, session: SessionOf, *, current: str = "", secret: str = "") -> Session:
    """Write a session; `current` is the id of the session that asks."""
    agent, country = deps.agents.traits(session.user_agent), deps.countries.of(session.ip)
    return Session(
        id=session.id,
        created_at=wire_date(session.created_at),
        updated_at=wire_date(session.updated_at),
        user_id=session.user_id,
        expire=wire_date(session.expires_at),
        provider=session.provider,
        provider_uid=session.provider_uid,
        ip=session.ip,
        **msgspec.structs.asdict(agent),
        country_code=country.code,
        country_name=country.name,
        current=session.id == current,
        factors=session.factors,
        secret=secret,
    )


def _shared(user: UserOf) -> dict[str, Any]:  # Any: the fields of Account
    created, updated = wire_date(user.created_at), wire_date(user.updated_at)
    traits = traits_of(user.email) if user.email else None
    return {
        "id": user.id,
        "created_at": created,
        "updated_at": updated,
        "name": user.name,
        "registration": created,
        "status": user.enabled,
        "labels": user.labels,
        "password_update": wire_date(user.password_updated_at),
        "email": user.email or "",
        "phone": user.phone or "",
        "email_verification": user.email_verified,
        "email_canonical": traits and traits.canonical,
        "email_is_canonical": traits and traits.is_canonical,
        "email_is_free": traits and traits.is_free,
        "email_is_disposable": traits and traits.is_disposable,
        "email_is_corporate": traits and traits.is_corporate,
        "phone_verification": user.phone_verified,
        "prefs": user.prefs,
        "targets": [
            Target(
                id=f"{user.id}-{kind}",
                created_at=created,
                updated_at=updated,
                user_id=user.id,
                provider_type=kind,
                identifier=value,
            )
            for kind, value in (("email", user.email), ("sms", user.phone))
            if value
        ],
        "accessed_at": wire_date(user.accessed_at),
    }
