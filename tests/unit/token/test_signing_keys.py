import base64
import json
from typing import get_args

import pytest

from services.token.domain.signing_keys import Algorithm, Signer, generate, private_bytes, public_jwk, read_private
from services.token.domain.tokens import Bearer, claims_for
from shared.contracts.requests import VerificationKey
from shared.guard.jwt import MOST_BYTES, PublicKey, verify

NOW = 1_800_000_000.75
ALGORITHMS = get_args(Algorithm)
PRIVATE = {algorithm: generate(algorithm) for algorithm in ALGORITHMS}
CLAIMS = claims_for(
    issuer="urn:test",
    bearer=Bearer(project_id="library", project_incarnation=1, user_id="ada", user_incarnation=2, session_id="s1"),
    duration_s=900,
    now=NOW,
)


def jwk(algorithm: Algorithm) -> dict[str, str]:
    members: dict[str, str] = json.loads(public_jwk(PRIVATE[algorithm], kid="k1", algorithm=algorithm))
    return members


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_signature_is_verified_by_the_published_half_of_its_key(algorithm: Algorithm) -> None:
    key = read_private(private_bytes(PRIVATE[algorithm]))
    published = VerificationKey(kid="k1", algorithm=algorithm, jwk=json.dumps(jwk(algorithm)))

    token = Signer(kid="k1", algorithm=algorithm, key=key).sign(CLAIMS)

    keys = {"k1": PublicKey.parse(published)}
    assert verify(token, project_id="library", issuer="urn:test", keys=keys, clock=lambda: NOW) == CLAIMS


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_published_key_says_what_it_is_for_and_nothing_private(algorithm: Algorithm) -> None:
    members = jwk(algorithm)

    assert (members["kid"], members["alg"], members["use"]) == ("k1", algorithm, "sig")
    assert members.keys().isdisjoint({"d", "p", "q", "dp", "dq", "qi", "k", "key_ops"})


def test_a_jwt_names_its_key_algorithm_and_type_and_nothing_else() -> None:
    token = Signer(kid="k1", algorithm="ES256", key=PRIVATE["ES256"]).sign(CLAIMS)

    header = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
    assert header == {"alg": "ES256", "kid": "k1", "typ": "at+jwt"}


def test_the_longest_claims_fit_into_a_jwt_of_any_algorithm() -> None:
    most = 2**53 - 1
    bearer = Bearer(
        project_id="p" * 36, project_incarnation=most, user_id="u" * 36, user_incarnation=most, session_id="s" * 36
    )
    longest = claims_for(issuer="i" * 256, bearer=bearer, duration_s=1, now=NOW)

    for algorithm, key in PRIVATE.items():
        assert len(Signer(kid="k" * 20, algorithm=algorithm, key=key).sign(longest)) < MOST_BYTES
