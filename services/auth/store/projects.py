"""Projects."""

import asyncpg

from shared.contracts.principal import Project
from shared.kernel.errors import ErrorType, Refusal
from shared.postgres.pool import Connection

_COLUMNS = (
    "id, name, origins, session_duration_s, session_limit, session_invalidation, user_limit, disabled_auth_methods,"
    " shown_membership_fields"
)
_INSERT = "INSERT INTO auth.projects (id, name, origins) VALUES ($1, $2, $3)"
_LIST = f"SELECT {_COLUMNS} FROM auth.projects ORDER BY sequence"
_GET = f"SELECT {_COLUMNS} FROM auth.projects WHERE id = $1"
_UPDATE = """
    UPDATE auth.projects SET name = coalesce($2, name), origins = coalesce($3, origins), updated_at = now()
    WHERE id = $1
"""
_DELETE = "DELETE FROM auth.projects WHERE id = $1"
_RESOLVE = f"""
    SELECT heads.number, found.* FROM feed.heads
    LEFT JOIN (SELECT {_COLUMNS} FROM auth.projects WHERE id = $1) AS found ON true
    WHERE heads.stream = 'feed'
"""


async def insert_project(connection: Connection, *, id_: str, name: str, origins: list[str]) -> None:
    """Make a project; raises `Refusal(PROJECT_ALREADY_EXISTS)`."""
    try:
        await connection.execute(_INSERT, id_, name, origins)
    except asyncpg.UniqueViolationError as error:
        raise Refusal(ErrorType.PROJECT_ALREADY_EXISTS, f"A project {id_} exists already.") from error


async def list_projects(connection: Connection) -> list[Project]:
    """Return all projects, the oldest first."""
    return [_project(row) for row in await connection.fetch(_LIST)]


async def find_project(connection: Connection, id_: str) -> Project | None:
    """Return a project."""
    row = await connection.fetchrow(_GET, id_)
    return None if row is None else _project(row)


async def update_project(connection: Connection, id_: str, *, name: str | None, origins: list[str] | None) -> bool:
    """Change what is not None; False where there is no such project."""
    return bool(await connection.execute(_UPDATE, id_, name, origins) != "UPDATE 0")


async def delete_project(connection: Connection, id_: str) -> bool:
    """Delete a project with all its users, sessions and keys; False where there is none."""
    return bool(await connection.execute(_DELETE, id_) != "DELETE 0")


async def resolve_project(connection: Connection, id_: str) -> tuple[int, Project | None]:
    """Return a project and the feed position of the same snapshot."""
    row = await connection.fetchrow(_RESOLVE, id_)
    assert row is not None  # noqa: S101 the head of the feed is there since its migration
    return row["number"], None if row["id"] is None else _project(row)


def _project(row: asyncpg.Record) -> Project:
    return Project(
        id=row["id"],
        name=row["name"],
        origins=tuple(row["origins"]),
        session_duration_s=row["session_duration_s"],
        session_limit=row["session_limit"],
        session_invalidation=row["session_invalidation"],
        user_limit=row["user_limit"],
        disabled_auth_methods=frozenset(row["disabled_auth_methods"]),
        shown_membership_fields=frozenset(row["shown_membership_fields"]),
    )
