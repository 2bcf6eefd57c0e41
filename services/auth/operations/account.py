"""What users change of themselves. Whose session is deleted meanwhile changes nothing."""

from services.auth.domain.emails import normal_email
from services.auth.domain.records import User
from services.auth.operations.deps import AuthDeps
from services.auth.operations.revoking import confirm_pending, confirmed, require_lease, tell
from services.auth.operations.users import wrong_password
from services.auth.store import sessions
from services.auth.store import users as store
from shared.contracts import subjects
from shared.contracts.principal import Kind, Principal, Project
from shared.guard.receipt import Receipt
from shared.kernel.clock import now
from shared.kernel.errors import Unavailable
from shared.postgres.pool import Connection


async def update_name(deps: AuthDeps, principal: Principal, name: str) -> User:
    """Rename the user who calls; raises `Refusal(USER_NOT_FOUND)`, `Unavailable`."""
    return await _update(deps, principal, store.Changes(name=name))


async def update_prefs(deps: AuthDeps, principal: Principal, prefs: str) -> User:
    """Replace the preferences, a JSON object, of the user who calls; raises as `update_name`."""
    return await _update(deps, principal, store.Changes(prefs=prefs))


async def update_email(deps: AuthDeps, principal: Principal, *, email: str, password: str) -> tuple[User, Receipt]:
    """Give the user who calls another address, not verified yet; who has no password is given this one.

    Raises `Refusal(USER_INVALID_CREDENTIALS)`, `Refusal(USER_TARGET_ALREADY_EXISTS)` (also for the address that the
    user has), `ArgumentInvalid`, `Unavailable`.
    """
    address = normal_email("email", email)
    changes = store.Changes(email=address, email_verified=False)
    return await _update_target(deps, principal, "user.email", changes, password=password)


async def update_phone(deps: AuthDeps, principal: Principal, *, phone: str, password: str) -> tuple[User, Receipt]:
    """Give the user who calls another phone number; else as `update_email`."""
    changes = store.Changes(phone=phone, phone_verified=False)
    return await _update_target(deps, principal, "user.phone", changes, password=password)


async def update_password(
    deps: AuthDeps, project: Project, principal: Principal, *, password: str, old_password: str
) -> tuple[User, Receipt | None]:
    """Give the user who calls another password; who never set one needs no old one.

    Where the project's policy says so this ends the user's sessions but the one that calls. A JWT is no session: what
    it changes ends none. Raises `Refusal(USER_INVALID_CREDENTIALS)`, `Unavailable`.
    """
    ends_others = project.session_invalidation and principal.kind is Kind.SESSION
    if ends_others:
        require_lease(deps.guard)
    known = await _known(deps, principal)
    if known.password_updated_at is not None:
        await _prove(deps, known, old_password)
    new_hash = await deps.passwords.hash(password)
    ticket = None
    async with deps.pool.acquire() as connection, connection.transaction():
        changes = store.Changes(password_hash=new_hash, password_updated_at=now())
        user = await _change(connection, principal, known, changes)
        if ends_others:
            await sessions.delete_all_sessions(connection, known.project, known.id, kept=principal.session)
            named = subjects.user(known.project, known.id)
            ticket = await tell(connection, "user.password", named, by=principal.who)
    return user, await confirmed(deps.revocations, ticket)


async def _update(deps: AuthDeps, principal: Principal, changes: store.Changes) -> User:
    async with deps.pool.acquire() as connection, connection.transaction():
        await _hold_session(connection, principal)
        return await store.update_user(connection, principal.project, principal.user, **changes)


async def _update_target(
    deps: AuthDeps, principal: Principal, reason: str, changes: store.Changes, *, password: str
) -> tuple[User, Receipt]:
    require_lease(deps.guard)  # who was verified loses roles by this
    known = await _known(deps, principal)
    if known.password_updated_at is not None:
        await _prove(deps, known, password)
    else:
        changes["password_hash"] = await deps.passwords.hash(password)
        changes["password_updated_at"] = now()
    if changes.get("email", "") == known.email or changes.get("phone", "") == known.phone:
        raise store.target_taken()
    async with deps.pool.acquire() as connection, connection.transaction():
        user = await _change(connection, principal, known, changes)
        ticket = await tell(connection, reason, subjects.user(known.project, known.id), by=principal.who)
    return user, await deps.revocations.confirm(ticket)


async def _known(deps: AuthDeps, principal: Principal) -> User:
    async with deps.pool.acquire() as connection:
        return await store.get_user(connection, principal.project, principal.user)


async def _prove(deps: AuthDeps, known: User, password: str) -> None:
    if not await deps.passwords.verify(password, known.password_hash):
        # Whoever repeats a change that was not confirmed is told so by this, and takes it for done.
        await confirm_pending(deps.pool, deps.revocations, subjects.user(known.project, known.id))
        raise wrong_password()


async def _change(connection: Connection, principal: Principal, known: User, changes: store.Changes) -> User:
    """Change a user, if the password and the session that were checked still stand: hashing takes long."""
    if not await store.lock_password(connection, known):
        raise wrong_password()
    await _hold_session(connection, principal)
    return await store.update_user(connection, known.project, known.id, **changes)


async def _hold_session(connection: Connection, principal: Principal) -> None:
    session = principal.session
    if session and not await sessions.hold_session(connection, principal.project, principal.user, session):
        raise Unavailable("What the caller may do has changed. Try again.")
