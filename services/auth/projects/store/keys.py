"""API keys."""

from datetime import datetime

import asyncpg

from services.auth.projects.domain.keys import Key, NewKey
from shared.contracts.ids import KeyId, ProjectId
from shared.kernel.errors import ErrorType, Refusal
from shared.kernel.page import Page
from shared.postgres.pages import Listing
from shared.postgres.pool import Connection
from shared.queries.lists import ListQuery

KEY = "project AS project_id, id, name, scopes, expires_at, created_at, updated_at"

_INSERT = f"""
    INSERT INTO auth.keys (project, id, name, scopes, secret_digest, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6) RETURNING {KEY}
"""
LISTING = Listing(
    columns=KEY,
    tables="auth.keys",
    where="project = $1",
    searched="name",
    table="keys",
    attributes={
        "$id": "keys.id",
        "$sequence": "keys.sequence",
        "$createdAt": "keys.created_at",
        "$updatedAt": "keys.updated_at",
        "name": "keys.name",
        "expire": "keys.expires_at",
        "accessedAt": "NULL::timestamptz",
        "scopes": "keys.scopes",
    },
)
_GET = f"SELECT {KEY} FROM auth.keys WHERE project = $1 AND id = $2"
_LOCK = f"SELECT {KEY} FROM auth.keys WHERE project = $1 AND id = ANY($2) ORDER BY id FOR UPDATE"
_UPDATE = f"""
    UPDATE auth.keys SET name = $3, scopes = $4, expires_at = $5, updated_at = now()
    WHERE project = $1 AND id = $2 RETURNING {KEY}
"""
_DELETE = "DELETE FROM auth.keys WHERE project = $1 AND id = $2"


async def insert_key(connection: Connection, new: NewKey) -> Key:
    """Create a key; raises `Refusal(KEY_ALREADY_EXISTS)` or `Refusal(PROJECT_NOT_FOUND)`."""
    try:
        row = await connection.fetchrow(
            _INSERT, new.project_id, new.id, new.name, new.scopes, new.secret_digest, new.expires_at
        )
    except asyncpg.UniqueViolationError as error:
        raise Refusal(ErrorType.KEY_ALREADY_EXISTS, f"Key {new.id} already exists.") from error
    except asyncpg.ForeignKeyViolationError as error:
        raise Refusal(ErrorType.PROJECT_NOT_FOUND, f"Project {new.project_id} could not be found.") from error
    assert row is not None  # noqa: S101 an INSERT returns its row
    return key(row)


async def list_keys(connection: Connection, project_id: ProjectId, query: ListQuery) -> Page[Key]:
    """Return a page of keys, the oldest first; raises what `Listing.page` does."""
    return await LISTING.page(connection, query, [project_id], key)


async def get_key(connection: Connection, project_id: ProjectId, id_: KeyId) -> Key:
    """Return a key; raises `Refusal(KEY_NOT_FOUND)`."""
    return _existing(await connection.fetchrow(_GET, project_id, id_), project_id, id_)


async def lock_keys(connection: Connection, project_id: ProjectId, ids: set[str]) -> dict[str, Key]:
    """Return those of these keys that exist, by id, locked until this transaction ends."""
    rows = await connection.fetch(_LOCK, project_id, sorted(ids))
    return {row["id"]: key(row) for row in rows}


async def update_key(
    connection: Connection,
    project_id: ProjectId,
    id_: KeyId,
    *,
    name: str,
    scopes: list[str],
    expires_at: datetime | None,
) -> Key:
    """Change a key; raises `Refusal(KEY_NOT_FOUND)`."""
    return _existing(await connection.fetchrow(_UPDATE, project_id, id_, name, scopes, expires_at), project_id, id_)


async def delete_key(connection: Connection, project_id: ProjectId, id_: KeyId) -> None:
    """Delete a key; raises `Refusal(KEY_NOT_FOUND)`."""
    if await connection.execute(_DELETE, project_id, id_) == "DELETE 0":
        raise not_found(project_id, id_)


def not_found(project_id: ProjectId, id_: KeyId) -> Refusal:
    """Return what is raised where there is no such key."""
    return Refusal(ErrorType.KEY_NOT_FOUND, f"Key {id_} could not be found in project {project_id}.")


def _existing(row: asyncpg.Record | None, project_id: ProjectId, id_: KeyId) -> Key:
    if row is None:
        raise not_found(project_id, id_)
    return key(row)


def key(row: asyncpg.Record) -> Key:
    """Read a key from the columns of KEY."""
    return Key(**dict(row))
