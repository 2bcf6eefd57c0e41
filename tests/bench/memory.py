"""Memory that a replica takes for each principal it remembers, and for each mark of a feed entry."""

import gc
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from typing import NoReturn

from services.auth.domain.roles import roles_of
from shared.contracts import subjects
from shared.contracts.credentials import SessionSecret
from shared.contracts.events import PrincipalsChanged
from shared.contracts.principal import Kind, Principal
from shared.contracts.requests import ResolvedPrincipal, ResolvedProject, VerificationKeys
from shared.guard.cache import Cache
from shared.guard.feed_reader import subjects_of
from shared.guard.guard import Guard
from shared.guard.resolver import ResolvePrincipal
from shared.kernel.ids import unique_id
from shared.messaging.codec import pack, unpack
from shared.messaging.outbox import entry_bytes
from tests.bench.measures import Measure, at_most

PROJECT = "library"
COUNT = 100_000
YEAR_S = 31_536_000


class Answering:
    """Answers for any session as auth does over the bus: out of bytes, so that no two answers share anything."""

    async def principal(self, request: ResolvePrincipal) -> ResolvedPrincipal:
        user, session = request.user, unique_id()  # type: ignore[union-attr] # only sessions are asked for here
        principal = Principal(
            project=PROJECT,
            kind=Kind.SESSION,
            roles=roles_of(user, is_verified=True, labels=(), memberships=()),
            user=user,
            session=session,
            expires_at=time.time() + YEAR_S,
        )
        named = (subjects.project(PROJECT), subjects.user(PROJECT, user), subjects.session(PROJECT, session))
        return unpack(pack(ResolvedPrincipal(position=1000, subjects=named, principal=principal)), ResolvedPrincipal)

    async def project(self, _: str) -> ResolvedProject:
        return _never()

    async def keys(self) -> VerificationKeys:
        return _never()


def _never() -> NoReturn:
    raise AssertionError("nobody asks for this here")


async def measure() -> list[Measure]:
    """Bytes that Python allocated, over many entries."""
    cache = Cache()
    guard = Guard(service="data", redis_url="unix:///nowhere", resolver=Answering(), cache=cache)
    cache.extend_lease(float("inf"))

    async def remember() -> None:
        for _ in range(COUNT):
            assert await guard.session(PROJECT, SessionSecret.new(unique_id())) is not None

    async def mark() -> None:
        for number in range(1001, 1001 + COUNT):
            event = PrincipalsChanged(subjects=(subjects.session(PROJECT, unique_id()),), reason="session.deleted")
            cache.apply(number, subjects_of(entry_bytes(event)))

    principal, one_mark = await _bytes_of(remember), await _bytes_of(mark)
    detail = f"allocated by Python for {COUNT} of them"
    return [
        at_most(600, name="a principal of a session in the cache", value=principal, unit="bytes", detail=detail),
        at_most(120, name="a mark of a deleted session", value=one_mark, unit="bytes", detail=detail),
    ]


async def _bytes_of(fill: Callable[[], Awaitable[None]]) -> float:
    gc.collect()
    tracemalloc.start()
    try:
        await fill()
        gc.collect()
        return tracemalloc.get_traced_memory()[0] / COUNT
    finally:
        tracemalloc.stop()
