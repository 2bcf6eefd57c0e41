"""Memory that a replica takes for each principal it remembers, and for each mark of a feed entry."""

import gc
import time
import tracemalloc
from collections.abc import Awaitable, Callable

from services.auth.people.domain.roles import roles_of
from services.token.domain.signing_keys import Signer, generate, public_jwk
from services.token.domain.tokens import Bearer, claims_for
from shared.contracts import subjects
from shared.contracts.credentials import SessionSecret
from shared.contracts.events import PrincipalsChanged
from shared.contracts.principal import Kind, Principal
from shared.contracts.requests import (
    ResolvedPrincipal,
    ResolvedProject,
    ResolveJwt,
    ResolveKey,
    VerificationKey,
    VerificationKeys,
)
from shared.guard.feed_reader import subjects_of
from shared.guard.guard import Guard
from shared.guard.resolver import ResolvePrincipal
from shared.kernel.ids import unique_id
from shared.messaging.codec import pack, unpack
from shared.messaging.outbox import entry_bytes
from tests.bench.measures import Measure, at_most

PROJECT = "library"
KID = "20c9b84ee5a64b2d9f5e"
COUNT = 100_000
JWTS = 25_000
"""Fewer, since each is signed and verified. A quarter of a table, and so as full a one."""

POSITION = 1000
ISSUER = "urn:daypass:bench"
YEAR_S = 31_536_000


class Answering:
    """Answers for any session or JWT as auth does over the bus: out of bytes, so that no two answers share anything."""

    def __init__(self, jwk: str) -> None:
        self._jwk = jwk

    async def principal(self, request: ResolvePrincipal) -> ResolvedPrincipal:
        assert not isinstance(request, ResolveKey)
        user, session, kind = request.user_id, unique_id(), Kind.SESSION
        named: tuple[str, ...] = (subjects.project(PROJECT), subjects.user(PROJECT, user))
        if isinstance(request, ResolveJwt):
            session, kind = request.session_id, Kind.JWT
            named += (subjects.jwt(request.jti),)
        principal = Principal(
            project_id=PROJECT,
            kind=kind,
            roles=roles_of(user, is_verified=True, labels=(), memberships=()),
            user_id=user,
            session_id=session,
            expires_at=time.time() + YEAR_S,
        )
        named += (subjects.session(PROJECT, session),)
        found = ResolvedPrincipal(position=POSITION, subjects=named, principal=principal)
        return unpack(pack(found), ResolvedPrincipal)

    async def project(self, _: str) -> ResolvedProject:
        raise AssertionError("nobody asks for this here")

    async def keys(self) -> VerificationKeys:
        return VerificationKeys(
            position=POSITION, issuer=ISSUER, keys=(VerificationKey(kid=KID, algorithm="ES256", jwk=self._jwk),)
        )


async def measure() -> list[Measure]:
    """Bytes that Python allocated, over many entries."""
    key = generate("ES256")
    signer, authority = (
        Signer(kid=KID, algorithm="ES256", key=key),
        Answering(public_jwk(key, kid=KID, algorithm="ES256")),
    )
    of_sessions, of_jwts = _guard(authority), _guard(authority)
    tokens = [_token(signer) for _ in range(JWTS)]

    async def remember_sessions() -> None:
        for _ in range(COUNT):
            assert await of_sessions.session(PROJECT, SessionSecret.new(unique_id())) is not None

    async def remember_jwts() -> None:
        for token in tokens:
            assert await of_jwts.jwt(PROJECT, token) is not None

    async def mark() -> None:
        for number in range(POSITION + 1, POSITION + 1 + COUNT):
            event = PrincipalsChanged(subjects=(subjects.session(PROJECT, unique_id()),), reason="session.deleted")
            of_sessions.cache.apply(number, subjects_of(entry_bytes(event)))

    return [
        await _bytes_of("a principal of a session in the cache", remember_sessions, count=COUNT, goal=600),
        await _bytes_of("a principal of a JWT in the cache", remember_jwts, count=JWTS, goal=600),
        await _bytes_of("a mark of a deleted session", mark, count=COUNT, goal=120),
    ]


def _guard(authority: Answering) -> Guard:
    guard = Guard(service="data", redis_url="unix:///nowhere", resolver=authority)
    guard.cache.extend_lease(float("inf"))
    return guard


def _token(signer: Signer) -> str:
    user, session = unique_id(), unique_id()
    claims = claims_for(
        issuer=ISSUER,
        bearer=Bearer(project_id=PROJECT, project_incarnation=1, user_id=user, user_incarnation=2, session_id=session),
        duration_s=3600,
        now=time.time(),
    )
    return signer.sign(claims)


async def _bytes_of(name: str, fill: Callable[[], Awaitable[None]], *, count: int, goal: float) -> Measure:
    gc.collect()
    tracemalloc.start()
    try:
        await fill()
        gc.collect()
        value = tracemalloc.get_traced_memory()[0] / count
    finally:
        tracemalloc.stop()
    return at_most(goal, name=name, value=value, unit="bytes", detail=f"allocated by Python for {count} of them")
