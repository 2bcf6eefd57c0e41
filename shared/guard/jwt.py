"""JWTs: from a text that anyone may have written to claims that token has signed.

PyJWT checks the signature. Around it stands what RFC 8725 asks and PyJWT leaves open: one spelling per JWT, one value
per member, nothing in the header but what we write there, an algorithm that belongs to the key and not to the JWT.
ES256 signatures come in pairs (s and n - s), so never deny, count or cache by anything less than the whole text.
"""

import base64
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, Self, TypeAlias, TypeVar

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from shared.contracts.claims import Claims
from shared.contracts.ids import ProjectId
from shared.contracts.requests import VerificationKey
from shared.kernel.errors import ErrorType, Refusal

MOST_BYTES: Final = 4096
"""A longer JWT is refused before anything of it is read; ours have 500 to 900 bytes."""

LEEWAY_S: Final = 5
"""How far the clock of the service that signed may be ahead of ours. None on `exp`."""

SHORTEST_RSA_BITS: Final = 2048

Key: TypeAlias = EllipticCurvePublicKey | RSAPublicKey | Ed25519PublicKey

KEY_CLASSES: Final[Mapping[str, type[Key]]] = {
    "ES256": EllipticCurvePublicKey,
    "RS256": RSAPublicKey,
    "EdDSA": Ed25519PublicKey,
}
"""The algorithms there are, each with its class of public key."""

KID_PATTERN: Final = r"^[A-Za-z0-9_-]{1,64}\Z"

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_JWS = jwt.PyJWS(algorithms=list(KEY_CLASSES), options={"enforce_minimum_key_length": True})

T = TypeVar("T")


class KeyInvalid(ValueError):
    """A JSON Web Key is not a public key of the algorithm it is published for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A public signing key, parsed once. `algorithm` is the only one that it verifies."""

    kid: str
    algorithm: str
    key: Key

    @classmethod
    def parse(cls, published: VerificationKey) -> Self:
        """Read a key as token publishes it; raises `KeyInvalid` (also on RSA keys below 2,048 bits)."""
        expected = KEY_CLASSES.get(published.algorithm)
        if expected is None:
            raise KeyInvalid(f"key {published.kid} is for an unknown algorithm")
        try:
            read = jwt.PyJWK(json.loads(published.jwk), algorithm=published.algorithm)
            key = read.Algorithm.prepare_key(read.key)  # checks the curve
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise KeyInvalid(f"key {published.kid} cannot be read") from error
        if not isinstance(key, expected):
            raise KeyInvalid(f"key {published.kid} is no public key for {published.algorithm}")
        if isinstance(key, RSAPublicKey) and key.key_size < SHORTEST_RSA_BITS:
            raise KeyInvalid(f"key {published.kid} is too short")
        return cls(kid=published.kid, algorithm=published.algorithm, key=key)


class _Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    # Nothing else may stand in a header: no crit, b64 or zip, and no key (jwk, jku, x5c, x5u) brought along.
    alg: str
    kid: Annotated[str, msgspec.Meta(pattern=KID_PATTERN)]
    typ: Literal["at+jwt"]


def verify(
    token: str,
    *,
    project_id: ProjectId,
    issuer: str,
    keys: Mapping[str, PublicKey],
    clock: Callable[[], float] = time.time,
) -> Claims:
    """Return the claims of a JWT that one of `keys` (by kid) signed, for this project, in force now by `clock`.

    Whether its session and user still stand is not known here. Raises `Refusal(USER_JWT_INVALID)`.
    """
    key = keys.get(unverified_kid(token))
    if key is None:
        raise _refusal("no signing key is known for it")
    claims = _parse(signed_payload(token, key), Claims)
    _check(claims, project_id=project_id, issuer=issuer, now=clock())
    return claims


def signed_payload(token: str, key: PublicKey) -> bytes:
    """Return the payload of a JWS in its compact form (RFC 7515) that `key` has signed, by the key's own algorithm.

    Raises `Refusal(USER_JWT_INVALID)`.
    """
    _check_form(token)
    try:
        payload: bytes = _JWS.decode(token, key.key, algorithms=[key.algorithm])  # whatever the header asks for
    except jwt.PyJWTError as error:
        raise _refusal("its signature is wrong") from error
    return payload


def unverified_kid(token: str) -> str:
    """Return the kid of the key that is said to have signed a JWT; raises `Refusal(USER_JWT_INVALID)`."""
    _check_form(token)
    return _parse(_decode(token.partition(".")[0]), _Header).kid


def claims_of(token: str) -> Claims:
    """Return the claims of a JWT that `verify` has accepted before; raises `Refusal(USER_JWT_INVALID)`."""
    return _parse(_decode(token.split(".")[1]), Claims)


def _check_form(token: str) -> None:
    is_compact = len(token) <= MOST_BYTES and _COMPACT.fullmatch(token)
    if not is_compact or not all(map(_is_canonical, token.split("."))):
        raise _refusal("it is malformed")


def _is_canonical(segment: str) -> bool:
    # A length of 4n+1 encodes nothing, and the last character may hold bits that mean nothing.
    return len(segment) % 4 != 1 and base64.urlsafe_b64encode(_decode(segment)).rstrip(b"=") == segment.encode()


def _decode(segment: str) -> bytes:
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def _parse(data: bytes, kind: type[T]) -> T:
    try:
        parsed = json.loads(data.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
        return msgspec.convert(parsed, kind)
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
        raise _refusal("it is malformed") from error


def _unique(members: list[tuple[str, Any]]) -> dict[str, Any]:  # Any: whatever the JSON holds
    by_name = dict(members)
    if len(by_name) != len(members):
        raise ValueError("a member occurs twice")
    return by_name


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _check(claims: Claims, *, project_id: ProjectId, issuer: str, now: float) -> None:
    if claims.iss != issuer or claims.aud != project_id or not claims.agree():
        raise _refusal("it is not for this project")
    if now >= claims.exp:
        raise _refusal("it has expired")
    if max(claims.nbf, claims.iat) > now + LEEWAY_S:
        raise _refusal("it is not yet valid")


def _refusal(reason: str) -> Refusal:
    return Refusal(ErrorType.USER_JWT_INVALID, f"Failed to verify JWT: {reason}.")
