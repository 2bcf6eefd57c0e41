"""Which roles the permissions of tables and rows name, whatever they grant."""

from collections.abc import Sequence
from typing import NamedTuple

from services.data.store.errors import translate_drops
from shared.appwrite.permissions import ROW_ACTIONS
from shared.postgres.pool import Connection

_TABLES = """
    SELECT incarnation, format('db_%s.p_%s', databases.n, tables.n) AS grants
    FROM data.tables JOIN data.databases ON databases.n = tables.database_n
    WHERE incarnation IS NOT NULL AND incarnation = coalesce($1, incarnation) ORDER BY databases.n, tables.n
"""
# A permission reads action("role"), and no role has a quotation mark in it.
_TABLE_ROLES = """
    SELECT DISTINCT incarnation, split_part(permission, '"', 2) AS role
    FROM data.tables JOIN data.databases ON databases.n = tables.database_n, unnest(permissions) AS permission
    WHERE incarnation = coalesce($1, incarnation)
"""
_NAMES_TEAM = f"""
    SELECT EXISTS (SELECT FROM ({_TABLE_ROLES}) AS named WHERE role = $2 OR starts_with(role, $2 || '/'))
"""
_ROW_NAMES_TEAM = """
    EXISTS (SELECT FROM {grants} WHERE action = ANY($1) AND role = $2)
    OR EXISTS (SELECT FROM {grants} WHERE action = ANY($1) AND role >= $2 || '/' AND role < $2 || '0')
"""
# Each step of the recursion finds the next role in the index: it costs as many reads as there are roles, not rows.
_ROW_ROLES = """
    WITH RECURSIVE named AS (
        (SELECT role FROM {grants} WHERE action = $1 AND role > $2 AND role < $3 ORDER BY role LIMIT 1)
        UNION ALL
        SELECT (
            SELECT role FROM {grants} AS next
            WHERE action = $1 AND next.role > named.role AND next.role < $3 ORDER BY role LIMIT 1
        ) FROM named WHERE named.role IS NOT NULL
    )
    SELECT role FROM named WHERE role IS NOT NULL LIMIT $4
"""


class TableGrants(NamedTuple):
    """The table of the permissions of a table's rows, and the incarnation of its project."""

    incarnation: int
    grants: str


async def list_tables(connection: Connection, incarnation: int | None = None) -> list[TableGrants]:
    """Return the tables of one project, or of all."""
    return [TableGrants(*row) for row in await connection.fetch(_TABLES, incarnation)]


async def do_tables_name_team(connection: Connection, incarnation: int, team: str) -> bool:
    """Say whether the permissions of any table of a project name a team, or a role in it."""
    is_named: bool = await connection.fetchval(_NAMES_TEAM, incarnation, f"team:{team}")
    return is_named


async def do_rows_name_team(connection: Connection, tables: Sequence[TableGrants], team: str) -> bool:
    """Say whether the permissions of any row of these tables name a team, or a role in it; raises `StaleTable`."""
    conditions = " OR ".join(_ROW_NAMES_TEAM.format(grants=table.grants) for table in tables)
    with translate_drops():
        is_named: bool = await connection.fetchval(f"SELECT {conditions}", list(ROW_ACTIONS), f"team:{team}")
    return is_named


async def list_table_roles(connection: Connection) -> list[tuple[int, str]]:
    """Return all roles that the permissions of tables name, with the incarnation of their project."""
    return [(row["incarnation"], row["role"]) for row in await connection.fetch(_TABLE_ROLES, None)]


async def list_row_roles(connection: Connection, table: TableGrants, kind: str, limit: int) -> set[str]:
    """Return roles of a kind that the permissions of a table's rows name, at most so many for each action.

    Raises `StaleTable`.
    """
    statement, first, last = _ROW_ROLES.format(grants=table.grants), f"{kind}:", f"{kind};"  # ; comes after :
    with translate_drops():
        pages = [await connection.fetch(statement, action, first, last, limit) for action in ROW_ACTIONS]
    return {row["role"] for rows in pages for row in rows}
