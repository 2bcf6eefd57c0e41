"""The teams service: teams themselves. A user sees the teams of which it is a confirmed member; a key sees all."""

from typing import Annotated

import msgspec

from services.auth.deps import AuthDeps
from services.auth.people.http.prefs import Prefs, encode_prefs
from services.auth.teams.domain.teams import MAX_ROLES_IN_TEAM, TEAM_LIST_FIELDS
from services.auth.teams.domain.teams import Team as TeamOf
from services.auth.teams.operations import teams as operations
from shared.appwrite.permissions import LONGEST_TEAM_ROLE
from shared.contracts.ids import TeamId
from shared.kernel.clock import wire_date
from shared.kernel.errors import ErrorType
from shared.queries.lists import parse_list_query
from shared.web.bodies import MEDIUM_BODY_BYTES
from shared.web.endpoint import Call, Caller, RateLimit, Routes
from shared.web.parameters import CustomIdOf, IdOf
from shared.web.receipts import add_receipt, with_receipt

routes = Routes[AuthDeps]("teams", {"teamId": ErrorType.TEAM_NOT_FOUND})

CALLERS = Caller.USER | Caller.KEY
READ, WRITE = ("teams.read",), ("teams.write",)

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Role = Annotated[
    str,
    msgspec.Meta(
        pattern=rf"^[A-Za-z0-9][A-Za-z0-9._-]{{0,{LONGEST_TEAM_ROLE - 1}}}\Z",
        description=f"must have 1 to {LONGEST_TEAM_ROLE} characters of a-z, A-Z, 0-9, period, hyphen, underscore",
    ),
]
Roles = Annotated[list[Role], msgspec.Meta(max_length=MAX_ROLES_IN_TEAM)]


class CreateTeam(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A team; `roles` are those of the user who makes it, beside that of owner."""

    team_id: CustomIdOf[TeamId]
    name: Name
    roles: Roles = []


class ListTeams(msgspec.Struct, frozen=True, kw_only=True):
    """`queries` in the SDKs' syntax; `search` in ids and names; `total` false spares the count."""

    queries: list[str] = []
    search: Annotated[str, msgspec.Meta(max_length=256)] = ""
    total: bool = True


class TeamPath(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One team."""

    team_id: IdOf[TeamId]


class UpdateTeamName(TeamPath, frozen=True, kw_only=True, rename="camel"):
    """A new name."""

    name: Name


class UpdateTeamPrefs(TeamPath, frozen=True, kw_only=True, rename="camel"):
    """All preferences that the team is to have."""

    prefs: Prefs


class Team(msgspec.Struct, frozen=True, kw_only=True):
    """A team; `total` is the number of its confirmed members."""

    id: str = msgspec.field(name="$id")
    created_at: str = msgspec.field(name="$createdAt")
    updated_at: str = msgspec.field(name="$updatedAt")
    name: str
    total: int
    prefs: msgspec.Raw


class TeamList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of teams."""

    total: int
    teams: list[Team]


@routes.endpoint(
    "POST",
    "/v1/teams",
    name="teams.create",
    callers=CALLERS,
    scopes=WRITE,
    status=201,
    limit=RateLimit(60, 60, by=("user",)),
    errors=(ErrorType.TEAM_ALREADY_EXISTS, ErrorType.REVOCATION_UNCONFIRMED),
)
async def create_team(call: Call[AuthDeps], params: CreateTeam) -> Team:
    """Create a team, with the user who calls as its owner; one made by a key has no members yet."""
    changed = await operations.create_team(
        call.deps, call.principal, team_id=params.team_id, name=params.name, roles=params.roles
    )
    return team_model(with_receipt(call, changed))


@routes.endpoint("GET", "/v1/teams", name="teams.list", callers=CALLERS, scopes=READ)
async def list_teams(call: Call[AuthDeps], params: ListTeams) -> TeamList:
    """List the teams of the user who calls; all of them for a key."""
    query = parse_list_query(params.queries, TEAM_LIST_FIELDS, search=params.search, total=params.total)
    page = await operations.list_teams(call.deps, call.principal, query=query)
    return TeamList(total=page.total, teams=[team_model(team) for team in page.items])


@routes.endpoint(
    "GET", "/v1/teams/{teamId}", name="teams.get", callers=CALLERS, scopes=READ, errors=(ErrorType.TEAM_NOT_FOUND,)
)
async def get_team(call: Call[AuthDeps], params: TeamPath) -> Team:
    """Return a team."""
    return team_model(await operations.get_team(call.deps, call.principal, team_id=params.team_id))


@routes.endpoint(
    "PUT",
    "/v1/teams/{teamId}",
    name="teams.update_name",
    callers=CALLERS,
    scopes=WRITE,
    errors=(ErrorType.TEAM_NOT_FOUND, ErrorType.USER_UNAUTHORIZED),
)
async def update_name(call: Call[AuthDeps], params: UpdateTeamName) -> Team:
    """Rename a team, as its owner or by a key."""
    return team_model(await operations.update_name(call.deps, call.principal, team_id=params.team_id, name=params.name))


@routes.endpoint(
    "DELETE",
    "/v1/teams/{teamId}",
    name="teams.delete",
    callers=CALLERS,
    scopes=WRITE,
    status=204,
    errors=(ErrorType.TEAM_NOT_FOUND, ErrorType.USER_UNAUTHORIZED, ErrorType.REVOCATION_UNCONFIRMED),
)
async def delete_team(call: Call[AuthDeps], params: TeamPath) -> None:
    """Delete a team. When the call returns, no user has any of its roles on any replica."""
    add_receipt(call, await operations.delete_team(call.deps, call.principal, team_id=params.team_id))


@routes.endpoint(
    "GET",
    "/v1/teams/{teamId}/prefs",
    name="teams.get_prefs",
    callers=CALLERS,
    scopes=READ,
    errors=(ErrorType.TEAM_NOT_FOUND,),
)
async def get_prefs(call: Call[AuthDeps], params: TeamPath) -> bytes:
    """Return a team's preferences."""
    return bytes((await operations.get_team(call.deps, call.principal, team_id=params.team_id)).prefs)


@routes.endpoint(
    "PUT",
    "/v1/teams/{teamId}/prefs",
    name="teams.update_prefs",
    callers=CALLERS,
    scopes=WRITE,
    errors=(ErrorType.TEAM_NOT_FOUND, ErrorType.USER_UNAUTHORIZED),
    max_body_bytes=MEDIUM_BODY_BYTES,
)
async def update_prefs(call: Call[AuthDeps], params: UpdateTeamPrefs) -> bytes:
    """Replace a team's preferences, as its owner or by a key, and return them."""
    prefs = encode_prefs(params.prefs)
    return bytes((await operations.update_prefs(call.deps, call.principal, team_id=params.team_id, prefs=prefs)).prefs)


def team_model(team: TeamOf) -> Team:
    """Write a team."""
    return Team(
        id=team.id,
        created_at=wire_date(team.created_at),
        updated_at=wire_date(team.updated_at),
        name=team.name,
        total=team.total,
        prefs=team.prefs,
    )
