"""The columns of users and sessions, and the values that are read from them."""

import asyncpg
import msgspec

from services.auth.people.domain.records import Session, User

USER = (
    "project AS project_id, id, sequence AS incarnation, name, email, phone, password_hash, password_updated_at,"
    " email_verified, phone_verified, enabled, labels, prefs::text AS prefs, accessed_at, created_at, updated_at,"
    " generation, ended_at"
)
SESSION = (
    "project AS project_id, id, user_id, provider, provider_uid, factors, ip, user_agent, expires_at, created_at,"
    " updated_at"
)


def user(row: asyncpg.Record) -> User:
    """Read a user from the columns of USER."""
    values = dict(row)
    return User(**values | {"prefs": msgspec.Raw(values["prefs"].encode())})


def session(row: asyncpg.Record) -> Session:
    """Read a session from the columns of SESSION."""
    return Session(**dict(row))
