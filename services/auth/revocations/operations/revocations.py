"""Records of revocations, and the revocation of single JWTs."""

import uuid
from datetime import UTC, datetime

from services.auth.deps import AuthDeps
from services.auth.revocations.store.revoked_jwts import insert_revoked_jwt
from shared.contracts import subjects
from shared.contracts.events import PrincipalsChanged
from shared.contracts.reasons import Reason
from shared.kernel.errors import ErrorType, Refusal
from shared.messaging import outbox
from shared.messaging.outbox import StoredReceipt, publish

MOST = 1000


async def list_revocations(deps: AuthDeps, *, subject: str, is_pending: bool, limit: int) -> list[StoredReceipt]:
    """Return what is kept of revocations, the newest first, at most `limit` and MOST."""
    return await outbox.list_receipts(deps.pool, subject=subject, is_pending=is_pending, most=max(1, min(limit, MOST)))


async def get_revocation(deps: AuthDeps, number: int) -> StoredReceipt:
    """Return what is kept of one; raises `Refusal(REVOCATION_NOT_FOUND)`."""
    receipt = await outbox.find_receipt(deps.pool, number)
    if receipt is None:
        raise Refusal(ErrorType.REVOCATION_NOT_FOUND, f"Revocation {number} could not be found.")
    return receipt


async def revoke_jwt(deps: AuthDeps, *, jti: str, exp: int, by: str) -> uuid.UUID:
    """End one JWT, which would end by itself at `exp` in Unix seconds; return the ticket to confirm."""
    async with deps.pool.acquire() as connection, connection.transaction():
        await insert_revoked_jwt(connection, jti, datetime.fromtimestamp(exp, UTC))
        event = PrincipalsChanged(subjects=(subjects.jwt(jti),), reason=Reason.JWT_REVOKED)
        return await publish(connection, event, asked_by=by)
