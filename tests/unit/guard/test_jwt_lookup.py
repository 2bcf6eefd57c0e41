import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from services.token.domain.signing_keys import Signer
from services.token.domain.tokens import Bearer, claims_for
from shared.contracts.principal import Kind, Principal
from shared.contracts.requests import ResolvedPrincipal, ResolvedProject, VerificationKey, VerificationKeys
from shared.contracts.subjects import SIGNING_KEYS, signing_key
from shared.guard.guard import Guard
from shared.guard.resolver import ResolvePrincipal
from shared.kernel.clock import boot_clock
from shared.kernel.errors import ErrorType, Refusal

PRIVATE = ec.generate_private_key(ec.SECP256R1())
PUBLISHED = VerificationKey(kid="k1", algorithm="ES256", jwk=ECAlgorithm.to_jwk(PRIVATE.public_key()))
ADA = Principal(project_id="library", kind=Kind.JWT, user_id="ada", session_id="s1")


class RetiringAuthority:
    """Answers of auth and token; while auth is asked for the first time, the signing key is retired as entry 2."""

    guard: Guard
    asked = 0
    keys_left = (PUBLISHED,)

    async def principal(self, request: ResolvePrincipal) -> ResolvedPrincipal:
        self.asked += 1
        if self.asked == 1:
            self.keys_left = ()
            self.guard.cache.apply(2, (signing_key("k1"), SIGNING_KEYS))
        return ResolvedPrincipal(position=2, subjects=("user:library/ada",), principal=ADA)

    async def project(self, project_id: str) -> ResolvedProject:
        raise NotImplementedError(project_id)

    async def keys(self) -> VerificationKeys:
        return VerificationKeys(position=self.guard.cache.position, issuer="urn:test", keys=self.keys_left)


async def test_a_key_that_is_retired_while_auth_is_asked_lets_nobody_in() -> None:
    authority = RetiringAuthority()
    guard = authority.guard = Guard(service="test", redis_url="unix:///nowhere", resolver=authority)
    guard.cache.reset(1)
    guard.cache.extend_lease(boot_clock() + 60)
    claims = claims_for(
        issuer="urn:test",
        bearer=Bearer(project_id="library", project_incarnation=1, user_id="ada", user_incarnation=2, session_id="s1"),
        duration_s=900,
        now=time.time(),
    )
    token = Signer(kid="k1", algorithm="ES256", key=PRIVATE).sign(claims)

    with pytest.raises(Refusal) as found:
        await guard.jwt("library", token)

    assert found.value.type is ErrorType.USER_JWT_INVALID
