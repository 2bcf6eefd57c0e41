"""The guard: who is calling?

A credential is resolved once and then remembered, under a lease, until the feed says that something it rests on has
changed: so a warm request costs no network call, and a revoked one is refused at once. Nothing here expires by time
but what has an end of its own: sessions, keys and JWTs.
"""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Hashable
from typing import cast

import msgspec

from shared.contracts import subjects
from shared.contracts.credentials import KEY_PREFIX, SessionSecret, digest
from shared.contracts.ids import ProjectId
from shared.contracts.principal import Kind, Principal, Project
from shared.contracts.requests import ResolvedPrincipal, ResolveJwt, ResolveKey, ResolveSession, VerificationKeys
from shared.guard.cache import Answer, Cache, Kept, PrincipalAnswer
from shared.guard.feed_reader import FeedReader
from shared.guard.jwt import PublicKey, unverified_kid, verify
from shared.guard.resolver import ResolvePrincipal, Resolver
from shared.guard.uses import Uses
from shared.guard.watches import Watches
from shared.kernel.errors import ErrorType, Refusal, Unavailable
from shared.kernel.ids import is_id, is_project_id
from shared.kernel.loops import running

ATTEMPTS = 3
LOOKUPS = 10_000
REASK_KEYS_S = 1.0


class KeySet(msgspec.Struct, frozen=True):
    """The instance's public signing keys, parsed."""

    issuer: str
    keys: dict[str, PublicKey]
    epoch: str


class Guard:
    """Resolves credentials to principals. One per process.

    `copies` is as in `FeedReader`; at most `most_lookups` are under way at once.
    """

    def __init__(
        self,
        *,
        service: str,
        redis_url: str,
        resolver: Resolver,
        cache: Cache | None = None,
        copies: int = 0,
        most_lookups: int = LOOKUPS,
    ) -> None:
        self.cache = Cache() if cache is None else cache
        self.reader = FeedReader(cache=self.cache, service=service, redis_url=redis_url, copies=copies)
        self.watches = Watches(self.cache)
        self._resolver = resolver
        self.uses = Uses(resolver)
        self._most_lookups = most_lookups
        self._flights: dict[Hashable, asyncio.Task[Kept]] = {}
        self._alone = 0
        self._keys_requested_at = float("-inf")

    @property
    def lookups(self) -> int:
        """How many look-ups are under way."""
        return len(self._flights) + self._alone

    async def run(self) -> None:
        """Follow the feed, and report which sessions are used, until cancelled."""
        async with running([self.uses.run()]):
            await self.reader.run()

    async def project(self, project_id: ProjectId) -> Project:
        """Return a project; raises `Refusal(PROJECT_NOT_FOUND)`, or `Unavailable`."""
        key = ("project", project_id)
        answer = self.cache.get(key)
        if answer is None and is_project_id(project_id):
            answer = await self._look_up(key, lambda: self._ask_project(project_id))
        if answer is None or answer.value is None:
            raise Refusal(ErrorType.PROJECT_NOT_FOUND)
        return cast("Project", answer.value)

    async def session(self, project_id: ProjectId, secret: SessionSecret) -> Principal | None:
        """Return whose a session secret is; None, a guest, where the session is unknown, deleted or past its end."""
        if not is_id(secret.id):
            return None
        key = _key_of("session", project_id, f"{secret.id} {secret.secret}")
        answer = self.cache.get(key)
        if answer is None:
            request = ResolveSession(project_id=project_id, user_id=secret.id, secret_digest=secret.digest())
            answer = await self._look_up(key, lambda: self._ask_principal(request))
        return _unexpired(answer)

    async def jwt(self, project_id: ProjectId, token: str) -> Principal | None:
        """Return whose a JWT is; None, a guest, where its session or user is gone.

        Raises `Refusal(USER_JWT_INVALID)` where it is malformed, forged, expired or of another project.
        """
        key = _key_of("jwt", project_id, token)
        answer = self.cache.get(key)
        if answer is None:
            answer = await self._look_up_jwt(key, project_id, token)
        principal = _unexpired(answer)
        if time.time() >= answer.not_after:
            raise Refusal(ErrorType.USER_JWT_INVALID, "Failed to verify JWT: it has expired.")
        return principal

    async def key(self, project_id: ProjectId, secret: str) -> Principal:
        """Return what an API key may do.

        Raises `Refusal(USER_UNAUTHORIZED)` for an unknown key, `Refusal(PROJECT_KEY_EXPIRED)` for one past its end.
        """
        if not secret.startswith(KEY_PREFIX):
            raise _unknown_key()
        key = _key_of("key", project_id, secret)
        answer = self.cache.get(key)
        if answer is None:
            request = ResolveKey(project_id=project_id, secret_digest=digest(secret))
            answer = await self._look_up(key, lambda: self._ask_principal(request))
        if (principal := _unexpired(answer)) is not None:
            return principal
        if answer.value is None:
            raise _unknown_key()
        raise Refusal(ErrorType.PROJECT_KEY_EXPIRED)

    async def key_set(self) -> KeySet:
        """Return the public signing keys; raises `Unavailable`."""
        answer = self.cache.get(subjects.SIGNING_KEYS)
        if answer is None:
            answer = await self._look_up(subjects.SIGNING_KEYS, self._ask_keys)
        return cast("KeySet", answer.value)

    def check(self, principal: Principal) -> None:
        """Check once more, before something is committed or sent, that a principal of this guard still stands.

        Raises `Unavailable` where the feed has said something against it, or where this replica is fenced.
        """
        if principal.kind is Kind.GUEST:
            return
        cache = self.cache
        is_current = cache.is_leased() and principal.era == cache.era
        if not is_current or cache.is_stale(principal.position, principal.subjects):
            raise Unavailable("The caller's rights have changed, or cannot be checked. Try again.")

    async def applied(self, ticket: uuid.UUID, timeout_s: float) -> int | None:
        """Return the number of an outbox row once this replica has applied it, None where it has not in time."""
        return await self.reader.position_of(ticket, timeout_s)

    async def _look_up_jwt(self, key: bytes, project_id: ProjectId, token: str) -> Kept:
        kid = unverified_kid(token)
        return await self._look_up(key, lambda: self._ask_jwt(kid, project_id, token))

    async def _ask_jwt(self, kid: str, project_id: ProjectId, token: str) -> Kept:
        # The signing key stood at this position. Auth's answer may be newer, but says nothing of signing keys.
        verified_at, era = self.cache.position, self.cache.era
        known = await self._key_set_with(kid)
        claims = verify(token, project_id=project_id, issuer=known.issuer, keys=known.keys)
        request = ResolveJwt(
            project_id=project_id,
            user_id=claims.user_id,
            session_id=claims.session_id,
            jti=claims.jti,
            issued_at=claims.iat,
            generation=claims.generation,
            project_incarnation=claims.project_incarnation,
            user_incarnation=claims.user_incarnation,
            epoch=known.epoch,
        )
        resolved = await self._resolver.principal(request)
        resolved = msgspec.structs.replace(
            resolved,
            position=min(resolved.position, verified_at),
            subjects=(*resolved.subjects, subjects.signing_key(kid)),
        )
        return _answer(resolved, era=era, not_after=claims.exp)

    async def _key_set_with(self, kid: str) -> KeySet:
        # A kid that is not known may be of a key created a moment ago, of which the entry is not here yet.
        known = await self.key_set()
        if kid not in known.keys and time.monotonic() >= self._keys_requested_at + REASK_KEYS_S:
            self.cache.drop(subjects.SIGNING_KEYS)
            known = await self.key_set()
        return known

    async def _look_up(self, key: Hashable, ask: Callable[[], Awaitable[Kept]]) -> Kept:
        """Ask, and keep the answer unless the feed has spoken against it meanwhile; then ask again.

        Under a lease, requests for one credential share a look-up, even one that began before they arrived: had it
        missed a change whose barrier has passed, this replica would have applied that change, and the answer is stale.
        A fenced replica hears of no change: there, each request looks up for itself, after it has arrived.
        """
        self.cache.misses += 1
        for _ in range(ATTEMPTS):
            era = self.cache.era
            if not self.cache.is_leased():
                return await self._for_one(key, ask)
            answer = await self._shared(era, key, ask)
            if self.cache.is_leased() and self.cache.put(key, answer, era=era):
                return answer
        raise Unavailable("The caller's rights change faster than they can be read. Try again.")

    async def _shared(self, era: int, key: Hashable, ask: Callable[[], Awaitable[Kept]]) -> Kept:
        flight = self._flights.get((era, key))
        if flight is None:
            self._admit(key)
            flight = self._flights[era, key] = asyncio.ensure_future(ask())
            flight.add_done_callback(lambda _: self._flights.pop((era, key), None))
        return await asyncio.shield(flight)

    async def _for_one(self, key: Hashable, ask: Callable[[], Awaitable[Kept]]) -> Kept:
        self._admit(key)
        self._alone += 1
        try:
            return await ask()
        finally:
            self._alone -= 1

    def _admit(self, key: Hashable) -> None:
        # The keys are looked up inside a look-up of a JWT, which has been admitted.
        if self.lookups >= self._most_lookups and key != subjects.SIGNING_KEYS:
            raise Unavailable("Too many callers are being looked up. Try again.", type=ErrorType.GENERAL_BUSY)

    async def _ask_principal(self, request: ResolvePrincipal) -> Kept:
        era = self.cache.era
        return _answer(await self._resolver.principal(request), era=era)

    async def _ask_project(self, project_id: ProjectId) -> Answer:
        resolved = await self._resolver.project(project_id)
        return Answer(resolved.project, (subjects.project(project_id),), resolved.position, resolved.position)

    async def _ask_keys(self) -> Answer:
        self._keys_requested_at = time.monotonic()
        published = await self._resolver.keys()
        return Answer(_parsed(published), (subjects.SIGNING_KEYS,), published.position, published.position)


def _key_of(kind: str, project_id: ProjectId, credential: str) -> bytes:
    """Return what a credential's answer is kept under. The length tells where the project ends, whatever is in it."""
    return digest(f"{kind} {len(project_id)} {project_id} {credential}")


def _unknown_key() -> Refusal:
    return Refusal(ErrorType.USER_UNAUTHORIZED, "The API key is unknown in this project.")


def _answer(resolved: ResolvedPrincipal, *, era: int, not_after: float = 0.0) -> Kept:
    if resolved.principal is None:
        return Answer(None, resolved.subjects, resolved.position, resolved.position, not_after)
    ends = [end for end in (resolved.principal.expires_at, not_after) if end]
    principal = msgspec.structs.replace(
        resolved.principal,
        position=resolved.position,
        subjects=resolved.subjects,
        era=era,
        expires_at=min(ends, default=0.0),
    )
    return PrincipalAnswer.of(principal, not_after=not_after)


def _parsed(published: VerificationKeys) -> KeySet:
    return KeySet(published.issuer, {key.kid: PublicKey.parse(key) for key in published.keys}, published.epoch)


def _unexpired(answer: Kept) -> Principal | None:
    principal = cast("Principal | None", answer.value)
    if principal is not None and principal.expires_at and time.time() >= principal.expires_at:
        return None
    return principal
