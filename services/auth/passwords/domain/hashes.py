"""Password hashes that were made elsewhere: what they are, whether a password is theirs, and which are too expensive.

One is kept as text. Of argon2, ours too, that is its own (`$argon2id$v=19$…`); all others are inside one of ours, in
JSON with their kind (`Wrapped`).
Checking one takes up to a second and 256 MiB; hashes above this cost are refused.
"""

import base64
import binascii
import hashlib
import re
from typing import NamedTuple

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
BCRYPT_SETTING = 29
PHPASS_LOG_ROUNDS = 16
PHPASS_SETTING = 12
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
    """A kind of hash that is not ours, with its parameters; of a user's own hash nothing but its salt.

    Making one raises `ArgumentInvalid` where the parameters are none, or too expensive.
    """

    def encode_prefs(self, hash_: str) -> str:
        """Return a hash of this kind as `hashed` writes it; raises `ArgumentInvalid` where it is none."""
        raise NotImplementedError

    def hashed(self, password: str) -> str:
        """Hash a password; slow, so call it in a thread."""
        raise NotImplementedError

    def options(self) -> dict[str, str | int]:
        """Return its public part: parameters, never a salt or key."""
        return {}

    def work(self) -> tuple[object, ...]:
        """Return what says how long it takes: hashes of one kind that have this alike take alike."""
        return tuple(self.options().values())


class Md5(ForeignHash, frozen=True, tag="md5"):
    """MD5 of the password alone, in hexadecimal."""

    def encode_prefs(self, hash_: str) -> str:
        """Return a hash in lower case."""
        return _hexadecimal(hash_, hashlib.md5(usedforsecurity=False).digest_size)

    def hashed(self, password: str) -> str:
        """Hash a password."""
        return hashlib.md5(password.encode(), usedforsecurity=False).hexdigest()


class Sha(ForeignHash, frozen=True, tag="sha"):
    """SHA of the password alone, in hexadecimal; `version` is one of SHA_VERSIONS."""

    version: str

    def __post_init__(self) -> None:
        """Check the version."""
        if self.version not in SHA_VERSIONS:
            raise ArgumentInvalid("passwordVersion", f"Value must be one of ({', '.join(SHA_VERSIONS)})")

    def encode_prefs(self, hash_: str) -> str:
        """Return a hash in lower case."""
        return _hexadecimal(hash_, hashlib.new(SHA_VERSIONS[self.version]).digest_size)

    def hashed(self, password: str) -> str:
        """Hash a password."""
        return hashlib.new(SHA_VERSIONS[self.version], password.encode()).hexdigest()


class Bcrypt(ForeignHash, frozen=True, tag="bcrypt"):
    """bcrypt, as `$2a$`, `$2b$` or PHP's `$2y$`: three names of one thing. `setting` is a hash without its digest."""

    setting: str

    @classmethod
    def of(cls, hash_: str) -> "Bcrypt":
        """Return the kind of a hash; raises `ArgumentInvalid`."""
        match = _BCRYPT.match(hash_)
        if match is None:
            raise ArgumentInvalid("password", "Value must be a bcrypt hash")
        if not 4 <= int(match["cost"]) <= BCRYPT_COST:  # noqa: PLR2004 bcrypt's own least
            raise ArgumentInvalid("password", f"Value must have a cost of 4 to {BCRYPT_COST}")
        return cls(setting=hash_[:BCRYPT_SETTING])

    def encode_prefs(self, hash_: str) -> str:
        """Return the digest of a hash: bcrypt may write its salt otherwise."""
        return hash_[BCRYPT_SETTING:]

    def hashed(self, password: str) -> str:
        """Hash a password."""
        return bcrypt.hashpw(password.encode()[:BCRYPT_BYTES], self.setting.encode()).decode()[BCRYPT_SETTING:]

    def work(self) -> tuple[object, ...]:
        """Return the cost."""
        return (self.setting[4:6],)


class Phpass(ForeignHash, frozen=True, tag="phpass"):
    """The portable hash of PHP's phpass, as in WordPress: `$P$` or `$H$`, log2 of the rounds, salt, MD5 of MD5 of …"""

    setting: str

    @classmethod
    def of(cls, hash_: str) -> "Phpass":
        """Return the kind of a hash; raises `ArgumentInvalid`."""
        if not _PHPASS.match(hash_):
            raise ArgumentInvalid("password", "Value must be a portable phpass hash")
        hashing = cls(setting=hash_[:PHPASS_SETTING])
        if not 7 <= hashing.log_rounds <= PHPASS_LOG_ROUNDS:  # noqa: PLR2004 phpass's own least
            raise ArgumentInvalid("password", f"Value must have 2^7 to 2^{PHPASS_LOG_ROUNDS} rounds")
        return hashing

    @property
    def log_rounds(self) -> int:
        """The logarithm of the number of rounds, to base 2."""
        return _PHPASS_DIGITS.index(self.setting[3])

    def encode_prefs(self, hash_: str) -> str:
        """Return the digest of a hash."""
        return hash_[PHPASS_SETTING:]

    def hashed(self, password: str) -> str:
        """Hash a password."""
        text, salt = password.encode(), self.setting[4:].encode()
        digest = hashlib.md5(salt + text, usedforsecurity=False).digest()
        for _ in range(1 << self.log_rounds):
            digest = hashlib.md5(digest + text, usedforsecurity=False).digest()
        return _phpass_base64(digest)

    def work(self) -> tuple[object, ...]:
        """Return the number of rounds."""
        return (self.log_rounds,)


class Scrypt(ForeignHash, frozen=True, tag="scrypt"):
    """scrypt (RFC 7914), in hexadecimal: `cpu` is its N, `memory` its r, `parallel` its p, `length` in bytes."""

    salt: str
    cpu: int
    memory: int
    parallel: int
    length: int

    def __post_init__(self) -> None:
        """Check the cost."""
        _check_length("passwordSalt", self.salt, LONGEST_SALT)
        for name, value in (("passwordMemory", self.memory), ("passwordParallel", self.parallel)):
            if value < 1 or self.memory * self.parallel > SCRYPT_BLOCKS:
                raise ArgumentInvalid(
                    name, f"Value must be at least 1, and the product of both at most {SCRYPT_BLOCKS}"
                )
        if self.cpu.bit_count() != 1 or not 1 < self.cpu < 1 << 16 * min(self.memory, 2):  # as RFC 7914 says
            raise ArgumentInvalid("passwordCpu", "Value must be a power of 2, and less than 2^(16 · passwordMemory)")
        if self.cpu * self.memory * self.parallel > SCRYPT_COST:
            raise ArgumentInvalid(
                "passwordCpu", f"the product of CPU, memory and parallel must be at most {SCRYPT_COST}"
            )
        if not SHORTEST_KEY <= self.length <= LONGEST_KEY:
            raise ArgumentInvalid("passwordLength", f"Value must be {SHORTEST_KEY} to {LONGEST_KEY}")

    def encode_prefs(self, hash_: str) -> str:
        """Return a hash in lower case."""
        return _hexadecimal(hash_, self.length)

    def hashed(self, password: str) -> str:
        """Hash a password."""
        salt = self.salt.encode()
        return _scrypt(password, salt, n=self.cpu, r=self.memory, p=self.parallel, length=self.length).hex()

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

    salt: str
    salt_separator: str
    signer_key: str

    def __post_init__(self) -> None:
        """Check that all is base64."""
        for name, text in (
            ("passwordSalt", self.salt),
            ("passwordSaltSeparator", self.salt_separator),
            ("passwordSignerKey", self.signer_key),
        ):
            _check_length(name, text, LONGEST_SALT)
            _unbase64(name, text)

    def encode_prefs(self, hash_: str) -> str:
        """Return a hash in hexadecimal; it is as long as the signer key."""
        raw, key = _unbase64("password", hash_), _unbase64("passwordSignerKey", self.signer_key)
        if len(raw) != len(key) or len(key) < SHORTEST_KEY:
            raise ArgumentInvalid("password", f"Value must be as long as the signer key, at least {SHORTEST_KEY} bytes")
        return raw.hex()

    def hashed(self, password: str) -> str:
        """Hash a password."""
        salt = _unbase64("", self.salt) + _unbase64("", self.salt_separator)
        key = _scrypt(password, salt, n=2**14, r=8, p=1, length=32)
        encryptor = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()
        return (encryptor.update(_unbase64("", self.signer_key)) + encryptor.finalize()).hex()

    def options(self) -> dict[str, str | int]:
        """Return its parameters, empty: they are secrets."""
        return {"salt": "", "saltSeparator": "", "signerKey": ""}


class Wrapped(msgspec.Struct, frozen=True, kw_only=True):
    """A hash of another kind as it is kept: inside one of ours, so that a copy of the database gives away none."""

    foreign: Md5 | Sha | Bcrypt | Phpass | Scrypt | ScryptModified
    hash: str


def check_argon2(text: str) -> str:
    """Return a hash of argon2 as it is kept: unchanged; raises `ArgumentInvalid` where it is none, or too expensive."""
    if not _ARGON2.match(text):
        raise ArgumentInvalid("password", "Value must be an argon2 hash")
    parameters = argon2.extract_parameters(text)
    if (
        parameters.memory_cost > ARGON2_KIB
        or parameters.memory_cost * parameters.time_cost > ARGON2_KIB_PASSES
        or parameters.parallelism > ARGON2_LANES
    ):
        raise ArgumentInvalid("password", "Value must be an argon2 hash with less time or memory")
    return text


def write_wrapped(foreign: ForeignHash, hash_: str) -> str:
    """Write a kind, and our hash of a hash of that kind, as they are kept."""
    return msgspec.json.encode({"foreign": foreign, "hash": hash_}).decode()


def read_wrapped(kept: str) -> Wrapped | None:
    """Read a hash that is kept; None where it is one of argon2 itself."""
    return msgspec.json.decode(kept, type=Wrapped) if kept.startswith("{") else None


def work_of(kept: str) -> tuple[object, ...]:
    """Return what says how long a hash takes that is kept: those that have this alike take alike."""
    if (wrapped := read_wrapped(kept)) is not None:
        return (type(wrapped.foreign), *wrapped.foreign.work())
    return (argon2.extract_parameters(kept),)


class HashDescription(NamedTuple):
    """Appwrite's name of a hash's kind, and its parameters."""

    kind: str
    options: dict[str, str | int]


def describe_hash(kept: str | None) -> HashDescription:
    """Return Appwrite's name of a hash's kind, and its parameters; without a hash, empty ones."""
    if kept is None:
        return HashDescription("", {})
    if (wrapped := read_wrapped(kept)) is not None:
        kind = str(type(wrapped.foreign).__struct_config__.tag)
        return HashDescription(kind, {"type": kind, **wrapped.foreign.options()})
    parameters = argon2.extract_parameters(kept)
    costs = {"memoryCost": parameters.memory_cost, "timeCost": parameters.time_cost, "threads": parameters.parallelism}
    return HashDescription("argon2", {"type": "argon2", **costs})


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


def _hexadecimal(text: str, size: int) -> str:
    if len(text) != 2 * size or not _HEX.match(text):
        raise ArgumentInvalid("password", f"Value must have {2 * size} hexadecimal digits")
    return text.lower()


def _check_length(name: str, text: str, longest: int) -> None:
    if len(text) > longest:
        raise ArgumentInvalid(name, f"Value must be at most {longest} characters long")


def _unbase64(name: str, text: str) -> bytes:
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ArgumentInvalid(name, "Value must be base64") from error
