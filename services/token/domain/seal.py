"""Private keys at rest: AES-256-GCM, under a key derived from the master secret."""

import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.kernel.settings import Secret, SettingsError

SHORTEST_SECRET: Final = 32
NONCE_BYTES: Final = 12


class WrongMasterKey(SettingsError):
    """What is stored was sealed under another master secret, or was altered."""


class Seal:
    """Seals and opens private keys. A sealed key opens only under the kid it was sealed for."""

    def __init__(self, master_key: Secret) -> None:
        """Derive the key; raises ValueError on a secret of less than SHORTEST_SECRET characters."""
        if len(master_key.reveal()) < SHORTEST_SECRET:
            raise ValueError(f"a master key has at least {SHORTEST_SECRET} random characters")
        derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"daypass signing keys at rest")
        self._cipher = AESGCM(derivation.derive(master_key.reveal().encode()))

    def close(self, data: bytes, *, kid: str) -> bytes:
        """Encrypt: a nonce, then the ciphertext with its tag."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, data, kid.encode())

    def open(self, sealed: bytes, *, kid: str) -> bytes:
        """Decrypt; raises `WrongMasterKey`."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], kid.encode())
        except (InvalidTag, ValueError) as error:
            raise WrongMasterKey("DAYPASS_MASTER_KEY is not the one that the signing keys were sealed with") from error
