"""Projects."""

from collections.abc import Mapping
from typing import NamedTuple

import asyncpg

from services.auth.projects.domain.projects import ProjectChange, StoredProject
from shared.contracts.ids import ProjectId
from shared.contracts.principal import Project
from shared.kernel.errors import ErrorType, Refusal
from shared.postgres.pool import Connection

_COLUMNS = """
    id, sequence, name, session_duration_s, session_limit, session_idle_s, recent_sign_in_s, session_invalidation,
    user_limit, disabled_auth_methods, shown_membership_fields, created_at, updated_at,
    origins || ARRAY(SELECT hostname FROM auth.platforms WHERE project = projects.id ORDER BY sequence) AS origins
"""
_INSERT = "INSERT INTO auth.projects (id, name, origins) VALUES ($1, $2, $3)"
_LIST = f"SELECT {_COLUMNS} FROM auth.projects ORDER BY sequence"
_GET = f"SELECT {_COLUMNS} FROM auth.projects WHERE id = $1"
_UPDATE = f"""
    UPDATE auth.projects SET
        name = coalesce($2, name),
        origins = ARRAY(
            SELECT origin FROM unnest(coalesce($3, origins) || $14::text[]) WITH ORDINALITY AS named (origin, place)
            WHERE lower(origin) <> ALL ($15::text[]) GROUP BY origin ORDER BY min(place)
        ),
        session_duration_s = coalesce($4, session_duration_s),
        session_limit = coalesce($5, session_limit),
        session_invalidation = coalesce($6, session_invalidation),
        user_limit = coalesce($7, user_limit),
        disabled_auth_methods = ARRAY(
            SELECT unnest(disabled_auth_methods) UNION SELECT unnest($8::text[]) EXCEPT SELECT unnest($9::text[])
            ORDER BY 1
        ),
        shown_membership_fields = ARRAY(
            SELECT unnest(shown_membership_fields) UNION SELECT unnest($10::text[]) EXCEPT SELECT unnest($11::text[])
            ORDER BY 1
        ),
        session_idle_s = coalesce($12, session_idle_s),
        recent_sign_in_s = coalesce($13, recent_sign_in_s),
        updated_at = now()
    WHERE id = $1 RETURNING {_COLUMNS}
"""
_HOLD = "SELECT FROM auth.projects WHERE id = $1 AND sequence = $2 FOR KEY SHARE"
_DELETE = "DELETE FROM auth.projects WHERE id = $1 RETURNING sequence"
_RESOLVE = f"""
    SELECT heads.number, project.* FROM feed.heads
    LEFT JOIN (SELECT {_COLUMNS} FROM auth.projects WHERE id = $1) AS project ON true
    WHERE heads.stream = 'feed'
"""


async def insert_project(connection: Connection, *, id_: ProjectId, name: str, origins: list[str]) -> None:
    """Make a project; raises `Refusal(PROJECT_ALREADY_EXISTS)`."""
    try:
        await connection.execute(_INSERT, id_, name, origins)
    except asyncpg.UniqueViolationError as error:
        raise Refusal(ErrorType.PROJECT_ALREADY_EXISTS, f"Project {id_} already exists.") from error


async def list_projects(connection: Connection) -> list[Project]:
    """Return all projects, the oldest first."""
    return [_project(row) for row in await connection.fetch(_LIST)]


async def get_project(connection: Connection, id_: ProjectId) -> StoredProject:
    """Return a project; raises `Refusal(PROJECT_NOT_FOUND)`."""
    return _existing(await connection.fetchrow(_GET, id_), id_)


async def update_project(connection: Connection, id_: ProjectId, change: ProjectChange) -> StoredProject:
    """Change a project; raises `Refusal(PROJECT_NOT_FOUND)`."""
    row = await connection.fetchrow(
        _UPDATE,
        id_,
        change.name,
        change.origins,
        change.session_duration_s,
        change.session_limit,
        change.session_invalidation,
        change.user_limit,
        _named(change.auth_methods, on=False),
        _named(change.auth_methods, on=True),
        _named(change.membership_fields, on=True),
        _named(change.membership_fields, on=False),
        change.session_idle_s,
        change.recent_sign_in_s,
        change.added_origins,
        change.removed_origins,
    )
    return _existing(row, id_)


async def delete_project(connection: Connection, id_: ProjectId) -> int:
    """Delete a project with all its users, sessions and keys; return which incarnation it was.

    Raises `Refusal(PROJECT_NOT_FOUND)`.
    """
    incarnation: int | None = await connection.fetchval(_DELETE, id_)
    if incarnation is None:
        raise _not_found(id_)
    return incarnation


async def hold_project(connection: Connection, id_: ProjectId, incarnation: int) -> None:
    """Lock a project against deletion until this transaction ends.

    Raises `Refusal(PROJECT_NOT_FOUND)` where this incarnation of it is gone, whether or not there is another by now.
    """
    if await connection.fetchrow(_HOLD, id_, incarnation) is None:
        raise Refusal(ErrorType.PROJECT_NOT_FOUND, "The project has been deleted in the meantime.")


class ProjectAt(NamedTuple):
    """A project, None where there is none, as of a position of the feed."""

    position: int
    project: Project | None


async def resolve_project(connection: Connection, id_: ProjectId) -> ProjectAt:
    """Return a project and the feed position of the same snapshot."""
    row = await connection.fetchrow(_RESOLVE, id_)
    assert row is not None  # noqa: S101 the head of the feed is there since its migration
    return ProjectAt(row["number"], None if row["id"] is None else _project(row))


def _named(switches: Mapping[str, bool], *, on: bool) -> list[str]:
    return [name for name, is_on in switches.items() if is_on is on]


def _not_found(id_: ProjectId) -> Refusal:
    return Refusal(ErrorType.PROJECT_NOT_FOUND, f"Project {id_} could not be found.")


def _existing(row: asyncpg.Record | None, id_: ProjectId) -> StoredProject:
    if row is None:
        raise _not_found(id_)
    return StoredProject(project=_project(row), created_at=row["created_at"], updated_at=row["updated_at"])


def _project(row: asyncpg.Record) -> Project:
    return Project(
        id=row["id"],
        name=row["name"],
        incarnation=row["sequence"],
        origins=tuple(dict.fromkeys(row["origins"])),
        session_duration_s=row["session_duration_s"],
        session_limit=row["session_limit"],
        session_idle_s=row["session_idle_s"],
        recent_sign_in_s=row["recent_sign_in_s"],
        session_invalidation=row["session_invalidation"],
        user_limit=row["user_limit"],
        disabled_auth_methods=frozenset(row["disabled_auth_methods"]),
        shown_membership_fields=frozenset(row["shown_membership_fields"]),
    )
