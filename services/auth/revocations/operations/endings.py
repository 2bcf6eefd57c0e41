"""The end of all by which a user signs in or acts, within a revoking change."""

from services.auth.revocations.store.endings import end_all_of_user
from shared.contracts import subjects
from shared.contracts.ids import NO_SESSION, SessionId, UserId
from shared.guard.changing import Change
from shared.kernel.errors import ErrorType, Refusal


async def end_all(change: Change, user_id: UserId, *, kept: SessionId = NO_SESSION) -> None:
    """End a user's sessions but `kept`, login tokens, pending invitations, and JWTs without a session.

    This is the one rule of what ends with all sessions of a user: everything by which the user could still sign in
    or act. Raises `Refusal(USER_NOT_FOUND)`.
    """
    if not await end_all_of_user(change.connection, change.actor.project_id, user_id, kept=kept):
        raise Refusal(ErrorType.USER_NOT_FOUND)
    change.revoke(subjects.user(change.actor.project_id, user_id))
