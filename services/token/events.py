"""What token answers on the bus: one line each."""

from collections.abc import Mapping
from typing import Any

from services.token.domain.seal import Seal
from services.token.domain.signing_keys import Algorithm
from services.token.operations import signing_keys as operations
from services.token.operations.keyring import get_keys
from shared.contracts.requests import GetKeys, Request, VerificationKeys
from shared.contracts.signing_keys import (
    ListSigningKeys,
    ResealSigningKeys,
    RetireSigningKey,
    RotateSigningKey,
    SigningKeyRecord,
    SigningKeyRecords,
)
from shared.guard.barrier import Revocations
from shared.guard.receipt import Receipt
from shared.kernel.clock import wire_date
from shared.messaging.bus import Handler
from shared.postgres.pool import Pool

Handlers = Mapping[type[Request[Any]], Handler]  # Any: requests with answers of every kind


def principal_lane(pool: Pool, *, seal: Seal, algorithm: Algorithm) -> Handlers:
    """Return the handlers of what guards ask."""

    async def on_get_keys(_: GetKeys) -> VerificationKeys:
        return await get_keys(pool, seal=seal, algorithm=algorithm)

    return {GetKeys: on_get_keys}


def admin_lane(pool: Pool, revocations: Revocations, *, seal: Seal, algorithm: Algorithm) -> Handlers:
    """Return the handlers of what the command line asks."""

    async def on_list(_: ListSigningKeys) -> SigningKeyRecords:
        return await records()

    async def on_rotate(request: RotateSigningKey) -> SigningKeyRecords:
        receipt = await operations.rotate_signing_key(
            pool, revocations, active=request.active, seal=seal, algorithm=algorithm
        )
        return await records(receipt)

    async def on_retire(request: RetireSigningKey) -> SigningKeyRecords:
        return await records(await operations.retire_signing_key(pool, revocations, kid=request.kid))

    async def on_reseal(_: ResealSigningKeys) -> SigningKeyRecords:
        await operations.reseal_signing_keys(pool, seal=seal)
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
            for key in await operations.list_signing_keys(pool, seal=seal, algorithm=algorithm)
        )
        issuer = (await get_keys(pool, seal=seal, algorithm=algorithm)).issuer
        return SigningKeyRecords(keys=keys, issuer=issuer, receipt="" if receipt is None else receipt.header())

    return {
        ListSigningKeys: on_list,
        RotateSigningKey: on_rotate,
        RetireSigningKey: on_retire,
        ResealSigningKeys: on_reseal,
    }
