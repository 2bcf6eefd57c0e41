"""What auth asks about grants."""

from services.storage.operations import grants as operations
from services.storage.operations.deps import StorageDeps
from shared.contracts.grants import FindTeamGrantsInFiles, Grantees, ListGranteesInFiles, TeamGrants
from shared.messaging.answers import Requests

requests = Requests[StorageDeps]()


@requests.answers(FindTeamGrantsInFiles)
async def find_team_grants(deps: StorageDeps, request: FindTeamGrantsInFiles) -> TeamGrants:
    """Return whether any permission names a team."""
    return await operations.find_team_grants(deps.pool, request)


@requests.answers(ListGranteesInFiles)
async def list_grantees(deps: StorageDeps, request: ListGranteesInFiles) -> Grantees:
    """Return whom permissions name."""
    return await operations.list_grantees(deps.pool, request)
