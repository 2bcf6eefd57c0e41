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
    found = await operations.list_revocations(
        deps, subject=request.subject, is_pending=request.is_pending, limit=request.limit
    )
    return RevocationRecords(revocations=tuple(map(_record, found)))


@requests.answers(ShowRevocation)
async def show_revocation(deps: AuthDeps, request: ShowRevocation) -> RevocationRecords:
    """Return one record."""
    return RevocationRecords(revocations=(_record(await operations.get_revocation(deps, request.number)),))


def _record(found: StoredReceipt) -> RevocationRecord:
    return RevocationRecord(
        number=found.number or 0,
        state="pending" if found.answered_at is None else "confirmed",
        subjects=tuple(found.subjects),
        reason=found.reason,
        asked_by=found.asked_by,
        committed_at=wire_date(found.committed_at),
        answered_at=wire_date(found.answered_at),
        acked=found.acked or 0,
        fenced=found.fenced or 0,
        milliseconds=round(found.milliseconds or 0.0, 1),
    )
