"""The one rule of what ends with all sessions of a user: everything by which the user could still sign in or act."""

import uuid

from services.auth.operations.revoking import tell
from services.auth.store.endings import end_all_of_user
from services.auth.store.users import not_found
from shared.contracts import subjects
from shared.postgres.pool import Connection


async def end_all(
    connection: Connection,
    project: str,
    user_id: str,
    *,
    reason: str,
    by: str,
    kept: str = "",
    ticket: uuid.UUID | None = None,
) -> uuid.UUID:
    """End a user's sessions but `kept`, login tokens, pending invitations, and JWTs without a session.

    Within the caller's transaction; returns the ticket to confirm: `ticket`, if that was chosen.
    Raises `Refusal(USER_NOT_FOUND)`.
    """
    if not await end_all_of_user(connection, project, user_id, kept=kept):
        raise not_found()
    return await tell(connection, reason, subjects.user(project, user_id), by=by, ticket=ticket)
