"""Whether there is whom permissions name."""

from collections.abc import Sequence

from shared.contracts.grants import Grantee
from shared.postgres.pool import Connection

_MISSING = """
    SELECT projects.id AS project, named.kind || ':' || named.id AS role
    FROM unnest($1::bigint[], $2::text[], $3::text[]) AS named (incarnation, kind, id)
    JOIN auth.projects ON projects.sequence = named.incarnation
    WHERE CASE named.kind
        WHEN 'user' THEN NOT EXISTS (
            SELECT FROM auth.users WHERE users.project = projects.id AND users.id = named.id
        )
        WHEN 'team' THEN NOT EXISTS (
            SELECT FROM auth.teams WHERE teams.project = projects.id AND teams.id = named.id
        )
        ELSE NOT EXISTS (
            SELECT FROM auth.memberships WHERE memberships.project = projects.id AND memberships.id = named.id
        )
    END
    ORDER BY 1, 2
"""


async def list_missing(connection: Connection, grantees: Sequence[Grantee]) -> list[tuple[str, str]]:
    """Return those who are not there: the project and the role, as `team:admins`."""
    named = ([one.incarnation for one in grantees], [one.kind for one in grantees], [one.id for one in grantees])
    return [(row["project"], row["role"]) for row in await connection.fetch(_MISSING, *named)]
