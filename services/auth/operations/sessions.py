"""Sessions: made by each way of signing in, shown, deleted; `ticket` is as in `services.auth.operations.projects`."""

import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import NamedTuple

from services.auth.domain.emails import normal_email
from services.auth.domain.records import Session, User
from services.auth.operations.ending import end_all
from services.auth.operations.guesses import Guesses
from services.auth.operations.pace import Pace
from services.auth.operations.passwords import Passwords
from services.auth.operations.revoking import confirm_pending, confirmed, require_lease, settled, tell
from services.auth.operations.users import create_user, wrong_password
from services.auth.store import projects, tokens, users
from services.auth.store import sessions as store
from services.auth.store.endings import end_all_of_project
from shared.contracts import subjects
from shared.contracts.credentials import SessionSecret, digest
from shared.contracts.principal import Project
from shared.contracts.requests import FoundSession
from shared.guard.barrier import Revocations
from shared.guard.guard import Guard
from shared.guard.receipt import PENDING, Receipt
from shared.kernel.clock import now
from shared.kernel.errors import ArgumentInvalid, ErrorType, Refusal, Unavailable
from shared.kernel.ids import UNIQUE, unique_id
from shared.postgres.pool import Connection, Pool
from shared.web.clientinfo import network_of

RECENT = "recent"

PLACES_KEPT = timedelta(days=30)
"""For so long a place where a user has signed in is known."""


class SignedIn(NamedTuple):
    """A new session, the only copy of its secret, and the receipt where an older session had to go for it."""

    session: Session
    secret: SessionSecret
    receipt: Receipt | None


class Ended(NamedTuple):
    """What a refused credential says of itself: its user, and its session or the digest of its session's secret."""

    user: str
    session: str = ""
    secret_digest: bytes = b""


class Whose(NamedTuple):
    """Whose session it is to be: a user, of the incarnation that has been verified; None: whichever there is."""

    user_id: str
    incarnation: int | None = None

    @classmethod
    def of(cls, user: User) -> "Whose":
        """Return a user as it was read."""
        return cls(user.id, user.incarnation)


class SignIn(NamedTuple):
    """How a session came about: Appwrite's `provider`, `providerUid` and `factors`; and the client's address.

    `duration_s` is how long it lives, None: as long as the project says.
    """

    provider: str
    provider_uid: str
    factors: list[str]
    ip: str
    duration_s: int | None = None


async def create_email_session(
    pool: Pool,
    guard: Guard,
    revocations: Revocations,
    passwords: Passwords,
    guesses: Guesses,
    pace: Pace,
    project: Project,
    *,
    email: str,
    password: str,
    ip: str,
    duration_s: int | None = None,
) -> SignedIn:
    """Sign in by e-mail and password; an unknown address takes as long as a wrong password, and answers the same.

    Raises `ArgumentInvalid` for what is no address or longer than the project's sessions live,
    `Refusal(USER_INVALID_CREDENTIALS)`, `Refusal(USER_BLOCKED)`, `Refusal(GENERAL_RATE_LIMIT_EXCEEDED)`, `Unavailable`.
    """
    address = normal_email("email", email)
    if duration_s is not None and duration_s > project.session_duration_s:
        raise ArgumentInvalid("duration", f"Value must not exceed {project.session_duration_s}, as the project says")
    async with pool.acquire() as connection:
        user = await users.find_user_by_email(connection, project.id, address)
        slowest = await users.find_slowest_hash(connection, project.id)
    await guesses.admit(project.id, address, partial(_has_signed_in_from, pool, project.id, user, ip))
    known = None if user is None else user.password_hash
    if not await passwords.verify(password, known, slowest=slowest) or user is None or known is None:
        raise wrong_password()
    await guesses.take_back(project.id, address)
    await pace.step(project.id, user.id, "sign-in")  # each may end an older session
    if not user.enabled:
        raise blocked()
    await _rehash(pool, passwords, user, password, known)
    sign_in = SignIn("email", address, ["password"], ip, duration_s)

    async def prove(connection: Connection) -> None:
        # A password that was changed since it was verified has ended all sessions: this one must not come after.
        if not await users.lock_password(connection, user):
            raise wrong_password()

    return await _sign_in(pool, guard, revocations, project, whose=Whose.of(user), sign_in=sign_in, prove=prove)


async def create_anonymous_session(
    pool: Pool, guard: Guard, revocations: Revocations, passwords: Passwords, project: Project, *, ip: str
) -> SignedIn:
    """Make a user without any address, and sign in. Raises `Refusal(USER_COUNT_EXCEEDED)`, `Unavailable`."""
    user = await create_user(pool, passwords, project, user_id=UNIQUE, is_sign_up=True)
    sign_in = SignIn("anonymous", "", ["anonymous"], ip)
    return await _sign_in(pool, guard, revocations, project, whose=Whose.of(user), sign_in=sign_in)


async def create_token_session(
    pool: Pool, guard: Guard, revocations: Revocations, project: Project, *, user_id: str, secret: str, ip: str
) -> SignedIn:
    """Exchange a login token for a session; a wrong one counts against those that the user has.

    Raises `Refusal(USER_INVALID_TOKEN)`, `Refusal(USER_BLOCKED)`, `Unavailable`.
    """
    async with pool.acquire() as connection, connection.transaction():
        is_right = await tokens.try_token(connection, project.id, user_id, digest(secret))
    if not is_right:
        raise wrong_token()

    async def prove(connection: Connection) -> None:
        if not await tokens.take_token(connection, project.id, user_id, digest(secret)):
            raise wrong_token()

    sign_in = SignIn("token", "", ["token"], ip)
    return await _sign_in(pool, guard, revocations, project, whose=Whose(user_id), sign_in=sign_in, prove=prove)


async def create_user_session(pool: Pool, project: Project, *, user_id: str, ip: str) -> SignedIn:
    """Make a session for a user, by a key; it ends no other. Raises `Refusal(USER_NOT_FOUND)`."""
    async with pool.acquire() as connection, connection.transaction():
        await projects.hold_project(connection, project.id, project.incarnation)
        sign_in = SignIn("server", "", ["server"], ip)
        session, secret = await _insert(connection, project, Whose(user_id), sign_in)
    return SignedIn(session, secret, None)


async def list_sessions(pool: Pool, project: str, user_id: str) -> list[Session]:
    """Return a user's sessions, the oldest first; raises `Refusal(USER_NOT_FOUND)`."""
    async with pool.acquire() as connection:
        await users.get_user(connection, project, user_id)
        return await store.list_sessions(connection, project, user_id)


async def get_session(pool: Pool, project: str, user_id: str, session_id: str) -> Session:
    """Return a session; raises `Refusal(USER_SESSION_NOT_FOUND)`."""
    async with pool.acquire() as connection:
        return await store.get_session(connection, project, user_id, session_id)


async def update_session(
    pool: Pool, guard: Guard, revocations: Revocations, project: Project, *, user_id: str, session_id: str, by: str
) -> tuple[Session, Receipt]:
    """Let a session last as long from now as the project says: known everywhere on return, for it may be shorter.

    Raises `Refusal(USER_SESSION_NOT_FOUND)`, `Unavailable`.
    """
    require_lease(guard)
    expires_at = now() + timedelta(seconds=project.session_duration_s)
    async with pool.acquire() as connection, connection.transaction():
        session = await store.extend_session(connection, project.id, user_id, session_id, expires_at=expires_at)
        ticket = await tell(connection, "session.extended", subjects.session(project.id, session_id), by=by)
    return session, await revocations.confirm(ticket)


async def find_session(pool: Pool, project: str, user_id: str, session_id: str) -> FoundSession:
    """Return a session by id, or the newest for RECENT, empty where there is none; and the user's generation.

    Raises `Refusal(USER_NOT_FOUND)`, `Refusal(USER_SESSION_NOT_FOUND)`.
    """
    async with pool.acquire() as connection:
        user = await users.get_user(connection, project, user_id)
        incarnation = (await projects.get_project(connection, project)).project.incarnation
        if session_id == RECENT:
            session = await store.find_newest(connection, project, user_id)
        else:
            session = (await store.get_session(connection, project, user_id, session_id)).id
    return FoundSession(
        session=session,
        generation=user.generation,
        project_incarnation=incarnation,
        user_incarnation=user.incarnation,
    )


async def delete_session(
    pool: Pool,
    revocations: Revocations,
    *,
    project: str,
    user_id: str,
    session_id: str,
    by: str,
    ticket: uuid.UUID | None = None,
) -> Receipt:
    """Delete a session; when this returns, no replica accepts it, nor any JWT made from it.

    Raises `Refusal(USER_SESSION_NOT_FOUND)`; for a session deleted before, once that delete is in force everywhere.
    """
    session = subjects.session(project, session_id)
    async with (
        settled(pool, revocations, session, subjects.user(project, user_id)),
        pool.acquire() as connection,
        connection.transaction(),
    ):
        await store.delete_sessions(connection, project, user_id, [session_id])
        ticket = await tell(connection, "session.deleted", session, by=by, ticket=ticket)
    return await revocations.confirm(ticket)


async def delete_sessions(
    pool: Pool,
    revocations: Revocations,
    *,
    project: str,
    user_id: str,
    by: str,
    kept: str = "",
    ticket: uuid.UUID | None = None,
) -> Receipt:
    """End all by which a user signs in or acts but the session `kept`, by one entry.

    Raises `Refusal(USER_NOT_FOUND)`, `Unavailable`.
    """
    user = subjects.user(project, user_id)
    async with settled(pool, revocations, user), pool.acquire() as connection, connection.transaction():
        ticket = await end_all(connection, project, user_id, reason="sessions.deleted", by=by, kept=kept, ticket=ticket)
    return await revocations.confirm(ticket)


async def delete_sessions_of_project(
    pool: Pool, revocations: Revocations, *, project: str, by: str, ticket: uuid.UUID | None = None
) -> Receipt:
    """End, by one entry, all by which any user of a project signs in or acts; keys stay.

    Raises `Refusal(PROJECT_NOT_FOUND)`, `Unavailable`.
    """
    async with pool.acquire() as connection, connection.transaction():
        await projects.get_project(connection, project)
        await end_all_of_project(connection, project)
        ticket = await tell(connection, "project.sessions", subjects.project(project), by=by, ticket=ticket)
    return await revocations.confirm(ticket)


async def confirm_end(pool: Pool, revocations: Revocations, project: str, ended: Ended) -> None:
    """Wait until what ended a credential, if anything did, is in force everywhere: its holder may be told then."""
    async with pool.acquire() as connection:
        session = ended.session or await store.find_ended(connection, project, ended.user, ended.secret_digest)
    named = [subjects.user(project, ended.user)] + ([subjects.session(project, session)] if session else [])
    await confirm_pending(pool, revocations, *named)


async def add_session(
    connection: Connection, guard: Guard, project: Project, *, whose: Whose, sign_in: SignIn
) -> tuple[Session, SessionSecret, uuid.UUID | None]:
    """Make a session in the caller's transaction, which has locked the user; also return what is to be confirmed.

    Raises `Refusal(USER_NOT_FOUND)`; `Unavailable` where the oldest session has to go and nobody could confirm that.
    """
    session, secret = await _insert(connection, project, whose, sign_in)
    await users.touch(connection, project.id, whose.user_id)
    return session, secret, await _evict(connection, guard, project, whose.user_id)


async def _has_signed_in_from(pool: Pool, project: str, user: User | None, ip: str) -> bool:
    """Say whether a user has signed in from a network lately; nobody has, but that takes as long to say."""
    async with pool.acquire() as connection:
        places = await store.list_places(connection, project, "" if user is None else user.id, within=PLACES_KEPT)
    return network_of(ip) in {network_of(place) for place in places}


async def _sign_in(
    pool: Pool,
    guard: Guard,
    revocations: Revocations,
    project: Project,
    *,
    whose: Whose,
    sign_in: SignIn,
    prove: Callable[[Connection], Awaitable[None]] | None = None,
) -> SignedIn:
    """Make a session once `prove`, under the user's lock, finds that what signs in has not been ended meanwhile."""
    async with pool.acquire() as connection, connection.transaction():
        may_sign_in = await store.lock_user(connection, project.id, whose.user_id, whose.incarnation)
        if prove is not None:
            await prove(connection)
        if not may_sign_in:
            raise blocked()
        session, secret, ticket = await add_session(connection, guard, project, whose=whose, sign_in=sign_in)
    try:
        receipt = await confirmed(revocations, ticket)
    except Unavailable:
        receipt = PENDING  # the session is made; that the oldest is gone everywhere is confirmed later
    return SignedIn(session, secret, receipt)


def wrong_token() -> Refusal:
    """Return the refusal of a login token that is wrong, used, expired, or somebody else's."""
    return Refusal(ErrorType.USER_INVALID_TOKEN, "Invalid token passed in the request.")


def blocked() -> Refusal:
    """Return the refusal of a user who is blocked."""
    return Refusal(ErrorType.USER_BLOCKED, "The current user has been blocked.")


async def _insert(
    connection: Connection, project: Project, whose: Whose, sign_in: SignIn
) -> tuple[Session, SessionSecret]:
    secret = SessionSecret.new(whose.user_id)
    session = await store.insert_session(
        connection,
        project=project.id,
        id_=unique_id(),
        user_id=whose.user_id,
        incarnation=whose.incarnation,
        secret_digest=secret.digest(),
        provider=sign_in.provider,
        provider_uid=sign_in.provider_uid,
        factors=sign_in.factors,
        ip=sign_in.ip,
        expires_at=now() + timedelta(seconds=sign_in.duration_s or project.session_duration_s),
    )
    return session, secret


async def _evict(connection: Connection, guard: Guard, project: Project, user_id: str) -> uuid.UUID | None:
    """Delete the oldest sessions beyond the project's limit; refused before the commit where none could confirm it."""
    surplus = await store.list_surplus(connection, project.id, user_id, project.session_limit)
    if not surplus:
        return None
    require_lease(guard)
    named = [subjects.session(project.id, id_) for id_ in surplus]
    ticket = await tell(connection, "session.evicted", *named, by=f"user:{user_id}")
    await store.delete_sessions(connection, project.id, user_id, surplus)
    return ticket


async def _rehash(pool: Pool, passwords: Passwords, user: User, password: str, known: str) -> None:
    if passwords.is_outdated(known):
        new_hash = await passwords.hash(password)
        async with pool.acquire() as connection:
            await users.replace_hash(connection, user, new_hash)
