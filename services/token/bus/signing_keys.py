"""What guards and the command line ask about signing keys, and what a change of them means to this process."""

from services.token.domain.signing_keys import SigningKey
from services.token.operations import signing_keys as operations
from services.token.operations.deps import TokenDeps
from shared.contracts.requests import GetKeys, VerificationKeys
from shared.contracts.signing_keys import (
    ListSigningKeys,
    ResealSigningKeys,
    RetireSigningKey,
    RotateSigningKey,
    SigningKeyRecord,
    SigningKeyRecords,
)
from shared.guard.receipt import Receipt
from shared.kernel.clock import wire_date
from shared.messaging.answers import Requests

requests = Requests[TokenDeps]()


def forget_keyring(deps: TokenDeps) -> None:
    """Read the signing keys again before they are used next."""
    deps.keyrings.forget()


@requests.answers(GetKeys)
async def get_keys(deps: TokenDeps, _: GetKeys) -> VerificationKeys:
    """Return all keys whose JWTs are good."""
    return await operations.get_keys(deps)


@requests.answers(ListSigningKeys)
async def list_signing_keys(deps: TokenDeps, _: ListSigningKeys) -> SigningKeyRecords:
    """Return all signing keys that there ever were."""
    return await _records(deps)


@requests.answers(RotateSigningKey)
async def rotate_signing_key(deps: TokenDeps, request: RotateSigningKey) -> SigningKeyRecords:
    """Let the next key sign in place of the active one."""
    return await _records(deps, await operations.rotate_signing_key(deps, active=request.active))


@requests.answers(RetireSigningKey)
async def retire_signing_key(deps: TokenDeps, request: RetireSigningKey) -> SigningKeyRecords:
    """End a retiring key and every JWT that it signed."""
    return await _records(deps, await operations.retire_signing_key(deps, kid=request.kid))


@requests.answers(ResealSigningKeys)
async def reseal_signing_keys(deps: TokenDeps, _: ResealSigningKeys) -> SigningKeyRecords:
    """Seal every private key again."""
    await operations.reseal_signing_keys(deps)
    return await _records(deps)


async def _records(deps: TokenDeps, receipt: Receipt | None = None) -> SigningKeyRecords:
    return SigningKeyRecords(
        keys=tuple(map(_record, await operations.list_signing_keys(deps))),
        issuer=(await operations.get_keys(deps)).issuer,
        receipt="" if receipt is None else receipt.header(),
    )


def _record(key: SigningKey) -> SigningKeyRecord:
    return SigningKeyRecord(
        kid=key.kid,
        algorithm=key.algorithm,
        state=key.state,
        created_at=wire_date(key.created_at),
        changed_at=wire_date(key.changed_at),
    )
