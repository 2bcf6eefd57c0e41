"""Signing keys and the issuer, in schema `token`."""

from typing import Final

import asyncpg
import msgspec

from services.token.domain.key_factory import NewSigningKey
from services.token.domain.signing_keys import SigningKey, State
from shared.postgres.pool import Connection

_KEEP_ISSUER = "INSERT INTO token.instance (issuer) VALUES ($1) ON CONFLICT DO NOTHING"
_LOCK = "SELECT issuer FROM token.instance FOR UPDATE"
_BEGIN_EPOCH = "UPDATE token.instance SET epoch = feed.epoch()"
_IS_OF_EPOCH = "SELECT epoch = feed.epoch() FROM token.instance"
_END_ALL = """
    UPDATE token.signing_keys SET state = 'gone', private_key = NULL, changed_at = now() WHERE state <> 'gone'
"""
_COLUMNS = "kid, algorithm, state, jwk, created_at, changed_at"
_LIST = f"SELECT {_COLUMNS} FROM token.signing_keys ORDER BY created_at, kid"
_FIND = f"SELECT {_COLUMNS} FROM token.signing_keys WHERE kid = $1"
# One statement, one snapshot: position and epoch are those of the feed at the moment the keys are read.
_READ: Final = f"""
    SELECT {_COLUMNS}, private_key, issuer, feed.epoch() AS epoch, epoch AS epoch_of_keys, feed.position() AS position
    FROM token.signing_keys, token.instance WHERE state <> 'gone' ORDER BY created_at, kid
"""
_ADD = """
    INSERT INTO token.signing_keys (kid, algorithm, state, jwk, private_key) VALUES ($1, $2, $3, $4, $5)
"""
_MOVE = """
    UPDATE token.signing_keys SET state = $2, changed_at = now(),
        private_key = CASE WHEN $2 IN ('next', 'active') THEN private_key END
    WHERE kid = $1
"""
_RESEAL = "UPDATE token.signing_keys SET private_key = $2 WHERE kid = $1 AND private_key IS NOT NULL"


class KeySet(msgspec.Struct, frozen=True, kw_only=True):
    """All keys that are not gone, as of feed position `position`, and what is sealed of each, by kid.

    Where they are of another epoch than `epoch`, the present one, they came back with a database that was restored.
    """

    position: int
    epoch: str
    epoch_of_keys: str
    issuer: str
    keys: tuple[SigningKey, ...]
    sealed: dict[str, bytes]


async def lock_signing_keys(connection: Connection) -> None:
    """Let no other transaction change signing keys before this one ends."""
    await connection.execute(_LOCK)


async def keep_issuer(connection: Connection, issuer: str) -> str:
    """Store the issuer unless there is one; return the stored one."""
    await connection.execute(_KEEP_ISSUER, issuer)
    kept: str = await connection.fetchval(_LOCK)
    return kept


async def is_of_epoch(connection: Connection) -> bool:
    """Say whether the signing keys are of the present epoch."""
    return bool(await connection.fetchval(_IS_OF_EPOCH))


async def begin_epoch(connection: Connection) -> None:
    """End all signing keys; those that are added from now on are of the present epoch."""
    await connection.execute(_END_ALL)
    await connection.execute(_BEGIN_EPOCH)


async def list_signing_keys(connection: Connection) -> tuple[SigningKey, ...]:
    """Return all keys, also those that are gone, the oldest first."""
    return tuple(_key(row) for row in await connection.fetch(_LIST))


async def find_signing_key(connection: Connection, kid: str) -> SigningKey | None:
    """Return a key of any state."""
    row = await connection.fetchrow(_FIND, kid)
    return None if row is None else _key(row)


async def read_key_set(connection: Connection) -> KeySet:
    """Read the keys that are not gone, in one snapshot with the feed's position."""
    rows = await connection.fetch(_READ)
    return KeySet(
        position=rows[0]["position"],
        epoch=rows[0]["epoch"],
        epoch_of_keys=rows[0]["epoch_of_keys"],
        issuer=rows[0]["issuer"],
        keys=tuple(map(_key, rows)),
        sealed={row["kid"]: row["private_key"] for row in rows if row["private_key"] is not None},
    )


async def add_signing_key(connection: Connection, new: NewSigningKey, state: State) -> None:
    """Add a key; one may be active and one next."""
    await connection.execute(_ADD, new.kid, new.algorithm, state, new.jwk, new.sealed)


async def move_signing_key(connection: Connection, kid: str, state: State) -> None:
    """Put a key into another state; its private part is erased where that signs no more."""
    await connection.execute(_MOVE, kid, state)


async def reseal_signing_key(connection: Connection, kid: str, sealed: bytes) -> None:
    """Replace the sealed private part of a key that has one."""
    await connection.execute(_RESEAL, kid, sealed)


def _key(row: asyncpg.Record) -> SigningKey:
    return SigningKey(
        kid=row["kid"],
        algorithm=row["algorithm"],
        state=State(row["state"]),
        jwk=row["jwk"],
        created_at=row["created_at"],
        changed_at=row["changed_at"],
    )
