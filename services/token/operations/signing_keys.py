"""The life of signing keys, in the hands of an operator: listed, rotated, retired, sealed again.

Each step is published in the feed, and answered when every replica has applied it. So a verifier has long known a key
when it first signs, and no process signs with a key that is gone.
"""

import asyncio

from services.token.domain.key_factory import NewSigningKey
from services.token.domain.signing_keys import SigningKey, State
from services.token.operations.deps import TokenDeps
from services.token.operations.key_sets import current_key_set
from services.token.operations.keyring import published_keys
from services.token.store import signing_keys as store
from shared.contracts.reasons import Reason
from shared.contracts.requests import VerificationKeys
from shared.contracts.subjects import SIGNING_KEYS, signing_key
from shared.guard.changing import INSTANCE_ACTOR, Change, changing
from shared.guard.receipt import Receipt
from shared.kernel.errors import ErrorType, Refusal
from shared.postgres.pool import Connection


async def get_keys(deps: TokenDeps) -> VerificationKeys:
    """Return all keys whose JWTs are good, also the next one; from the database, for other services' guards."""
    key_set = await current_key_set(deps.pool, deps.key_factory)
    return VerificationKeys(
        position=key_set.position, epoch=key_set.epoch, issuer=key_set.issuer, keys=published_keys(key_set)
    )


async def list_signing_keys(deps: TokenDeps) -> tuple[SigningKey, ...]:
    """Return all keys that there ever were, the oldest first."""
    await current_key_set(deps.pool, deps.key_factory)
    async with deps.pool.acquire() as connection:
        return await store.list_signing_keys(connection)


async def rotate_signing_key(deps: TokenDeps, *, active: str) -> Receipt | None:
    """Let the next key sign in place of `active`, and publish a new next one.

    Does nothing but wait where `active` signs no more, so that a repetition rotates once. Raises
    `Refusal(SIGNING_KEY_NOT_FOUND)`, or `Unavailable(REVOCATION_UNCONFIRMED)`: then it is done, but not heard by all.
    """
    new = await asyncio.to_thread(deps.key_factory.make)
    async with changing(deps, INSTANCE_ACTOR, Reason.SIGNING_KEY_ROTATED, SIGNING_KEYS) as change:
        await store.lock_signing_keys(change.connection)
        key = await _get(change.connection, active)
        if key.state is State.NEXT:
            raise Refusal(ErrorType.GENERAL_BAD_REQUEST, f"Signing key {active} is not active yet.")
        if key.state is State.ACTIVE:
            await _promote(change, new)
    return change.receipt


async def retire_signing_key(deps: TokenDeps, *, kid: str) -> Receipt | None:
    """End a retiring key, and with it every JWT that it signed; a key that is gone is announced again.

    Raises `Refusal(SIGNING_KEY_NOT_FOUND)`, `Refusal(GENERAL_BAD_REQUEST)` where the key still signs or will, or
    `Unavailable(REVOCATION_UNCONFIRMED)`: then it is done, but not heard by all.
    """
    async with changing(deps, INSTANCE_ACTOR, Reason.SIGNING_KEY_RETIRED, signing_key(kid), SIGNING_KEYS) as change:
        await store.lock_signing_keys(change.connection)
        key = await _get(change.connection, kid)
        if key.state not in {State.RETIRING, State.GONE}:
            raise Refusal(ErrorType.GENERAL_BAD_REQUEST, f"Signing key {kid} is {key.state}: rotate before you retire.")
        if key.state is State.RETIRING:
            await store.move_signing_key(change.connection, kid, State.GONE)
    return change.receipt


async def reseal_signing_keys(deps: TokenDeps) -> None:
    """Seal every private key again, under the first of the master keys; raises `WrongMasterKey`, and changes nothing.

    The keys themselves stay what they are, so no keyring changes, and repeating it does no harm.
    """
    seal = deps.key_factory.seal
    async with deps.pool.acquire() as connection, connection.transaction():
        await store.lock_signing_keys(connection)
        key_set = await store.read_key_set(connection)
        for kid, sealed in key_set.sealed.items():
            again = seal.close(seal.open(sealed, kid=kid), kid=kid)
            await store.reseal_signing_key(connection, kid, again)


async def _get(connection: Connection, kid: str) -> SigningKey:
    key = await store.find_signing_key(connection, kid)
    if key is None:
        raise Refusal(ErrorType.SIGNING_KEY_NOT_FOUND)
    return key


async def _promote(change: Change, new: NewSigningKey) -> None:
    connection = change.connection
    keys = {key.state: key.kid for key in await store.list_signing_keys(connection)}
    await store.move_signing_key(connection, keys[State.ACTIVE], State.RETIRING)
    await store.move_signing_key(connection, keys[State.NEXT], State.ACTIVE)
    await store.add_signing_key(connection, new, State.NEXT)
