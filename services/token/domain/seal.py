"""Private keys at rest: AES-256-GCM, under keys derived from master keys."""

import contextlib
import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.kernel.settings import Secret, SettingsError, key_texts

NONCE_BYTES: Final = 12


class WrongMasterKey(SettingsError):
    """The stored text was sealed under a master key that is not configured, or was altered."""


class Seal:
    """Seals private keys under the first of its master keys, and opens what any of them sealed.

    A sealed key opens only under the kid it was sealed for.
    """

    def __init__(self, master_keys: Secret) -> None:
        """Derive a cipher of each, between commas or white space; raises ValueError where one is too short, or none."""
        self._ciphers = [_cipher(text) for text in key_texts(master_keys)]

    def close(self, data: bytes, *, kid: str) -> bytes:
        """Encrypt: a nonce, then the ciphertext with its tag."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._ciphers[0].encrypt(nonce, data, kid.encode())

    def open(self, sealed: bytes, *, kid: str) -> bytes:
        """Decrypt; raises `WrongMasterKey`."""
        for cipher in self._ciphers:
            with contextlib.suppress(InvalidTag, ValueError):
                return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], kid.encode())
        raise WrongMasterKey(
            "DAYPASS_MASTER_KEY does not hold the key that encrypts the signing keys: put that key back, beside a new"
            " one if need be. `daypass up` keeps it as master_key in secrets.json of the data directory"
        )


def _cipher(master_key: str) -> AESGCM:
    derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"daypass signing keys at rest")
    return AESGCM(derivation.derive(master_key.encode()))
