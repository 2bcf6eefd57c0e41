"""Whom permissions name, for auth, which knows who is there: data knows roles by their text alone."""

from services.data.store import grants as store
from services.data.store.errors import StaleTable
from shared.contracts.grants import (
    GRANTEE_KINDS,
    FindTeamGrants,
    Grantee,
    Grantees,
    ListGrantees,
    TeamGrants,
    grantees_in,
)
from shared.kernel.errors import ErrorType, Unavailable
from shared.postgres.pool import Pool

TABLES_AT_ONCE = 50


async def find_team_grants(pool: Pool, request: FindTeamGrants) -> TeamGrants:
    """Say whether a team is named; raises `Unavailable` where tables are deleted meanwhile."""
    async with pool.acquire() as connection:
        if await store.do_tables_name_team(connection, request.incarnation, request.team):
            return TeamGrants(is_named=True)
        tables = await store.list_tables(connection, request.incarnation)
        for start in range(0, len(tables), TABLES_AT_ONCE):
            try:
                is_named = await store.do_rows_name_team(
                    connection, tables[start : start + TABLES_AT_ONCE], request.team
                )
            except StaleTable as error:
                raise Unavailable("Tables are being deleted. Try again.", type=ErrorType.GENERAL_BUSY) from error
            if is_named:
                return TeamGrants(is_named=True)
    return TeamGrants(is_named=False)


async def list_grantees(pool: Pool, request: ListGrantees) -> Grantees:
    """Return users, teams and memberships that permissions name, those that tables name first."""
    grantees: dict[Grantee, None] = {}
    async with pool.acquire() as connection:
        _add(grantees, await store.list_table_roles(connection))
        for table in await store.list_tables(connection):
            for kind in GRANTEE_KINDS:
                if len(grantees) > request.limit:
                    break
                try:
                    roles = await store.list_row_roles(connection, table, kind, request.limit + 1 - len(grantees))
                except StaleTable:
                    break  # deleted meanwhile
                _add(grantees, [(table.incarnation, role) for role in sorted(roles)])
    return Grantees(grantees=tuple(grantees)[: request.limit], is_complete=len(grantees) <= request.limit)


def _add(grantees: dict[Grantee, None], roles: list[tuple[int, str]]) -> None:
    grantees.update(dict.fromkeys(grantees_in(roles)))
