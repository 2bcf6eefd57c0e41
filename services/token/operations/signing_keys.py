"""The life of signing keys: made at the first start, rotated and retired by an operator.

Each step is told in the feed, and answered when every replica has heard it. So a verifier has long known a key when it
first signs, and nobody signs with a key that is gone.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from services.token.domain.seal import Seal
from services.token.domain.signing_keys import Algorithm, SigningKey, State, generate, private_bytes, public_jwk
from services.token.store import signing_keys as store
from services.token.store.signing_keys import KeySet
from shared.contracts.reasons import Reason
from shared.contracts.subjects import SIGNING_KEYS, signing_key
from shared.guard.barrier import Revocations
from shared.guard.receipt import Receipt
from shared.kernel.errors import ErrorType, Refusal
from shared.kernel.ids import unique_id
from shared.kernel.settings import SettingsError
from shared.messaging.outbox import publish_signing_keys
from shared.postgres.pool import Connection, Pool

log = structlog.get_logger()


class WrongIssuer(SettingsError):
    """The issuer in the settings is not the one that was fixed at the first start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key that was just made: its public part, and its private part sealed."""

    kid: str
    algorithm: Algorithm
    jwk: str
    sealed: bytes

    @classmethod
    def make(cls, algorithm: Algorithm, seal: Seal) -> "NewKey":
        """Make one; takes a tenth of a second or more for RS256."""
        kid, key = unique_id(), generate(algorithm)
        sealed = seal.close(private_bytes(key), kid=kid)
        return cls(kid=kid, algorithm=algorithm, jwk=public_jwk(key, kid=kid, algorithm=algorithm), sealed=sealed)


async def make_first_signing_keys(pool: Pool, *, issuer: str, seal: Seal, algorithm: Algorithm) -> None:
    """Fix the issuer and make an active key and the next one, unless that was done before.

    An empty `issuer` takes what is stored, else a URN of a new id. Raises `WrongIssuer` where another is stored,
    `WrongMasterKey` where stored keys do not open.
    """
    async with pool.acquire() as connection, connection.transaction():
        kept = await store.keep_issuer(connection, issuer or f"urn:daypass:{unique_id()}")
        if issuer not in {"", kept}:
            raise WrongIssuer(f"DAYPASS_ISSUER is not {kept}, which this instance signs for since its first start")
        if not await store.list_signing_keys(connection):
            await _begin_epoch(connection, [await asyncio.to_thread(NewKey.make, algorithm, seal) for _ in range(2)])
        found = await store.read_key_set(connection)
    for kid, sealed in found.sealed.items():
        seal.open(sealed, kid=kid)


async def current_key_set(pool: Pool, *, seal: Seal, algorithm: Algorithm) -> KeySet:
    """Return the keys whose JWTs are good, once there are keys of the present epoch.

    A database that was restored has begun another epoch. The keys in it may have been retired since the copy was made,
    and known to others: all of them go.
    """
    while True:
        async with pool.acquire() as connection:
            found = await store.read_key_set(connection)
        if found.epoch == found.epoch_of_keys:
            return found
        made = [await asyncio.to_thread(NewKey.make, algorithm, seal) for _ in range(2)]
        async with pool.acquire() as connection, connection.transaction():
            await store.lock_signing_keys(connection)
            if not await store.is_of_epoch(connection):
                await _begin_epoch(connection, made)
                await publish_signing_keys(connection, [SIGNING_KEYS], reason=Reason.SIGNING_KEY_RESTORED)
        log.info("the database was restored from an older copy: all signing keys have been replaced")


async def list_signing_keys(pool: Pool, *, seal: Seal, algorithm: Algorithm) -> tuple[SigningKey, ...]:
    """Return all keys that there ever were, the oldest first."""
    await current_key_set(pool, seal=seal, algorithm=algorithm)
    async with pool.acquire() as connection:
        return await store.list_signing_keys(connection)


async def rotate_signing_key(
    pool: Pool, revocations: Revocations, *, active: str, seal: Seal, algorithm: Algorithm
) -> Receipt:
    """Let the next key sign in place of `active`, and publish a new next one, of `algorithm`.

    Does nothing but wait where `active` signs no more, so that a repetition rotates once. Raises
    `Refusal(SIGNING_KEY_NOT_FOUND)`, or `Unavailable(REVOCATION_UNCONFIRMED)`: then it is done, but not heard by all.
    """
    new = await asyncio.to_thread(NewKey.make, algorithm, seal)
    async with pool.acquire() as connection, connection.transaction():
        await store.lock_signing_keys(connection)
        key = await _get(connection, active)
        if key.state is State.NEXT:
            raise Refusal(ErrorType.GENERAL_BAD_REQUEST, f"Signing key {active} is not active yet.")
        if key.state is State.ACTIVE:
            await _promote(connection, new)
        ticket = await publish_signing_keys(connection, [SIGNING_KEYS], reason=Reason.SIGNING_KEY_ROTATED)
    return await revocations.confirm(ticket)


async def retire_signing_key(pool: Pool, revocations: Revocations, *, kid: str) -> Receipt:
    """End a retiring key, and with it every JWT that it signed; a key that is gone is told of again.

    Raises `Refusal(SIGNING_KEY_NOT_FOUND)`, `Refusal(GENERAL_BAD_REQUEST)` where the key still signs or will, or
    `Unavailable(REVOCATION_UNCONFIRMED)`: then it is done, but not heard by all.
    """
    async with pool.acquire() as connection, connection.transaction():
        await store.lock_signing_keys(connection)
        key = await _get(connection, kid)
        if key.state not in {State.RETIRING, State.GONE}:
            raise Refusal(ErrorType.GENERAL_BAD_REQUEST, f"Signing key {kid} is {key.state}: rotate before you retire.")
        if key.state is State.RETIRING:
            await store.move_signing_key(connection, kid, State.GONE)
        gone = [signing_key(kid), SIGNING_KEYS]
        ticket = await publish_signing_keys(connection, gone, reason=Reason.SIGNING_KEY_RETIRED)
    return await revocations.confirm(ticket)


async def reseal_signing_keys(pool: Pool, *, seal: Seal) -> None:
    """Seal every private key again, under the first of the master keys; raises `WrongMasterKey`, and changes nothing.

    The keys themselves stay what they are, so no keyring changes, and repeating it does no harm.
    """
    async with pool.acquire() as connection, connection.transaction():
        await store.lock_signing_keys(connection)
        found = await store.read_key_set(connection)
        for kid, sealed in found.sealed.items():
            again = seal.close(seal.open(sealed, kid=kid), kid=kid)
            await store.reseal_signing_key(connection, kid, again)


async def _get(connection: Connection, kid: str) -> SigningKey:
    key = await store.find_signing_key(connection, kid)
    if key is None:
        raise Refusal(ErrorType.SIGNING_KEY_NOT_FOUND, "Signing key with the requested ID could not be found.")
    return key


async def _promote(connection: Connection, new: NewKey) -> None:
    keys = {key.state: key.kid for key in await store.list_signing_keys(connection)}
    await store.move_signing_key(connection, keys[State.ACTIVE], State.RETIRING)
    await store.move_signing_key(connection, keys[State.NEXT], State.ACTIVE)
    await _add(connection, new, State.NEXT)


async def _begin_epoch(connection: Connection, keys: Sequence[NewKey]) -> None:
    await store.begin_epoch(connection)
    for key, state in zip(keys, (State.ACTIVE, State.NEXT), strict=True):
        await _add(connection, key, state)


async def _add(connection: Connection, key: NewKey, state: State) -> None:
    await store.add_signing_key(
        connection, kid=key.kid, algorithm=key.algorithm, state=state, jwk=key.jwk, sealed=key.sealed
    )
