"""API keys."""

from datetime import datetime

import asyncpg

from services.auth.domain.records import Key
from services.auth.store.rows import KEY, key
from shared.kernel.errors import ErrorType, Refusal
from shared.postgres.pool import Connection

_INSERT = f"""
    INSERT INTO auth.keys (project, id, name, scopes, secret_digest, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6) RETURNING {KEY}
"""
_LIST = f"SELECT {KEY} FROM auth.keys WHERE project = $1 ORDER BY sequence"
_DELETE = "DELETE FROM auth.keys WHERE project = $1 AND id = $2"


async def insert_key(
    connection: Connection,
    *,
    project: str,
    id_: str,
    name: str,
    scopes: list[str],
    secret_digest: bytes,
    expires_at: datetime | None,
) -> Key:
    """Make a key; raises `Refusal(KEY_ALREADY_EXISTS)` or `Refusal(PROJECT_NOT_FOUND)`."""
    try:
        row = await connection.fetchrow(_INSERT, project, id_, name, scopes, secret_digest, expires_at)
    except asyncpg.UniqueViolationError as error:
        raise Refusal(ErrorType.KEY_ALREADY_EXISTS, f"A key {id_} exists already.") from error
    except asyncpg.ForeignKeyViolationError as error:
        raise Refusal(ErrorType.PROJECT_NOT_FOUND, f"There is no project {project}.") from error
    assert row is not None  # noqa: S101 an INSERT returns its row
    return key(row)


async def list_keys(connection: Connection, project: str) -> list[Key]:
    """Return a project's keys, the oldest first."""
    return [key(row) for row in await connection.fetch(_LIST, project)]


async def delete_key(connection: Connection, project: str, id_: str) -> bool:
    """Delete a key; False where there is none."""
    return bool(await connection.execute(_DELETE, project, id_) != "DELETE 0")
