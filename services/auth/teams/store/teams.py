"""Teams."""

from typing import TypedDict, Unpack

import asyncpg
import msgspec

from services.auth.people.store.spent_ids import delete_and_spend
from services.auth.teams.domain.teams import OWNER, Team
from shared.contracts.ids import ProjectId, TeamId, UserId
from shared.contracts.principal import Principal
from shared.kernel.errors import ErrorType, Refusal
from shared.kernel.page import Page
from shared.postgres.pages import Listing
from shared.postgres.pool import Connection
from shared.queries.lists import ListQuery

_TOTAL = """(
    SELECT count(*) FROM auth.memberships AS counted
    WHERE counted.project = teams.project AND counted.team_id = teams.id AND counted.confirmed
)"""
"""How many confirmed members a team has: counted when it is read, so that it is never wrong."""

TEAM = (
    "teams.project AS project_id, teams.id, teams.name, teams.prefs::text AS prefs, teams.created_at, teams.updated_at,"
    f" {_TOTAL} AS total"
)

_INSERT = "INSERT INTO auth.teams (project, id, name) VALUES ($1, $2, $3)"
_GET = f"SELECT {TEAM} FROM auth.teams WHERE project = $1 AND id = $2"
_DELETE = delete_and_spend("team")
ALL = Listing(
    columns=TEAM,
    tables="auth.teams",
    where="teams.project = $1",
    searched="concat_ws(' ', teams.id, teams.name)",
    table="teams",
    attributes={
        "$id": "teams.id",
        "$sequence": "teams.sequence",
        "$createdAt": "teams.created_at",
        "$updatedAt": "teams.updated_at",
        "name": "teams.name",
        "total": _TOTAL,
    },
)
_OF_MEMBER = msgspec.structs.replace(
    ALL,
    where="""teams.project = $1 AND EXISTS (
        SELECT FROM auth.memberships AS own
        WHERE own.project = teams.project AND own.team_id = teams.id AND own.user_id = $2 AND own.confirmed
    )""",
)
_STILL = """
    SELECT FROM auth.users WHERE project = $1 AND id = $2 AND sequence = $7 AND enabled
      AND ($3 = '' OR EXISTS (
        SELECT FROM auth.sessions WHERE project = $1 AND user_id = $2 AND id = $3 AND deleted_at IS NULL
      ))
      AND ($6 = 0 OR generation = $6)
      AND ($4 = '' OR EXISTS (
        SELECT FROM auth.memberships
        WHERE project = $1 AND user_id = $2 AND team_id = $4 AND confirmed AND $5 = ANY(roles)
      ))
"""


class Changes(TypedDict, total=False):
    """Columns of a team and their new values."""

    name: str
    prefs: str


async def insert_team(connection: Connection, project_id: ProjectId, id_: TeamId, name: str) -> None:
    """Make a team without members; raises `Refusal(TEAM_ALREADY_EXISTS)`."""
    try:
        await connection.execute(_INSERT, project_id, id_, name)
    except asyncpg.UniqueViolationError as error:
        raise Refusal(ErrorType.TEAM_ALREADY_EXISTS) from error
    except asyncpg.ForeignKeyViolationError as error:
        raise Refusal(ErrorType.PROJECT_NOT_FOUND, "The project has been deleted in the meantime.") from error


async def get_team(connection: Connection, project_id: ProjectId, id_: TeamId) -> Team:
    """Return a team; raises `Refusal(TEAM_NOT_FOUND)`."""
    return _existing(await connection.fetchrow(_GET, project_id, id_))


async def list_teams(connection: Connection, project_id: ProjectId, user_id: UserId, query: ListQuery) -> Page[Team]:
    """Return a page of a project's teams, or of those with this user (not empty).

    Raises as `Listing.page`.
    """
    listing, values = (_OF_MEMBER, [project_id, user_id]) if user_id else (ALL, [project_id])
    return await listing.page(connection, query, values, _team)


async def update_team(connection: Connection, project_id: ProjectId, id_: TeamId, **changes: Unpack[Changes]) -> Team:
    """Change a team; raises `Refusal(TEAM_NOT_FOUND)`."""
    columns = "".join(f"{column} = ${place}, " for place, column in enumerate(changes, start=3))
    statement = f"UPDATE auth.teams SET {columns}updated_at = now() WHERE project = $1 AND id = $2 RETURNING {TEAM}"
    return _existing(await connection.fetchrow(statement, project_id, id_, *changes.values()))


async def delete_team(connection: Connection, project_id: ProjectId, id_: TeamId) -> None:
    """Delete a team with all memberships; its id is spent by that. Raises `Refusal(TEAM_NOT_FOUND)`."""
    if await connection.execute(_DELETE, project_id, id_) == "INSERT 0 0":
        raise Refusal(ErrorType.TEAM_NOT_FOUND)


async def find_team(connection: Connection, project_id: ProjectId, id_: TeamId) -> Team | None:
    """Return a team."""
    row = await connection.fetchrow(_GET, project_id, id_)
    return None if row is None else _team(row)


async def still_stands(connection: Connection, principal: Principal, *, owns: str = "") -> bool:
    """Say whether a user's credential is good in this snapshot, and where a team is named, whether the user owns it."""
    who = (principal.project_id, principal.user_id, principal.session_id)
    row = await connection.fetchrow(_STILL, *who, owns, OWNER, principal.generation, principal.incarnation)
    return row is not None


def _existing(row: asyncpg.Record | None) -> Team:
    if row is None:
        raise Refusal(ErrorType.TEAM_NOT_FOUND)
    return _team(row)


def _team(row: asyncpg.Record) -> Team:
    values = dict(row)
    return Team(**values | {"prefs": msgspec.Raw(values["prefs"].encode())})
