import base64
import hmac
import json
from collections.abc import Callable
from typing import Any

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from shared.contracts.claims import Claims
from shared.contracts.requests import VerificationKey
from shared.guard.jwt import LEEWAY_S, MOST_BYTES, KeyInvalid, PublicKey, unverified_kid, verify
from shared.kernel.errors import ErrorType, Refusal

NOW = 1_800_000_000
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
PRIVATE = {
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "RS256": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}
JWK: dict[str, Callable[[Any], str]] = {
    "ES256": ECAlgorithm.to_jwk,
    "RS256": RSAAlgorithm.to_jwk,
    "EdDSA": OKPAlgorithm.to_jwk,
}
HEADER = {"alg": "ES256", "kid": "key-ES256", "typ": "at+jwt"}
CLAIMS = Claims(
    iss="urn:test", sub="ada", aud="library", sid="s1", jti="j1", iat=NOW, nbf=NOW, exp=NOW + 900,
    user_id="ada", session_id="s1", project_incarnation=1, user_incarnation=2,
)  # fmt: skip


def public(algorithm: str) -> PublicKey:
    jwk = JWK[algorithm](PRIVATE[algorithm].public_key())
    return PublicKey.parse(VerificationKey(kid=f"key-{algorithm}", algorithm=algorithm, jwk=jwk))


KEYS = {key.kid: key for key in map(public, PRIVATE)}


def segment(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(payload: bytes, header: bytes | None = None, algorithm: str = "ES256") -> str:
    """Sign any bytes as header and payload, which no JWT library would do."""
    start = segment(header or json.dumps(HEADER).encode()) + "." + segment(payload)
    signature = jwt.get_algorithm_by_name(algorithm).sign(start.encode(), PRIVATE[algorithm])
    return start + "." + segment(signature)


def token(**changed: object) -> str:
    members = msgspec.to_builtins(CLAIMS) | changed
    return signed(json.dumps({name: value for name, value in members.items() if value is not ...}).encode())


def check(text: str, *, now: float = NOW, project: str = "library", issuer: str = "urn:test") -> Claims:
    return verify(text, project_id=project, issuer=issuer, keys=KEYS, clock=lambda: now)


def refuses(text: str, **how: Any) -> None:
    with pytest.raises(Refusal) as found:
        check(text, **how)

    assert found.value.type is ErrorType.USER_JWT_INVALID
    assert len(text) < 50 or text not in found.value.message


VALID = token()


@pytest.mark.parametrize("algorithm", PRIVATE)
def test_a_jwt_of_each_algorithm_is_accepted(algorithm: str) -> None:
    header = {"alg": algorithm, "kid": f"key-{algorithm}", "typ": "at+jwt"}
    text = jwt.encode(msgspec.to_builtins(CLAIMS), PRIVATE[algorithm], algorithm=algorithm, headers=header)

    assert check(text) == CLAIMS
    assert unverified_kid(text) == f"key-{algorithm}"


def test_a_jwt_without_a_session_is_accepted() -> None:
    assert check(token(sid=..., sessionId="")).sid == ""


@given(place=st.integers(0, len(VALID) - 1), letter=st.sampled_from(ALPHABET + "=.+/ \n\0é\u212a\ud800"))
def test_every_other_character_at_any_place_is_refused(place: int, letter: str) -> None:
    if letter != VALID[place]:
        refuses(VALID[:place] + letter + VALID[place + 1 :])


@given(place=st.integers(0, len(VALID)), letter=st.sampled_from(ALPHABET + "=.+/ \r\n\t\0é"))
def test_every_inserted_character_is_refused(place: int, letter: str) -> None:
    refuses(VALID[:place] + letter + VALID[place:])


@given(place=st.integers(0, len(VALID) - 1), width=st.integers(1, len(VALID)))
def test_every_missing_or_doubled_part_is_refused(place: int, width: int) -> None:
    part = VALID[place : place + width]

    refuses(VALID[:place] + VALID[place + width :])
    refuses(VALID[:place] + part + part + VALID[place + width :])


def test_each_last_character_of_a_segment_has_one_spelling() -> None:
    for index, part in enumerate(VALID.split(".")):
        for letter in ALPHABET:
            parts = VALID.split(".")
            parts[index] = part[:-1] + letter
            if letter != part[-1]:
                refuses(".".join(parts))


@given(st.text())
def test_any_text_is_refused_and_never_an_error(text: str) -> None:
    refuses(text)


@given(st.binary(), st.binary(), st.binary())
def test_any_segments_are_refused_and_never_an_error(header: bytes, payload: bytes, signature: bytes) -> None:
    refuses(".".join(map(segment, (header, payload, signature))))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"null",
        b"[" * 2500,
        b"\xff",
        b"\xef\xbb\xbf" + json.dumps(msgspec.to_builtins(CLAIMS)).encode(),
        json.dumps(msgspec.to_builtins(CLAIMS)).encode("utf-16"),
        json.dumps(msgspec.to_builtins(CLAIMS) | {"more": float("nan")}).encode(),
        json.dumps(msgspec.to_builtins(CLAIMS)).encode()[:-1] + b', "exp": 1800000900}',
        json.dumps(msgspec.to_builtins(CLAIMS)).encode()[:-1] + b', "more": {"a": 1, "a": 2}}',
    ],
)
def test_a_signed_payload_that_is_no_plain_json_object_is_refused(payload: bytes) -> None:
    refuses(signed(payload))


@pytest.mark.parametrize(
    "changed",
    [
        *({name: ...} for name in ("iss", "sub", "aud", "sid", "jti", "iat", "nbf", "exp", "userId", "sessionId")),
        *({name: wrong} for name in ("projectIncarnation", "userIncarnation") for wrong in (..., 0, -1, "1", 2**53)),
        *({name: ""} for name in ("iss", "sub", "aud", "sid", "jti")),
        *({name: value} for name in ("iat", "nbf", "exp") for value in (True, float(NOW), str(NOW), None, -1, 10**30)),
        {"iss": "urn:other"},
        {"aud": "archive"},
        {"aud": ["library"]},
        {"sub": "eve"},
        {"userId": "eve"},
        {"sid": "s2"},
        {"sessionId": "s2"},
        {"sub": 7, "userId": 7},
    ],
)
def test_missing_mistyped_or_foreign_claims_are_refused(changed: dict[str, object]) -> None:
    refuses(token(**changed))


def test_unknown_claims_are_ignored_so_that_claims_can_be_added() -> None:
    assert check(token(later="more")) == CLAIMS


@pytest.mark.parametrize(
    "changed",
    [
        {"typ": ...},
        {"typ": "JWT"},
        {"typ": "AT+JWT"},
        {"kid": ...},
        {"kid": "unknown"},
        {"kid": "key-RS256"},
        {"kid": ["key-ES256"]},
        {"kid": "../key"},
        {"kid": "\ud800"},
        {"alg": ...},
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "ES384"},
        {"alg": "RS256"},
        {"alg": "es256"},
        {"crit": ["exp"]},
        {"crit": []},
        {"b64": True},
        {"b64": False, "crit": ["b64"]},
        {"zip": "DEF"},
        {"jwk": json.loads(JWK["ES256"](PRIVATE["ES256"].public_key()))},
        {"jku": "https://example.com/jwks"},
        {"x5u": "https://example.com/x5u"},
        {"x5c": ["AA"]},
    ],
)
def test_a_header_with_anything_but_our_members_is_refused(changed: dict[str, object]) -> None:
    header = {name: value for name, value in (HEADER | changed).items() if value is not ...}

    refuses(signed(msgspec.json.encode(CLAIMS), json.dumps(header).encode()))


@pytest.mark.parametrize("kid", ["", "../key", "k" * 65, "key\n", "\ud800", "clé"])
def test_a_kid_of_other_characters_is_refused_before_it_is_looked_up(kid: str) -> None:
    header = json.dumps(HEADER | {"kid": kid}).encode()

    with pytest.raises(Refusal):
        unverified_kid(signed(msgspec.json.encode(CLAIMS), header))


def test_a_header_in_another_spelling_is_refused_before_its_key_is_looked_up() -> None:
    header = segment(b'{"alg":"ES256","kid":"key-ES256","typ":"at+jwt"} ')
    last = ALPHABET[ALPHABET.index(header[-1]) + 1]
    assert base64.urlsafe_b64decode(header[:-1] + last + "==") == base64.urlsafe_b64decode(header + "==")

    with pytest.raises(Refusal):
        unverified_kid(".".join([header[:-1] + last, *VALID.split(".")[1:]]))


def test_a_header_with_a_member_twice_is_refused() -> None:
    refuses(signed(msgspec.json.encode(CLAIMS), b'{"alg":"none","alg":"ES256","kid":"key-ES256","typ":"at+jwt"}'))


def test_an_hmac_with_the_public_key_as_its_secret_is_refused() -> None:
    header = json.dumps(HEADER | {"alg": "HS256"}).encode()
    start = segment(header) + "." + segment(msgspec.json.encode(CLAIMS))
    secret = JWK["ES256"](PRIVATE["ES256"].public_key()).encode()

    refuses(start + "." + segment(hmac.digest(secret, start.encode(), "sha256")))


def test_a_signature_of_another_key_or_in_der_is_refused() -> None:
    start = VALID.rpartition(".")[0]
    other = ec.generate_private_key(ec.SECP256R1())
    der = PRIVATE["ES256"].sign(start.encode(), ec.ECDSA(jwt.algorithms.hashes.SHA256()))

    refuses(start + "." + segment(jwt.get_algorithm_by_name("ES256").sign(start.encode(), other)))
    refuses(start + "." + segment(der))
    refuses(start + "." + segment(bytes(64)))


def test_a_jwt_expires_without_leeway() -> None:
    assert check(VALID, now=NOW + 899.999) == CLAIMS
    refuses(VALID, now=NOW + 900)


def test_a_jwt_of_a_clock_ahead_is_accepted_within_the_leeway() -> None:
    assert check(VALID, now=NOW - LEEWAY_S) == CLAIMS
    refuses(VALID, now=NOW - LEEWAY_S - 0.001)
    refuses(token(nbf=NOW + LEEWAY_S + 1))
    refuses(token(iat=NOW + LEEWAY_S + 1))


def test_a_jwt_of_another_project_or_issuer_is_refused() -> None:
    refuses(VALID, project="archive")
    refuses(VALID, issuer="urn:other")


def test_a_longer_text_is_refused_before_it_is_read() -> None:
    long = token(more="x" * MOST_BYTES)

    refuses(long)
    with pytest.raises(Refusal):
        unverified_kid(long)


@pytest.mark.parametrize(
    ("algorithm", "jwk"),
    [
        ("ES256", ECAlgorithm.to_jwk(PRIVATE["ES256"])),
        ("ES256", ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP384R1()).public_key())),
        ("RS256", RSAAlgorithm.to_jwk(rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key())),
        ("EdDSA", OKPAlgorithm.to_jwk(ed448.Ed448PrivateKey.generate().public_key())),
        ("ES256", JWK["RS256"](PRIVATE["RS256"].public_key())),
        ("HS256", '{"kty":"oct","k":"c2VjcmV0"}'),
        ("none", JWK["ES256"](PRIVATE["ES256"].public_key())),
        ("ES256", "{}"),
        ("ES256", "["),
    ],
)
def test_keys_that_are_private_weak_or_of_another_kind_are_refused(algorithm: str, jwk: str) -> None:
    with pytest.raises(KeyInvalid):
        PublicKey.parse(VerificationKey(kid="k", algorithm=algorithm, jwk=jwk))
