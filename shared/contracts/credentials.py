"""Session secrets and API keys: how they look on the wire, and what is stored of them."""

import base64
import binascii
import hashlib
import secrets

import msgspec

from shared.contracts.ids import UserId

KEY_PREFIX = "standard_"
DIGEST_BYTES = hashlib.sha256().digest_size


class SessionSecret(msgspec.Struct, frozen=True):
    """What a session cookie carries: a user's id, and a random token of 256 hex digits.

    On the wire it is the padded base64 of `{"id": …, "secret": …}`, as Appwrite writes it. The repr hides the token.
    """

    id: UserId
    secret: str

    def __repr__(self) -> str:
        return f"SessionSecret({self.id!r}, …)"

    @classmethod
    def new(cls, user_id: UserId) -> "SessionSecret":
        """Make a fresh one for a user."""
        return cls(user_id, secrets.token_hex(128))

    @classmethod
    def parse(cls, text: str) -> "SessionSecret | None":
        """Read it from a cookie or header; garbage is None, never an error."""
        try:
            parsed = msgspec.json.decode(base64.b64decode(text, validate=True), type=cls)
        except (binascii.Error, ValueError, RecursionError):
            return None
        return parsed if parsed.id and parsed.secret else None

    def wire(self) -> str:
        """Write it for a cookie or header."""
        return base64.b64encode(msgspec.json.encode(self)).decode()

    def digest(self) -> bytes:
        """Return what is stored and looked up: the SHA-256 of the token."""
        return digest(self.secret)


def digest(secret: str) -> bytes:
    """Return the SHA-256 of a secret. The secrets are random and long, so that no slow hash is needed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def new_key_secret() -> str:
    """Make the secret of an API key: `standard_` and 256 hex digits."""
    return KEY_PREFIX + secrets.token_hex(128)
