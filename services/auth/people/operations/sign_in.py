"""Every way of signing in, each of which makes a session."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import NamedTuple

from services.auth.deps import AuthDeps
from services.auth.mail.domain.emails import normal_email
from services.auth.people.domain.records import Client, NewSession, NewUser, Session, User
from services.auth.people.operations.guesses import Guesses
from services.auth.people.operations.pace import Pace
from services.auth.people.operations.users import create_user
from services.auth.people.store import sessions as store
from services.auth.people.store import tokens, users
from services.auth.projects.store import projects
from shared.appwrite.clientinfo import network_of
from shared.contracts import subjects
from shared.contracts.credentials import SessionSecret, digest
from shared.contracts.ids import NO_USER, ProjectId, SessionId, UserId
from shared.contracts.principal import Project
from shared.contracts.reasons import Reason
from shared.guard.changing import Change, SystemActor, changing, require_lease
from shared.guard.receipt import Receipt
from shared.kernel.clock import now
from shared.kernel.errors import ArgumentInvalid, ErrorType, Refusal
from shared.kernel.ids import UNIQUE, unique_id
from shared.postgres.pool import Connection
from shared.web.counts import Counts

PLACES_KEPT = timedelta(days=30)
"""For so long a place where a user has signed in is known."""


class SignedIn(NamedTuple):
    """A new session, the only copy of its secret, and the receipt where an older session had to go for it."""

    session: Session
    secret: SessionSecret
    receipt: Receipt | None


class Whose(NamedTuple):
    """Whose session it is to be: a user, of the incarnation that has been verified; None: whichever there is."""

    user_id: UserId
    incarnation: int | None = None

    @classmethod
    def of(cls, user: User) -> "Whose":
        """Return a user as it was read."""
        return cls(user.id, user.incarnation)


class SignIn(NamedTuple):
    """How a session came about: Appwrite's `provider`, `providerUid` and `factors`; and the client.

    `duration_s` is how long it lives, None: as long as the project says.
    """

    provider: str
    provider_uid: str
    factors: list[str]
    client: Client
    duration_s: int | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a user signs in by; `duration_s` is how long the session lives, None: as long as the project says."""

    email: str
    password: str = field(repr=False)
    duration_s: int | None = None


async def create_email_session(
    deps: AuthDeps, project: Project, *, credentials: Credentials, client: Client, counts: Counts | None
) -> SignedIn:
    """Sign in by e-mail and password; an unknown address takes as long as a wrong password, and answers the same.

    Raises `ArgumentInvalid` for what is no address or longer than the project's sessions live,
    `Refusal(USER_INVALID_CREDENTIALS)`, `Refusal(USER_BLOCKED)`, `Refusal(GENERAL_RATE_LIMIT_EXCEEDED)`, `Unavailable`.
    """
    password, duration_s = credentials.password, credentials.duration_s
    address = normal_email("email", credentials.email)
    guesses = Guesses(counts)
    if duration_s is not None and duration_s > project.session_duration_s:
        raise ArgumentInvalid(
            "duration", f"Value must not exceed {project.session_duration_s}, the project's session duration"
        )
    async with deps.pool.acquire() as connection:
        user = await users.find_user_by_email(connection, project.id, address)
        slowest = await users.find_slowest_hash(connection, project.id)
    await guesses.admit(project.id, address, partial(_has_signed_in_from, deps, project.id, user, client.ip))
    known = None if user is None else user.password_hash
    if not await deps.passwords.verify(password, known, slowest=slowest) or user is None or known is None:
        raise Refusal(ErrorType.USER_INVALID_CREDENTIALS)
    await guesses.take_back(project.id, address)
    await Pace(counts).step(project.id, user.id, "sign-in")  # each may end an older session
    if not user.enabled:
        raise Refusal(ErrorType.USER_BLOCKED)
    await _rehash(deps, user, password, known)
    sign_in = SignIn("email", address, ["password"], client, duration_s)

    async def prove(connection: Connection) -> None:
        # A password that was changed since it was verified has ended all sessions: this one must not come after.
        if not await users.lock_password(connection, user):
            raise Refusal(ErrorType.USER_INVALID_CREDENTIALS)

    return await _sign_in(deps, project, whose=Whose.of(user), sign_in=sign_in, prove=prove)


async def create_anonymous_session(deps: AuthDeps, project: Project, *, client: Client) -> SignedIn:
    """Make a user without any address, and sign in. Raises `Refusal(USER_COUNT_EXCEEDED)`, `Unavailable`."""
    user = await create_user(deps, project, new=NewUser(id=UserId(UNIQUE)), is_sign_up=True)
    sign_in = SignIn("anonymous", "", ["anonymous"], client)
    return await _sign_in(deps, project, whose=Whose.of(user), sign_in=sign_in)


async def create_token_session(
    deps: AuthDeps, project: Project, *, user_id: UserId, secret: str, client: Client
) -> SignedIn:
    """Exchange a login token for a session; a wrong one counts against those that the user has.

    Raises `Refusal(USER_INVALID_TOKEN)`, `Refusal(USER_BLOCKED)`, `Unavailable`.
    """
    async with deps.pool.acquire() as connection, connection.transaction():
        is_right = await tokens.try_token(connection, project.id, user_id, digest(secret))
    if not is_right:
        raise Refusal(ErrorType.USER_INVALID_TOKEN)

    async def prove(connection: Connection) -> None:
        if not await tokens.take_token(connection, project.id, user_id, digest(secret)):
            raise Refusal(ErrorType.USER_INVALID_TOKEN)

    sign_in = SignIn("token", "", ["token"], client)
    return await _sign_in(deps, project, whose=Whose(user_id), sign_in=sign_in, prove=prove)


async def create_user_session(deps: AuthDeps, project: Project, *, user_id: UserId, client: Client) -> SignedIn:
    """Make a session for a user, by a key; it ends no other. Raises `Refusal(USER_NOT_FOUND)`."""
    async with deps.pool.acquire() as connection, connection.transaction():
        await projects.hold_project(connection, project.id, project.incarnation)
        sign_in = SignIn("server", "", ["server"], client)
        return await _insert(connection, project, Whose(user_id), sign_in)


async def add_session(deps: AuthDeps, change: Change, *, project: Project, whose: Whose, sign_in: SignIn) -> SignedIn:
    """Make a session within a change that has locked the user, and end the oldest ones beyond the project's limit.

    Raises `Refusal(USER_NOT_FOUND)`; `Unavailable` where the oldest session must end and that could not be confirmed.
    """
    signed_in = await _insert(change.connection, project, whose, sign_in)
    await users.touch(change.connection, project.id, whose.user_id)
    await _evict(deps, change, project, whose.user_id)
    return signed_in


def signing_in(project_id: ProjectId, user_id: UserId) -> SystemActor:
    """Return the actor of what a sign-in ends: the user."""
    return SystemActor(project_id, f"user:{user_id}")


async def _has_signed_in_from(deps: AuthDeps, project_id: ProjectId, user: User | None, ip: str) -> bool:
    """Return whether a user has signed in from a network lately; without a user, False after as long."""
    async with deps.pool.acquire() as connection:
        places = await store.list_places(
            connection, project_id, NO_USER if user is None else user.id, within=PLACES_KEPT
        )
    return network_of(ip) in {network_of(place) for place in places}


async def _sign_in(
    deps: AuthDeps,
    project: Project,
    *,
    whose: Whose,
    sign_in: SignIn,
    prove: Callable[[Connection], Awaitable[None]] | None = None,
) -> SignedIn:
    """Make a session once `prove`, under the user's lock, finds that what signs in has not been ended meanwhile.

    That it is made does not wait for ever until the oldest session, where that has to go, is gone everywhere.
    """
    actor = signing_in(project.id, whose.user_id)
    async with changing(deps, actor, Reason.SESSION_EVICTED, may_stay_pending=True) as change:
        may_sign_in = await users.lock_sign_in(change.connection, project.id, whose.user_id, whose.incarnation)
        if prove is not None:
            await prove(change.connection)
        if not may_sign_in:
            raise Refusal(ErrorType.USER_BLOCKED)
        signed_in = await add_session(deps, change, project=project, whose=whose, sign_in=sign_in)
    return signed_in._replace(receipt=change.receipt)


async def _insert(connection: Connection, project: Project, whose: Whose, sign_in: SignIn) -> SignedIn:
    secret = SessionSecret.new(whose.user_id)
    new = NewSession(
        project_id=project.id,
        id=SessionId(unique_id()),
        user_id=whose.user_id,
        incarnation=whose.incarnation,
        secret_digest=secret.digest(),
        provider=sign_in.provider,
        provider_uid=sign_in.provider_uid,
        factors=sign_in.factors,
        client=sign_in.client,
        expires_at=now() + timedelta(seconds=sign_in.duration_s or project.session_duration_s),
    )
    return SignedIn(await store.insert_session(connection, new), secret, None)


async def _evict(deps: AuthDeps, change: Change, project: Project, user_id: UserId) -> None:
    """Delete the oldest sessions beyond the project's limit; refused before the commit where none could confirm it."""
    surplus = await store.list_surplus(change.connection, project.id, user_id, project.session_limit)
    if surplus:
        require_lease(deps.guard)
        await store.delete_sessions(change.connection, project.id, user_id, surplus)
        change.revoke(*(subjects.session(project.id, id_) for id_ in surplus), reason=Reason.SESSION_EVICTED)


async def _rehash(deps: AuthDeps, user: User, password: str, known: str) -> None:
    if deps.passwords.is_outdated(known):
        new_hash = await deps.passwords.hash(password)
        async with deps.pool.acquire() as connection:
            await users.replace_hash(connection, user, new_hash)
