"""What the command line asks about revocations, and the revocation of a JWT, which token asks for."""

from services.auth.deps import AuthDeps
from services.auth.revocations.operations import revocations as operations
from shared.contracts.revocations import (
    ListRevocations,
    RevocationRecord,
    RevocationRecords,
    RevokedJwt,
    RevokeJwt,
    ShowRevocation,
)
from shared.kernel.clock import wire_date
from shared.messaging.answers import Requests
from shared.messaging.outbox import StoredReceipt

requests = Requests[AuthDeps]()


@requests.answers(RevokeJwt)
async def revoke_jwt(deps: AuthDeps, request: RevokeJwt) -> RevokedJwt:
    """End one JWT, by its `jti`."""
    ticket = await operations.revoke_jwt(deps, jti=request.jti, exp=request.exp, by=request.by)
    return RevokedJwt(ticket=str(ticket))


@requests.answers(ListRevocations)
async def list_revocations(deps: AuthDeps, request: ListRevocations) -> RevocationRecords:
    """Return records, the newest first."""
    receipts = await operations.list_revocations(
        deps, subject=request.subject, is_pending=request.is_pending, limit=request.limit
    )
    return RevocationRecords(revocations=tuple(map(_record, receipts)))


@requests.answers(ShowRevocation)
async def show_revocation(deps: AuthDeps, request: ShowRevocation) -> RevocationRecords:
    """Return one record."""
    return RevocationRecords(revocations=(_record(await operations.get_revocation(deps, request.number)),))


def _record(receipt: StoredReceipt) -> RevocationRecord:
    return RevocationRecord(
        number=receipt.number or 0,
        state="pending" if receipt.answered_at is None else "confirmed",
        subjects=tuple(receipt.subjects),
        reason=receipt.reason,
        asked_by=receipt.asked_by,
        committed_at=wire_date(receipt.committed_at),
        answered_at=wire_date(receipt.answered_at),
        acked=receipt.acked or 0,
        fenced=receipt.fenced or 0,
        milliseconds=round(receipt.milliseconds or 0.0, 1),
    )
