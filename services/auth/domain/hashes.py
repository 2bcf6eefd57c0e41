"""Password hashes that were made elsewhere: what they are, whether a password is theirs, and what is too dear.

One is kept as text. Of argon2, ours too, that is its own (`$argon2id$v=19$…`); all others are JSON with their kind.
Checking one takes up to a second and 256 MiB: whoever brings a dearer one is refused.
"""

import base64
import binascii
import hashlib
import hmac
import re

import argon2
import bcrypt
import msgspec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from shared.kernel.errors import ArgumentInvalid

ARGON2_KIB = 2**18
ARGON2_KIB_PASSES = 2**20
ARGON2_LANES = 16
BCRYPT_COST = 14
BCRYPT_BYTES = 72
"""What bcrypt reads of a password; PHP and most others cut it there."""
PHPASS_LOG_ROUNDS = 16
SCRYPT_COST = 2**20
"""N · r · p, at most; a block is 128 bytes."""
SCRYPT_BLOCKS = 1024
"""r · p, at most: what it makes before it begins to mix."""
SHORTEST_KEY, LONGEST_KEY = 16, 128
LONGEST_SALT = 256

SHA_VERSIONS = {
    "sha1": "sha1",
    "sha224": "sha224",
    "sha256": "sha256",
    "sha384": "sha384",
    "sha512/224": "sha512_224",
    "sha512/256": "sha512_256",
    "sha512": "sha512",
    "sha3-224": "sha3_224",
    "sha3-256": "sha3_256",
    "sha3-384": "sha3_384",
    "sha3-512": "sha3_512",
}
"""Appwrite's names of the versions, and hashlib's."""

_ARGON2 = re.compile(
    r"\$argon2(id|i|d)\$v=19\$m=[1-9][0-9]{0,9},t=[1-9][0-9]{0,9},p=[1-9][0-9]{0,9}"
    r"\$[A-Za-z0-9+/]{11,128}\$[A-Za-z0-9+/]{16,128}\Z"
)
_BCRYPT = re.compile(r"\$2[aby]\$(?P<cost>[0-9]{2})\$[./A-Za-z0-9]{53}\Z")
_PHPASS = re.compile(r"\$[PH]\$[./0-9A-Za-z]{31}\Z")
_PHPASS_DIGITS = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_HEX = re.compile(r"([0-9A-Fa-f]{2})+\Z")


class ForeignHash(msgspec.Struct, frozen=True, tag_field="kind"):
    """A hash of another kind than ours. Making one raises `ArgumentInvalid` where it is none, or too dear."""

    def matches(self, password: str) -> bool:
        """Say whether a password is the one of this hash; slow, so call it in a thread."""
        raise NotImplementedError

    def options(self) -> dict[str, str | int]:
        """Return what may be told of it: parameters, never a salt or key."""
        return {}


class Md5(ForeignHash, frozen=True, tag="md5"):
    """MD5 of the password alone, in hexadecimal."""

    hash: str

    def __post_init__(self) -> None:
        """Check its form."""
        _check_hex(self.hash, hashlib.md5(usedforsecurity=False).digest_size)

    def matches(self, password: str) -> bool:
        """Say whether a password is the one of this hash."""
        return _is(hashlib.md5(password.encode(), usedforsecurity=False).hexdigest(), self.hash.lower())


class Sha(ForeignHash, frozen=True, tag="sha"):
    """SHA of the password alone, in hexadecimal; `version` is one of SHA_VERSIONS."""

    hash: str
    version: str

    def __post_init__(self) -> None:
        """Check version and form."""
        if self.version not in SHA_VERSIONS:
            raise ArgumentInvalid("passwordVersion", f"Value must be one of ({', '.join(SHA_VERSIONS)})")
        _check_hex(self.hash, hashlib.new(SHA_VERSIONS[self.version]).digest_size)

    def matches(self, password: str) -> bool:
        """Say whether a password is the one of this hash."""
        return _is(hashlib.new(SHA_VERSIONS[self.version], password.encode()).hexdigest(), self.hash.lower())


class Bcrypt(ForeignHash, frozen=True, tag="bcrypt"):
    """bcrypt, as `$2a$`, `$2b$` or PHP's `$2y$`: three names of one thing."""

    hash: str

    def __post_init__(self) -> None:
        """Check form and cost."""
        match = _BCRYPT.match(self.hash)
        if match is None:
            raise ArgumentInvalid("password", "Value must be a hash of bcrypt")
        if not 4 <= int(match["cost"]) <= BCRYPT_COST:  # noqa: PLR2004 bcrypt's own least
            raise ArgumentInvalid("password", f"Value must have a cost of 4 to {BCRYPT_COST}")

    def matches(self, password: str) -> bool:
        """Say whether a password is the one of this hash."""
        return bcrypt.checkpw(password.encode()[:BCRYPT_BYTES], self.hash.encode())


class Phpass(ForeignHash, frozen=True, tag="phpass"):
    """The portable hash of PHP's phpass, as in WordPress: `$P$` or `$H$`, log2 of the rounds, salt, MD5 of MD5 of …"""

    hash: str

    def __post_init__(self) -> None:
        """Check form and rounds."""
        if not _PHPASS.match(self.hash):
            raise ArgumentInvalid("password", "Value must be a portable hash of phpass")
        if not 7 <= self._log_rounds() <= PHPASS_LOG_ROUNDS:  # noqa: PLR2004 phpass's own least
            raise ArgumentInvalid("password", f"Value must have 2^7 to 2^{PHPASS_LOG_ROUNDS} rounds")

    def matches(self, password: str) -> bool:
        """Say whether a password is the one of this hash."""
        text, salt = password.encode(), self.hash[4:12].encode()
        found = hashlib.md5(salt + text, usedforsecurity=False).digest()
        for _ in range(1 << self._log_rounds()):
            found = hashlib.md5(found + text, usedforsecurity=False).digest()
        return _is(_phpass_base64(found), self.hash[12:])

    def _log_rounds(self) -> int:
        return _PHPASS_DIGITS.index(self.hash[3])


class Scrypt(ForeignHash, frozen=True, tag="scrypt"):
    """scrypt (RFC 7914), in hexadecimal: `cpu` is its N, `memory` its r, `parallel` its p, `length` in bytes."""

    hash: str
    salt: str
    cpu: int
    memory: int
    parallel: int
    length: int

    def __post_init__(self) -> None:
        """Check form and cost."""
        _check_length("passwordSalt", self.salt, LONGEST_SALT)
        for name, value in (("passwordMemory", self.memory), ("passwordParallel", self.parallel)):
            if value < 1 or self.memory * self.parallel > SCRYPT_BLOCKS:
                raise ArgumentInvalid(name, f"Value must be at least 1, and both multiplied at most {SCRYPT_BLOCKS}")
        if self.cpu.bit_count() != 1 or not 1 < self.cpu < 1 << 16 * min(self.memory, 2):  # as RFC 7914 says
            raise ArgumentInvalid("passwordCpu", "Value must be a power of 2, and less than 2^(16 · passwordMemory)")
        if self.cpu * self.memory * self.parallel > SCRYPT_COST:
            raise ArgumentInvalid("passwordCpu", f"CPU, memory and parallel, multiplied, must be at most {SCRYPT_COST}")
        if not SHORTEST_KEY <= self.length <= LONGEST_KEY:
            raise ArgumentInvalid("passwordLength", f"Value must be {SHORTEST_KEY} to {LONGEST_KEY}")
        _check_hex(self.hash, self.length)

    def matches(self, password: str) -> bool:
        """Say whether a password is the one of this hash."""
        found = _scrypt(password, self.salt.encode(), n=self.cpu, r=self.memory, p=self.parallel, length=self.length)
        return _is(found.hex(), self.hash.lower())

    def options(self) -> dict[str, str | int]:
        """Return its parameters."""
        return {
            "costCpu": self.cpu,
            "costMemory": self.memory,
            "costParallel": self.parallel,
            "length": self.length,
        }


class ScryptModified(ForeignHash, frozen=True, tag="scryptMod"):
    """Firebase's: scrypt (N 2^14, r 8, p 1) makes a key, that encrypts a project's signer key. All in base64."""

    hash: str
    salt: str
    salt_separator: str
    signer_key: str

    def __post_init__(self) -> None:
        """Check that all is base64, and of one length where it must be."""
        for name, text in (
            ("passwordSalt", self.salt),
            ("passwordSaltSeparator", self.salt_separator),
            ("passwordSignerKey", self.signer_key),
        ):
            _check_length(name, text, LONGEST_SALT)
            _unbase64(name, text)
        hash_, key = _unbase64("password", self.hash), _unbase64("passwordSignerKey", self.signer_key)
        if len(hash_) != len(key) or len(key) < SHORTEST_KEY:
            raise ArgumentInvalid("password", f"Value must be as long as the signer key, at least {SHORTEST_KEY} bytes")

    def matches(self, password: str) -> bool:
        """Say whether a password is the one of this hash."""
        salt = _unbase64("", self.salt) + _unbase64("", self.salt_separator)
        key = _scrypt(password, salt, n=2**14, r=8, p=1, length=32)
        encryptor = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()
        found = encryptor.update(_unbase64("", self.signer_key)) + encryptor.finalize()
        return hmac.compare_digest(found, _unbase64("", self.hash))

    def options(self) -> dict[str, str | int]:
        """Return its parameters, empty: they are secrets."""
        return {"salt": "", "saltSeparator": "", "signerKey": ""}


_KINDS = Md5 | Sha | Bcrypt | Phpass | Scrypt | ScryptModified


def check_argon2(text: str) -> str:
    """Return a hash of argon2 as it is kept: unchanged; raises `ArgumentInvalid` where it is none, or too dear."""
    if not _ARGON2.match(text):
        raise ArgumentInvalid("password", "Value must be a hash of argon2")
    parameters = argon2.extract_parameters(text)
    if (
        parameters.memory_cost > ARGON2_KIB
        or parameters.memory_cost * parameters.time_cost > ARGON2_KIB_PASSES
        or parameters.parallelism > ARGON2_LANES
    ):
        raise ArgumentInvalid("password", "Value must be a hash of argon2 that takes less time or memory")
    return text


def write_hash(hash_: ForeignHash) -> str:
    """Write a hash as it is kept."""
    return msgspec.json.encode(hash_).decode()


def foreign_hash(kept: str) -> ForeignHash | None:
    """Read a hash that is kept; None where it is one of argon2."""
    return msgspec.json.decode(kept, type=_KINDS) if kept.startswith("{") else None


def describe_hash(kept: str | None) -> tuple[str, dict[str, str | int]]:
    """Return Appwrite's name of a hash's kind, and its parameters; without a hash, empty ones."""
    if kept is None:
        return "", {}
    if (foreign := foreign_hash(kept)) is not None:
        kind = str(type(foreign).__struct_config__.tag)
        return kind, {"type": kind, **foreign.options()}
    found = argon2.extract_parameters(kept)
    costs = {"memoryCost": found.memory_cost, "timeCost": found.time_cost, "threads": found.parallelism}
    return "argon2", {"type": "argon2", **costs}


def _scrypt(password: str, salt: bytes, *, n: int, r: int, p: int, length: int) -> bytes:
    # OpenSSL counts a little more than the blocks themselves.
    maxmem = 128 * r * (n + p + 2) + 2**20
    return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, dklen=length, maxmem=maxmem)


def _phpass_base64(raw: bytes) -> str:
    """Write 16 bytes in phpass's own base64: the low bits first, in groups of three bytes."""
    digits = []
    for start in range(0, len(raw), 3):
        group = raw[start : start + 3]
        value = int.from_bytes(group, "little")
        digits += [_PHPASS_DIGITS[value >> shift & 63] for shift in range(0, 8 * len(group), 6)]
    return "".join(digits)


def _is(found: str, expected: str) -> bool:
    return hmac.compare_digest(found.encode(), expected.encode())


def _check_hex(text: str, size: int) -> None:
    if len(text) != 2 * size or not _HEX.match(text):
        raise ArgumentInvalid("password", f"Value must have {2 * size} hexadecimal digits")


def _check_length(name: str, text: str, longest: int) -> None:
    if len(text) > longest:
        raise ArgumentInvalid(name, f"Value must have at most {longest} characters")


def _unbase64(name: str, text: str) -> bytes:
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ArgumentInvalid(name, "Value must be base64") from error
