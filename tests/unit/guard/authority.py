"""Stands in for auth and token, from memory: answers as of the guard's position."""

import asyncio
import time

from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from services.token.domain.signing_keys import Signer
from services.token.domain.tokens import Bearer, claims_for
from shared.contracts import subjects
from shared.contracts.credentials import SessionSecret
from shared.contracts.principal import Kind, Principal, Project
from shared.contracts.requests import (
    ResolvedPrincipal,
    ResolvedProject,
    ResolveKey,
    VerificationKey,
    VerificationKeys,
)
from shared.guard.guard import Guard
from shared.guard.resolver import ResolvePrincipal

PROJECT = "library"
PRIVATE = ec.generate_private_key(ec.SECP256R1())
SIGNER = Signer(kid="k1", algorithm="ES256", key=PRIVATE)
PUBLISHED = VerificationKey(kid="k1", algorithm="ES256", jwk=ECAlgorithm.to_jwk(PRIVATE.public_key()))


class Authority:
    """Answers for every user but those who are gone, as of the guard's position; there are no keys.

    Answers for users wait until `goes_on`.
    """

    guard: Guard

    def __init__(self) -> None:
        self.asked = 0
        self.gone: set[str] = set()
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    async def principal(self, request: ResolvePrincipal) -> ResolvedPrincipal:
        self.asked += 1
        position = self.guard.cache.position
        if isinstance(request, ResolveKey):
            return ResolvedPrincipal(position=position, subjects=(subjects.project(PROJECT),))
        found = Principal(project_id=PROJECT, kind=Kind.SESSION, user_id=request.user_id)
        await self.goes_on.wait()
        return ResolvedPrincipal(
            position=position,
            subjects=(subjects.user(PROJECT, request.user_id), f"session:{PROJECT}/of-{request.user_id}"),
            principal=None if request.user_id in self.gone else found,
        )

    async def project(self, project_id: str) -> ResolvedProject:
        return ResolvedProject(position=self.guard.cache.position, project=Project(id=project_id, name=project_id))

    async def keys(self) -> VerificationKeys:
        return VerificationKeys(position=self.guard.cache.position, issuer="urn:test", keys=(PUBLISHED,))


def secret_of(user: str) -> SessionSecret:
    return SessionSecret(id=user, secret="s" * 64)


def token_of(user: str, number: int = 0) -> str:
    now = time.time()
    return SIGNER.sign(
        claims_for(
            issuer="urn:test",
            bearer=Bearer(
                project_id=PROJECT, project_incarnation=1, user_id=user, user_incarnation=2, session_id=f"s{number}"
            ),
            duration_s=900,
            now=now,
        )
    )
