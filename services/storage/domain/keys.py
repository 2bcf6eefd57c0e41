"""The keys of stored pieces, wrapped by the master keys: AES-256-GCM under keys derived from these."""

import contextlib
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.kernel.errors import ErrorType, Unavailable
from shared.kernel.settings import Secret, key_texts

NONCE_BYTES = 12
KEY_BITS = 256


class FileKeys:
    """Wraps keys under the first of its master keys, and unwraps what any of them wrapped.

    A wrapped key can be unwrapped for the object that it was made for, and no other.
    """

    def __init__(self, master_keys: Secret) -> None:
        """Derive a cipher of each, between commas or white space; raises ValueError where one is too short, or none."""
        self._ciphers = [_cipher(text) for text in key_texts(master_keys)]

    def new(self) -> bytes:
        """Return a new key."""
        return AESGCM.generate_key(KEY_BITS)

    def wrap(self, key: bytes, *, object_name: str) -> bytes:
        """Encrypt a key: a nonce, then the ciphertext with its tag."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._ciphers[0].encrypt(nonce, key, object_name.encode())

    def unwrap(self, wrapped: bytes, *, object_name: str) -> bytes:
        """Decrypt a key; raises `Unavailable` where no master key here has wrapped it."""
        for cipher in self._ciphers:
            with contextlib.suppress(InvalidTag, ValueError):
                return cipher.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], object_name.encode())
        raise Unavailable("The key of the file cannot be opened here.", type=ErrorType.GENERAL_BUSY)


def _cipher(master_key: str) -> AESGCM:
    derivation = HKDF(algorithm=SHA256(), length=KEY_BITS // 8, salt=None, info=b"daypass files at rest")
    return AESGCM(derivation.derive(master_key.encode()))
