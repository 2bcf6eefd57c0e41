"""What auth asks about grants."""

from services.data.operations import grants as operations
from services.data.operations.deps import DataDeps
from shared.contracts.grants import FindTeamGrants, Grantees, ListGrantees, TeamGrants
from shared.messaging.answers import Requests

requests = Requests[DataDeps]()


@requests.answers(FindTeamGrants)
async def find_team_grants(deps: DataDeps, request: FindTeamGrants) -> TeamGrants:
    """Return whether any permission names a team."""
    return await operations.find_team_grants(deps.pool, request)


@requests.answers(ListGrantees)
async def list_grantees(deps: DataDeps, request: ListGrantees) -> Grantees:
    """Return whom permissions name."""
    return await operations.list_grantees(deps.pool, request)
