"""Wycheproof's vectors for JSON Web Signatures: a signature is accepted where they say so, and nowhere else."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from shared.contracts.requests import VerificationKey
from shared.guard.jwt import KEY_CLASSES, KeyInvalid, PublicKey, signed_payload
from shared.kernel.errors import Refusal

FOLDER = Path(__file__).with_name("wycheproof")
EXCEPTIONS = {
    "json_web_signature 259": "an empty payload: a JWT has claims, and an empty segment is malformed",
    "json_web_crypto 46": "a key with the ROCA weakness: token makes all keys itself, and nobody brings one along",
}
"""Vectors that are not answered as labelled, each with the reason."""


class Vector(NamedTuple):
    name: str
    key: dict[str, Any]  # a JSON Web Key
    jws: str
    is_valid: bool


def vectors() -> list[Vector]:
    return [
        Vector(
            f"{kind} {test['tcId']}", group.get("public") or group.get("private") or {}, test["jws"],
            test["result"] == "valid",
        )
        for kind in ("json_web_signature", "json_web_crypto")
        for group in json.loads((FOLDER / f"{kind}_test.json").read_text())["testGroups"]
        for test in group["tests"]
        if "jws" in test
    ]  # fmt: skip


VECTORS = vectors()
OURS = [vector for vector in VECTORS if vector.key.get("alg") in KEY_CLASSES]
FOREIGN = [vector for vector in VECTORS if vector.key.get("alg") not in KEY_CLASSES]


def published(vector: Vector) -> VerificationKey:
    return VerificationKey(kid="k", algorithm=vector.key.get("alg", ""), jwk=json.dumps(vector.key))


def accepts(vector: Vector) -> bool:
    try:
        signed_payload(vector.jws, PublicKey.parse(published(vector)))
    except Refusal:
        return False
    return True


def test_every_vector_is_here() -> None:
    assert len(VECTORS) == 401 + 49
    assert EXCEPTIONS.keys() <= {vector.name for vector in OURS}


@pytest.mark.parametrize("vector", OURS, ids=lambda vector: vector.name)
def test_a_signature_by_an_algorithm_of_ours_is_answered_as_labelled(vector: Vector) -> None:
    assert accepts(vector) is (vector.is_valid != (vector.name in EXCEPTIONS))


@pytest.mark.parametrize("vector", FOREIGN, ids=lambda vector: vector.name)
def test_a_key_for_any_other_algorithm_is_refused_before_a_signature_is_looked_at(vector: Vector) -> None:
    with pytest.raises(KeyInvalid):
        PublicKey.parse(published(vector))
