"""Encrypted values at rest: AES-256-GCM (NIST SP 800-38D), under keys derived from column keys by HKDF (RFC 5869).

A sealed value is base64url of a version, the id of the column key, a nonce and the ciphertext with its tag. Each table
has a key of its own, so that random nonces of 96 bits suffice for 2^32 values of each table under one column key.
"""

import base64
import secrets
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.kernel.settings import Secret, SettingsError, key_texts

VERSION: Final = b"\1"
ID_BYTES: Final = 5
"""Of the id of a column key. With the version it is a whole number of base64's groups: sealed values begin with it."""
HEADER_BYTES: Final = len(VERSION) + ID_BYTES
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
MAX_CIPHERS = 4_096


class NotOpened(Exception):
    """What was sealed does not open: its key is missing, it was altered, or it was sealed for another place."""


class KeyMissing(Exception):
    """There is no column key of this id."""


class WrongColumnKey(SettingsError):
    """Values are sealed under a column key that is not configured."""


class Seal:
    """Seals values under one of its column keys, and opens what any of them sealed, in the place it was sealed for."""

    def __init__(self, column_keys: Secret) -> None:
        """Take keys between commas or white space, or none; raises ValueError where one is too short."""
        texts = key_texts(column_keys) if column_keys.reveal().strip() else []
        self._keys = {_derive(text, b"daypass id of a column key", ID_BYTES).hex(): text for text in texts}
        self._cipher = lru_cache(maxsize=MAX_CIPHERS)(self._make_cipher)

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the keys; the first one is the one to seal new columns under."""
        return tuple(self._keys)

    def close(self, plain: bytes, *, key_id: str, table: int, place: bytes) -> str:
        """Seal a value for a place in a table; raises `KeyMissing`."""
        header = VERSION + bytes.fromhex(key_id)
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = header + nonce + self._cipher(key_id, table).encrypt(nonce, plain, header + place)
        return base64.urlsafe_b64encode(sealed).decode()

    def open(self, sealed: str, *, table: int, place: bytes) -> bytes:
        """Return the value of a place; raises `NotOpened`."""
        try:
            whole = base64.urlsafe_b64decode(sealed)
            header, nonce = whole[:HEADER_BYTES], whole[HEADER_BYTES : HEADER_BYTES + NONCE_BYTES]
            cipher = self._cipher(header[len(VERSION) :].hex(), table)
            return cipher.decrypt(nonce, whole[HEADER_BYTES + NONCE_BYTES :], header + place)
        except (InvalidTag, KeyMissing, ValueError) as error:
            raise NotOpened from error

    def _make_cipher(self, key_id: str, table: int) -> AESGCM:
        text = self._keys.get(key_id)
        if text is None:
            raise KeyMissing
        return AESGCM(_derive(text, b"daypass columns at rest, table %d" % table, 32))


NO_SEAL = Seal(Secret(""))


def start_of(key_id: str) -> str:
    """Return what begins all values that are sealed under a column key."""
    return base64.urlsafe_b64encode(VERSION + bytes.fromhex(key_id)).decode()


def sealed_length(plain: int) -> int:
    """Return how long a value of so many bytes is when it is sealed."""
    return -(-(HEADER_BYTES + NONCE_BYTES + plain + TAG_BYTES) // 3) * 4


def _derive(column_key: str, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=info).derive(column_key.encode())
