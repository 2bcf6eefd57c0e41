"""Whom permissions name, for auth, which knows who is there: storage knows roles by their text alone."""

from services.storage.store import grants as store
from shared.contracts.grants import FindTeamGrantsInFiles, Grantees, ListGranteesInFiles, TeamGrants, grantees_in
from shared.postgres.pool import Pool


async def find_team_grants(pool: Pool, request: FindTeamGrantsInFiles) -> TeamGrants:
    """Return whether a team, or a role in it, is named."""
    async with pool.acquire() as connection:
        return TeamGrants(is_named=await store.is_team_named(connection, request.incarnation, request.team))


async def list_grantees(pool: Pool, request: ListGranteesInFiles) -> Grantees:
    """Return users, teams and memberships that permissions name."""
    async with pool.acquire() as connection:
        roles = await store.list_roles(connection, request.limit + 1)
    grantees = tuple(dict.fromkeys(grantees_in(roles)))
    return Grantees(grantees=grantees[: request.limit], is_complete=len(roles) <= request.limit)
