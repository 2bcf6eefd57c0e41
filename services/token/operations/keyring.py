"""The keyring of this process: the active key to sign with, and all public keys, read again when the feed says so."""

from collections.abc import Mapping

import msgspec

from services.token.domain.key_factory import KeyFactory
from services.token.domain.seal import Seal
from services.token.domain.signing_keys import Signer, State, read_private
from services.token.operations.key_sets import current_key_set
from services.token.store.signing_keys import KeySet
from shared.contracts.requests import VerificationKey
from shared.guard.guard import Guard
from shared.guard.jwt import PublicKey
from shared.postgres.pool import Pool


class Keyring(msgspec.Struct, frozen=True, kw_only=True):
    """What one reading of the signing keys gives: who signs for which issuer, and what verifies."""

    issuer: str
    signer: Signer
    published: tuple[VerificationKey, ...]
    public: Mapping[str, PublicKey]


class Keyrings:
    """Hands out the current keyring: from memory under a lease, else from the database.

    So no JWT is signed with a key that is gone: the command that retires a key answers only when each process has
    heard of it, and has dropped its keyring, or has no lease, and reads at each call.
    """

    def __init__(self, *, pool: Pool, key_factory: KeyFactory, guard: Guard) -> None:
        self._pool = pool
        self._key_factory = key_factory
        self._cache = guard.cache
        self._held: Keyring | None = None
        self._generation = 0

    async def current(self) -> Keyring:
        """Return the keyring as it was last published."""
        if self._held is not None and self._cache.is_leased():
            return self._held
        while True:
            generation = self._generation
            read = _open(await current_key_set(self._pool, self._key_factory), self._key_factory.seal)
            if generation == self._generation:  # else the keys have changed since, perhaps
                self._held = read
                return read

    def forget(self) -> None:
        """Read the keyring again before it is used next; to be called whenever the feed names the signing keys."""
        self._held = None
        self._generation += 1


def published_keys(key_set: KeySet) -> tuple[VerificationKey, ...]:
    """Return the public part of each key."""
    return tuple(VerificationKey(kid=key.kid, algorithm=key.algorithm, jwk=key.jwk) for key in key_set.keys)


def _open(key_set: KeySet, seal: Seal) -> Keyring:
    published = published_keys(key_set)
    active = next(key for key in key_set.keys if key.state is State.ACTIVE)
    private = read_private(seal.open(key_set.sealed[active.kid], kid=active.kid))
    return Keyring(
        issuer=key_set.issuer,
        signer=Signer(kid=active.kid, algorithm=active.algorithm, key=private),
        published=published,
        public={key.kid: PublicKey.parse(key) for key in published},
    )
