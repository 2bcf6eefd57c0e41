"""Users."""

from datetime import datetime
from typing import TypedDict, Unpack

import asyncpg

from services.auth.people.domain.records import NewUser, User
from services.auth.people.store.rows import USER, user
from services.auth.people.store.spent_ids import delete_and_spend
from shared.contracts.ids import ProjectId, UserId
from shared.contracts.principal import Project
from shared.kernel.clock import now
from shared.kernel.errors import ErrorType, Refusal
from shared.kernel.page import Page
from shared.postgres.pages import Listing
from shared.postgres.pool import Connection
from shared.queries.lists import ListQuery

_LOCK_PROJECT = "SELECT FROM auth.projects WHERE id = $1 AND sequence = $2 FOR UPDATE"
_COUNT = "SELECT count(*) FROM auth.users WHERE project = $1"
_INSERT = f"""
    INSERT INTO auth.users (project, id, name, email, phone, password_hash, password_updated_at, accessed_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING {USER}
"""
_GET = f"SELECT {USER} FROM auth.users WHERE project = $1 AND id = $2"
_LOCK = f"{_GET} FOR UPDATE"
_SLOWEST = "SELECT slowest_hash FROM auth.projects WHERE id = $1"
# What is measured differs a little each time, and is no reason to write.
_KEEP_SLOWEST = """
    UPDATE auth.projects SET slowest_hash = $2, slowest_hash_s = $3 WHERE id = $1 AND slowest_hash_s * 1.5 < $3
"""
_BY_EMAIL = f"SELECT {USER} FROM auth.users WHERE project = $1 AND email = $2"
ALL = Listing(
    columns=USER,
    tables="auth.users",
    where="users.project = $1",
    searched="concat_ws(' ', users.id, users.name, users.email, users.phone)",
    table="users",
    attributes={
        "$id": "users.id",
        "$sequence": "users.sequence",
        "$createdAt": "users.created_at",
        "$updatedAt": "users.updated_at",
        "name": "users.name",
        "email": "users.email",
        "phone": "users.phone",
        "status": "users.enabled",
        "passwordUpdate": "users.password_updated_at",
        "registration": "users.created_at",
        "emailVerification": "users.email_verified",
        "phoneVerification": "users.phone_verified",
        "labels": "users.labels",
        "accessedAt": "users.accessed_at",
    },
)
_DELETE = delete_and_spend("user")
_STATUS = f"""
    UPDATE auth.users SET enabled = $3, updated_at = now() WHERE project = $1 AND id = $2 RETURNING {USER}
"""
_LABELS = f"""
    UPDATE auth.users SET labels = $3, updated_at = now() WHERE project = $1 AND id = $2 RETURNING {USER}
"""
_LOCK_SIGN_IN = """
    SELECT enabled FROM auth.users WHERE project = $1 AND id = $2 AND sequence = coalesce($3, sequence) FOR UPDATE
"""
_LOCK_KNOWN = """
    SELECT FROM auth.users
    WHERE project = $1 AND id = $2 AND sequence = $3 AND password_updated_at IS NOT DISTINCT FROM $4 FOR UPDATE
"""
_TOUCH = """
    UPDATE auth.users SET accessed_at = now()
    WHERE project = $1 AND id = $2 AND (accessed_at IS NULL OR accessed_at < now() - interval '1 day')
"""
_REHASH = "UPDATE auth.users SET password_hash = $4 WHERE project = $1 AND id = $2 AND password_hash = $3"


class Changes(TypedDict, total=False):
    """Columns of a user and their new values."""

    name: str
    email: str | None
    phone: str | None
    password_hash: str | None
    password_updated_at: datetime | None
    email_verified: bool
    phone_verified: bool
    prefs: str


async def lock_users(connection: Connection, project: Project) -> int:
    """Let no other transaction make users of a project until this one ends; return how many there are.

    Raises `Refusal(PROJECT_NOT_FOUND)`.
    """
    if await connection.fetchrow(_LOCK_PROJECT, project.id, project.incarnation) is None:
        raise Refusal(ErrorType.PROJECT_NOT_FOUND, "The project has been deleted in the meantime.")
    count: int = await connection.fetchval(_COUNT, project.id)
    return count


async def insert_user(
    connection: Connection, project_id: ProjectId, new: NewUser, *, accessed_at: datetime | None = None
) -> User:
    """Make a user; raises `Refusal(USER_ALREADY_EXISTS)` where the id, e-mail or phone is taken."""
    password_updated_at = None if new.password_hash is None else now()
    try:
        row = await connection.fetchrow(
            _INSERT,
            project_id,
            new.id,
            new.name,
            new.email or None,
            new.phone or None,
            new.password_hash,
            password_updated_at,
            accessed_at,
        )
    except asyncpg.UniqueViolationError as error:
        raise Refusal(ErrorType.USER_ALREADY_EXISTS) from error
    except asyncpg.ForeignKeyViolationError as error:
        raise Refusal(ErrorType.PROJECT_NOT_FOUND, "The project has been deleted in the meantime.") from error
    assert row is not None  # noqa: S101 an INSERT returns its row
    return user(row)


async def find_user(connection: Connection, project_id: ProjectId, id_: UserId) -> User | None:
    """Return a user by id."""
    row = await connection.fetchrow(_GET, project_id, id_)
    return None if row is None else user(row)


async def get_user(connection: Connection, project_id: ProjectId, id_: UserId) -> User:
    """Return a user by id; raises `Refusal(USER_NOT_FOUND)`."""
    return _existing(await connection.fetchrow(_GET, project_id, id_))


async def lock_user(connection: Connection, project_id: ProjectId, id_: UserId) -> User:
    """Return a user whom no other transaction changes until this one ends; raises `Refusal(USER_NOT_FOUND)`."""
    return _existing(await connection.fetchrow(_LOCK, project_id, id_))


async def lock_sign_in(
    connection: Connection, project_id: ProjectId, user_id: UserId, incarnation: int | None = None
) -> bool | None:
    """Let no other transaction change a user's sessions until this one ends; say whether the user may sign in.

    False where the user is blocked, None where the user is not there: with an incarnation, a user who was made later
    with the same id is another.
    """
    may_sign_in: bool | None = await connection.fetchval(_LOCK_SIGN_IN, project_id, user_id, incarnation)
    return may_sign_in


async def find_user_by_email(connection: Connection, project_id: ProjectId, email: str) -> User | None:
    """Return a user by address, in lower case."""
    row = await connection.fetchrow(_BY_EMAIL, project_id, email)
    return None if row is None else user(row)


async def find_slowest_hash(connection: Connection, project_id: ProjectId) -> str | None:
    """Return a hash that takes as long to check as the slowest that was brought along; None: ours takes longest."""
    slowest: str | None = await connection.fetchval(_SLOWEST, project_id)
    return slowest


async def keep_slowest_hash(connection: Connection, project_id: ProjectId, decoy: str, seconds: float) -> None:
    """Keep a decoy hash that takes so much longer to check than one of ours, if it is the slowest of the project."""
    await connection.execute(_KEEP_SLOWEST, project_id, decoy, seconds)


async def list_users(connection: Connection, project_id: ProjectId, query: ListQuery) -> Page[User]:
    """Return a page of users; raises as `Listing.page`."""
    return await ALL.page(connection, query, [project_id], user)


async def set_enabled(connection: Connection, project_id: ProjectId, id_: UserId, *, enabled: bool) -> User:
    """Block or unblock a user; raises `Refusal(USER_NOT_FOUND)`."""
    return _existing(await connection.fetchrow(_STATUS, project_id, id_, enabled))


async def set_labels(connection: Connection, project_id: ProjectId, id_: UserId, labels: list[str]) -> User:
    """Replace a user's labels; raises `Refusal(USER_NOT_FOUND)`."""
    return _existing(await connection.fetchrow(_LABELS, project_id, id_, labels))


async def update_user(connection: Connection, project_id: ProjectId, id_: UserId, **changes: Unpack[Changes]) -> User:
    """Change a user; raises `Refusal(USER_NOT_FOUND)`, `Refusal(USER_TARGET_ALREADY_EXISTS)`."""
    columns = "".join(f"{column} = ${place}, " for place, column in enumerate(changes, start=3))
    statement = f"UPDATE auth.users SET {columns}updated_at = now() WHERE project = $1 AND id = $2 RETURNING {USER}"
    try:
        return _existing(await connection.fetchrow(statement, project_id, id_, *changes.values()))
    except asyncpg.UniqueViolationError as error:
        raise Refusal(ErrorType.USER_TARGET_ALREADY_EXISTS) from error


async def lock_password(connection: Connection, known: User) -> bool:
    """Lock a user against changes until this transaction ends; False where the password is no longer the known one."""
    row = await connection.fetchrow(
        _LOCK_KNOWN, known.project_id, known.id, known.incarnation, known.password_updated_at
    )
    return row is not None


async def replace_hash(connection: Connection, known: User, new_hash: str) -> None:
    """Put a new hash of the same password in place of the old one, unless that has changed meanwhile."""
    await connection.execute(_REHASH, known.project_id, known.id, known.password_hash, new_hash)


async def touch(connection: Connection, project_id: ProjectId, id_: UserId) -> None:
    """Note that a user is active, once a day."""
    await connection.execute(_TOUCH, project_id, id_)


async def delete_user(connection: Connection, project_id: ProjectId, id_: UserId) -> None:
    """Delete a user, whose id is spent by that; raises `Refusal(USER_NOT_FOUND)`."""
    if await connection.execute(_DELETE, project_id, id_) == "INSERT 0 0":
        raise Refusal(ErrorType.USER_NOT_FOUND)


def _existing(row: asyncpg.Record | None) -> User:
    if row is None:
        raise Refusal(ErrorType.USER_NOT_FOUND)
    return user(row)
