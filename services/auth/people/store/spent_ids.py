"""Ids that a deleted user or team had."""

from typing import Literal

from shared.contracts.ids import ProjectId, UserId
from shared.postgres.pool import Connection

Kind = Literal["user", "team"]

_IS_RESERVED = """
    SELECT FROM auth.memberships WHERE project = $1 AND user_id = $2 AND invited_name IS NOT NULL
"""
_IS_SPENT = "SELECT FROM auth.spent_ids WHERE project = $1 AND kind = $2 AND id = $3"


def delete_and_spend(kind: Kind) -> str:
    """Return the statement that deletes a user or team and notes its id: it inserts one row, or there was none."""
    return f"""
        WITH gone AS (DELETE FROM auth.{kind}s WHERE project = $1 AND id = $2 RETURNING project, id)
        INSERT INTO auth.spent_ids (project, kind, id) SELECT project, '{kind}', id FROM gone
        ON CONFLICT (project, kind, id) DO UPDATE SET spent_at = now()
    """


async def is_spent(connection: Connection, project_id: ProjectId, kind: Kind, id_: str) -> bool:
    """Say whether a user or team that had this id has been deleted.

    After an insert in the same transaction nobody can be deleting one any more: the insert has waited for that.
    """
    return await connection.fetchrow(_IS_SPENT, project_id, kind, id_) is not None


async def is_reserved(connection: Connection, project_id: ProjectId, user_id: UserId) -> bool:
    """Return whether an invitation to an address reserves an id for the user that it makes when it is accepted."""
    return await connection.fetchrow(_IS_RESERVED, project_id, user_id) is not None
