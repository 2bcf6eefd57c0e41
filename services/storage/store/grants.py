"""Which roles the permissions of buckets and files name, whatever they grant."""

from shared.postgres.pool import Connection

# A permission reads action("role"), and no role has a quotation mark in it.
_ROLES = """
    SELECT DISTINCT incarnation, split_part(permission, '"', 2) AS role
    FROM (
        SELECT incarnation, permissions FROM storage.buckets WHERE deleted_at IS NULL
        UNION ALL
        SELECT incarnation, files.permissions FROM storage.files JOIN storage.buckets ON buckets.sequence = files.bucket
        WHERE deleted_at IS NULL
    ) AS granting, unnest(permissions) AS permission
    WHERE incarnation = coalesce($1, incarnation)
"""
_NAMES_TEAM = f"""
    SELECT EXISTS (SELECT FROM ({_ROLES}) AS named WHERE role = $2 OR starts_with(role, $2 || '/'))
"""
_LIST_ROLES = f"""
    SELECT incarnation, role FROM ({_ROLES}) AS named
    WHERE split_part(role, ':', 1) IN ('team', 'user', 'member') AND position(':' IN role) > 0
    ORDER BY incarnation, role LIMIT $2
"""


async def is_team_named(connection: Connection, incarnation: int, team: str) -> bool:
    """Return whether any permission in a project names a team, or a role in it."""
    is_named: bool = await connection.fetchval(_NAMES_TEAM, incarnation, f"team:{team}")
    return is_named


async def list_roles(connection: Connection, limit: int) -> list[tuple[int, str]]:
    """Return roles of teams, users and memberships that permissions name, with the incarnation of their project."""
    return [(row["incarnation"], row["role"]) for row in await connection.fetch(_LIST_ROLES, None, limit)]
