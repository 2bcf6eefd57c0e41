"""Web platforms of projects."""

import asyncpg

from services.auth.projects.domain.projects import Platform
from shared.contracts.ids import PlatformId, ProjectId
from shared.kernel.errors import ErrorType, Refusal
from shared.kernel.page import Page
from shared.postgres.pages import Listing
from shared.postgres.pool import Connection
from shared.queries.lists import ListQuery

_COLUMNS = "project AS project_id, id, name, hostname, created_at, updated_at"
_INSERT = f"INSERT INTO auth.platforms (project, id, name, hostname) VALUES ($1, $2, $3, $4) RETURNING {_COLUMNS}"
LISTING = Listing(
    columns=_COLUMNS,
    tables="auth.platforms",
    where="project = $1",
    searched="name",
    table="platforms",
    attributes={
        "$id": "platforms.id",
        "$sequence": "platforms.sequence",
        "$createdAt": "platforms.created_at",
        "$updatedAt": "platforms.updated_at",
        "name": "platforms.name",
        "hostname": "platforms.hostname",
        "type": "'web'::text",
    },
)
_GET = f"SELECT {_COLUMNS} FROM auth.platforms WHERE project = $1 AND id = $2"
_UPDATE = f"""
    UPDATE auth.platforms SET name = $3, hostname = $4, updated_at = now()
    WHERE project = $1 AND id = $2 RETURNING {_COLUMNS}
"""
_DELETE = "DELETE FROM auth.platforms WHERE project = $1 AND id = $2"


async def insert_platform(
    connection: Connection, project_id: ProjectId, id_: PlatformId, *, name: str, hostname: str
) -> Platform:
    """Make a platform; raises `Refusal(PLATFORM_ALREADY_EXISTS)`, `Refusal(PROJECT_NOT_FOUND)`."""
    try:
        row = await connection.fetchrow(_INSERT, project_id, id_, name, hostname)
    except asyncpg.UniqueViolationError as error:
        raise Refusal(ErrorType.PLATFORM_ALREADY_EXISTS, f"Platform {id_} already exists.") from error
    except asyncpg.ForeignKeyViolationError as error:
        raise Refusal(ErrorType.PROJECT_NOT_FOUND, "The project has been deleted in the meantime.") from error
    return _existing(row)


async def list_platforms(connection: Connection, project_id: ProjectId, query: ListQuery) -> Page[Platform]:
    """Return a page of platforms, the oldest first; raises what `Listing.page` does."""
    return await LISTING.page(connection, query, [project_id], _existing)


async def get_platform(connection: Connection, project_id: ProjectId, id_: PlatformId) -> Platform:
    """Return a platform; raises `Refusal(PLATFORM_NOT_FOUND)`."""
    return _existing(await connection.fetchrow(_GET, project_id, id_))


async def update_platform(
    connection: Connection, project_id: ProjectId, id_: PlatformId, *, name: str, hostname: str
) -> Platform:
    """Change a platform; raises `Refusal(PLATFORM_NOT_FOUND)`."""
    return _existing(await connection.fetchrow(_UPDATE, project_id, id_, name, hostname))


async def delete_platform(connection: Connection, project_id: ProjectId, id_: PlatformId) -> None:
    """Delete a platform; raises `Refusal(PLATFORM_NOT_FOUND)`."""
    if await connection.execute(_DELETE, project_id, id_) == "DELETE 0":
        raise Refusal(ErrorType.PLATFORM_NOT_FOUND)


def _existing(row: asyncpg.Record | None) -> Platform:
    if row is None:
        raise Refusal(ErrorType.PLATFORM_NOT_FOUND)
    return Platform(**dict(row))
