"""What token answers on the bus: one line each."""

from collections.abc import Mapping
from typing import Any

from services.token.operations import signing_keys as operations
from services.token.operations.deps import TokenDeps
from shared.contracts.requests import GetKeys, Request, VerificationKeys
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
from shared.messaging.bus import Handler

Handlers = Mapping[type[Request[Any]], Handler]  # Any: requests with answers of every kind


def principal_lane(deps: TokenDeps) -> Handlers:
    """Return the handlers of what guards ask."""

    async def on_get_keys(_: GetKeys) -> VerificationKeys:
        return await operations.get_keys(deps)

    return {GetKeys: on_get_keys}


def admin_lane(deps: TokenDeps) -> Handlers:
    """Return the handlers of what the command line asks."""

    async def on_list(_: ListSigningKeys) -> SigningKeyRecords:
        return await records()

    async def on_rotate(request: RotateSigningKey) -> SigningKeyRecords:
        return await records(await operations.rotate_signing_key(deps, active=request.active))

    async def on_retire(request: RetireSigningKey) -> SigningKeyRecords:
        return await records(await operations.retire_signing_key(deps, kid=request.kid))

    async def on_reseal(_: ResealSigningKeys) -> SigningKeyRecords:
        await operations.reseal_signing_keys(deps)
        return await records()

    async def records(receipt: Receipt | None = None) -> SigningKeyRecords:
        keys = tuple(
            SigningKeyRecord(
                kid=key.kid,
                algorithm=key.algorithm,
                state=key.state,
                created_at=wire_date(key.created_at),
                changed_at=wire_date(key.changed_at),
            )
            for key in await operations.list_signing_keys(deps)
        )
        issuer = (await operations.get_keys(deps)).issuer
        return SigningKeyRecords(keys=keys, issuer=issuer, receipt="" if receipt is None else receipt.header())

    return {
        ListSigningKeys: on_list,
        RotateSigningKey: on_rotate,
        RetireSigningKey: on_retire,
        ResealSigningKeys: on_reseal,
    }
