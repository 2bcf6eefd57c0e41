"""What the command line asks about teams. It sees what a key sees."""

from services.auth.deps import AuthDeps
from services.auth.projects.operations.projects import get_project
from services.auth.teams.domain.teams import Membership, Team
from services.auth.teams.operations import memberships, teams
from shared.contracts.ids import ProjectId
from shared.contracts.principal import Kind, Principal
from shared.contracts.teams import ListTeams, MembershipRecord, ShowTeam, TeamRecord, TeamRecords
from shared.kernel.clock import wire_date
from shared.messaging.answers import Requests
from shared.queries.lists import ListQuery
from shared.queries.tree import Query

requests = Requests[AuthDeps]()


@requests.answers(ListTeams)
async def list_teams(deps: AuthDeps, request: ListTeams) -> TeamRecords:
    """Return the teams that are searched for."""
    reader = await _reader(deps, request.project_id)
    query = ListQuery(query=Query(limit=request.limit), search=request.search, total=False)
    page = await teams.list_teams(deps, reader, query=query)
    return TeamRecords(teams=tuple(map(_team, page.items)))


@requests.answers(ShowTeam)
async def show_team(deps: AuthDeps, request: ShowTeam) -> TeamRecords:
    """Return a team and its memberships."""
    reader = await _reader(deps, request.project_id)
    team = await teams.get_team(deps, reader, team_id=request.id)
    query = ListQuery(query=Query(limit=request.limit), total=False)
    page = await memberships.list_memberships(deps, reader, team_id=request.id, query=query, names_users=True)
    return TeamRecords(teams=(_team(team),), memberships=tuple(map(_membership, page.items)))


async def _reader(deps: AuthDeps, project_id: ProjectId) -> Principal:
    incarnation = (await get_project(deps, project_id)).project.incarnation
    return Principal(project_id=project_id, kind=Kind.KEY, project_incarnation=incarnation)


def _team(team: Team) -> TeamRecord:
    return TeamRecord(id=team.id, name=team.name, total=team.total, created_at=wire_date(team.created_at))


def _membership(membership: Membership) -> MembershipRecord:
    return MembershipRecord(
        id=membership.id,
        user_id=membership.user_id,
        name=membership.user_name,
        email=membership.user_email,
        roles=tuple(membership.roles),
        confirmed=membership.confirmed,
        invited=wire_date(membership.invited_at),
        joined=wire_date(membership.joined_at) if membership.joined_at else "",
    )
