"""The signing keys of the present epoch: made at the first start, and again where a database was restored."""

import asyncio
from collections.abc import Sequence

import structlog

from services.token.domain.key_factory import KeyFactory, NewSigningKey
from services.token.domain.signing_keys import State
from services.token.store import signing_keys as store
from services.token.store.signing_keys import KeySet
from shared.contracts.events import PrincipalsChanged
from shared.contracts.reasons import Reason
from shared.contracts.subjects import SIGNING_KEYS
from shared.kernel.ids import unique_id
from shared.kernel.settings import SettingsError
from shared.messaging.outbox import publish_signing_keys
from shared.postgres.pool import Connection, Pool

log = structlog.get_logger()


class WrongIssuer(SettingsError):
    """The issuer in the settings is not the one that was fixed at the first start."""


async def make_first_signing_keys(pool: Pool, key_factory: KeyFactory, *, issuer: str) -> None:
    """Fix the issuer and make an active key and the next one, unless that was done before.

    An empty `issuer` takes what is stored, else a URN of a new id. Raises `WrongIssuer` where another is stored,
    `WrongMasterKey` where stored keys do not open.
    """
    async with pool.acquire() as connection, connection.transaction():
        kept = await store.keep_issuer(connection, issuer or f"urn:daypass:{unique_id()}")
        if issuer not in {"", kept}:
            raise WrongIssuer(f"DAYPASS_ISSUER is not {kept}, which this instance signs for since its first start")
        if not await store.list_signing_keys(connection):
            await _begin_epoch(connection, await _new_pair(key_factory))
        key_set = await store.read_key_set(connection)
    for kid, sealed in key_set.sealed.items():
        key_factory.seal.open(sealed, kid=kid)


async def current_key_set(pool: Pool, key_factory: KeyFactory) -> KeySet:
    """Return the keys whose JWTs are good, once there are keys of the present epoch.

    A database that was restored has begun another epoch. The keys in it may have been retired since the copy was made,
    and known to others: all of them go.
    """
    while True:
        async with pool.acquire() as connection:
            key_set = await store.read_key_set(connection)
        if key_set.epoch == key_set.epoch_of_keys:
            return key_set
        pair = await _new_pair(key_factory)
        async with pool.acquire() as connection, connection.transaction():
            await store.lock_signing_keys(connection)
            if not await store.is_of_epoch(connection):
                await _begin_epoch(connection, pair)
                event = PrincipalsChanged(subjects=(SIGNING_KEYS,), reason=Reason.SIGNING_KEY_RESTORED)
                await publish_signing_keys(connection, event)
        log.info("the database was restored from an older copy: all signing keys have been replaced")


async def _new_pair(key_factory: KeyFactory) -> Sequence[NewSigningKey]:
    return [await asyncio.to_thread(key_factory.make) for _ in range(2)]


async def _begin_epoch(connection: Connection, pair: Sequence[NewSigningKey]) -> None:
    await store.begin_epoch(connection)
    for key, state in zip(pair, (State.ACTIVE, State.NEXT), strict=True):
        await store.add_signing_key(connection, key, state)
