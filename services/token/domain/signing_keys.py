"""Signing keys: their algorithms, their states, and signing."""

from datetime import datetime
from enum import StrEnum
from typing import Final, Literal, TypeAlias, cast

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from shared.contracts.claims import TYPE, Claims

Algorithm = Literal["ES256", "RS256", "EdDSA"]

PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

RSA_BITS: Final = 2048

_JWS = jwt.PyJWS(algorithms=["ES256", "RS256", "EdDSA"], options={"enforce_minimum_key_length": True})


class State(StrEnum):
    """The life of a signing key, in order: no verifier meets a JWT of a key that was not published before."""

    NEXT = "next"
    ACTIVE = "active"
    RETIRING = "retiring"
    GONE = "gone"


class SigningKey(msgspec.Struct, frozen=True, kw_only=True):
    """A signing key without its private part. `jwk` is the public key as JSON; `changed_at`, when its state began."""

    kid: str
    algorithm: str
    state: State
    jwk: str
    created_at: datetime
    changed_at: datetime


class Signer:
    """A private key, ready to sign."""

    def __init__(self, *, kid: str, algorithm: str, key: PrivateKey) -> None:
        self._key = key
        self._algorithm = algorithm
        self._header = {"kid": kid, "typ": TYPE}

    def sign(self, claims: Claims) -> str:
        """Write claims as a signed JWT."""
        return _JWS.encode(msgspec.json.encode(claims), self._key, algorithm=self._algorithm, headers=self._header)


def generate(algorithm: Algorithm) -> PrivateKey:
    """Make a private key; takes a tenth of a second or more for RS256."""
    match algorithm:
        case "ES256":
            return ec.generate_private_key(ec.SECP256R1())
        case "RS256":
            return rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
        case "EdDSA":
            return ed25519.Ed25519PrivateKey.generate()


def public_jwk(key: PrivateKey, *, kid: str, algorithm: Algorithm) -> str:
    """Write the public part of a key as JSON Web Key (RFC 7517), for signatures by this algorithm only."""
    members = jwt.get_algorithm_by_name(algorithm).to_jwk(key.public_key(), as_dict=True)
    members.pop("key_ops", None)  # `use` says it; RFC 7517 advises against both
    return msgspec.json.encode(members | {"kid": kid, "alg": algorithm, "use": "sig"}).decode()


def private_bytes(key: PrivateKey) -> bytes:
    """Write a private key as PKCS #8, in the clear."""
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def read_private(data: bytes) -> PrivateKey:
    """Read what `private_bytes` wrote."""
    return cast("PrivateKey", load_der_private_key(data, password=None))
