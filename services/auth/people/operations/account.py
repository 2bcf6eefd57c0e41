"""Changes users make to their own account. If the session or JWT ends meanwhile, the change is refused."""

from services.auth.deps import AuthDeps
from services.auth.mail.domain.emails import normal_email
from services.auth.mail.domain.phones import check_phone
from services.auth.people.domain.records import User
from services.auth.people.operations.users import gives_up_address
from services.auth.people.store import sessions
from services.auth.people.store import users as store
from services.auth.revocations.operations.endings import end_all
from shared.contracts import subjects
from shared.contracts.principal import Principal, Project
from shared.contracts.reasons import Reason
from shared.guard.changing import Change, Changed, changing, confirm_pending, require_lease
from shared.kernel.clock import now
from shared.kernel.errors import ErrorType, Refusal, Unavailable
from shared.postgres.pool import Connection


async def update_name(deps: AuthDeps, principal: Principal, *, name: str) -> User:
    """Rename the user who calls; raises `Refusal(USER_NOT_FOUND)`, `Unavailable`."""
    return await _update(deps, principal, store.Changes(name=name))


async def update_prefs(deps: AuthDeps, principal: Principal, *, prefs: str) -> User:
    """Replace the preferences, a JSON object, of the user who calls; raises as `update_name`."""
    return await _update(deps, principal, store.Changes(prefs=prefs))


async def update_email(
    deps: AuthDeps, principal: Principal, *, project: Project, email: str, password: str
) -> Changed[User]:
    """Give the user who calls another address, not verified yet; a user without a password gets this one.

    Where the project's policy says so this ends the user's sessions but the one that calls. Raises
    `Refusal(USER_INVALID_CREDENTIALS)`, `Refusal(USER_TARGET_ALREADY_EXISTS)` (also for the address that the user
    has), `ArgumentInvalid`, `Unavailable`.
    """
    address = normal_email("email", email)
    changes = store.Changes(email=address, email_verified=False)
    return await _update_target(deps, principal, Reason.USER_EMAIL, changes, project=project, password=password)


async def update_phone(
    deps: AuthDeps, principal: Principal, *, project: Project, phone: str, password: str
) -> Changed[User]:
    """Give the user who calls another phone number; else as `update_email`."""
    check_phone("phone", phone)
    changes = store.Changes(phone=phone, phone_verified=False)
    return await _update_target(deps, principal, Reason.USER_PHONE, changes, project=project, password=password)


async def update_password(
    deps: AuthDeps, principal: Principal, *, project: Project, password: str, old_password: str
) -> Changed[User]:
    """Give the user who calls another password; a user who never set one needs no old one.

    Where the project's policy says so this ends the user's sessions but the one that calls, or that the JWT that calls
    was made from. Raises `Refusal(USER_INVALID_CREDENTIALS)`, `Unavailable`.
    """
    ends_sessions = project.session_invalidation
    if ends_sessions:
        require_lease(deps.guard)  # before a password is tried
    known = await _known(deps, principal)
    if known.password_updated_at is not None:
        await _prove(deps, known, old_password)
    else:
        await require_recent_sign_in(deps, principal, project=project)
    new_hash = await deps.passwords.hash(password)
    async with changing(deps, principal, Reason.USER_PASSWORD, side_effect=ends_sessions) as change:
        changes = store.Changes(password_hash=new_hash, password_updated_at=now())
        user = await _change(change, principal, known, changes)
        if ends_sessions:
            await end_all(change, principal.user_id, kept=principal.session_id)
    return Changed(user, change.receipt)


async def require_recent_sign_in(deps: AuthDeps, principal: Principal, *, project: Project) -> None:
    """Refuse a caller whose sign-in lies longer back than the project allows for what ends or takes over an account.

    Raises `Refusal(USER_RECENT_SIGN_IN_REQUIRED)`; also for a JWT that is bound to no session.
    """
    if not project.recent_sign_in_s:
        return
    async with deps.pool.acquire() as connection:
        if await sessions.has_signed_in(connection, principal, within_s=project.recent_sign_in_s):
            return
    raise Refusal(
        ErrorType.USER_RECENT_SIGN_IN_REQUIRED,
        f"Sign in again: the project requires a sign-in within the last {project.recent_sign_in_s} seconds for this.",
    )


async def _update(deps: AuthDeps, principal: Principal, changes: store.Changes) -> User:
    async with deps.pool.acquire() as connection, connection.transaction():
        await _hold(connection, principal)
        return await store.update_user(connection, principal.project_id, principal.user_id, **changes)


async def _update_target(
    deps: AuthDeps, principal: Principal, reason: Reason, changes: store.Changes, *, project: Project, password: str
) -> Changed[User]:
    require_lease(deps.guard)  # before a password is tried
    known = await _known(deps, principal)
    if known.password_updated_at is not None:
        await _prove(deps, known, password)
    else:
        await require_recent_sign_in(deps, principal, project=project)
        changes["password_hash"] = await deps.passwords.hash(password)
        changes["password_updated_at"] = now()
    if changes.get("email", "") == known.email or changes.get("phone", "") == known.phone:
        raise Refusal(ErrorType.USER_TARGET_ALREADY_EXISTS)
    about = subjects.user(known.project_id, known.id)
    # A user who was verified loses roles by this.
    async with changing(deps, principal, reason, about, side_effect=True) as change:
        user = await _change(change, principal, known, changes)
        if project.session_invalidation and (gives_up_address(known, changes) or "password_hash" in changes):
            await end_all(change, principal.user_id, kept=principal.session_id)
    return Changed(user, change.receipt)


async def _known(deps: AuthDeps, principal: Principal) -> User:
    async with deps.pool.acquire() as connection:
        return await store.get_user(connection, principal.project_id, principal.user_id)


async def _prove(deps: AuthDeps, known: User, password: str) -> None:
    if not await deps.passwords.verify(password, known.password_hash):
        # A caller who repeats an unconfirmed change gets this refusal, and takes the change for done.
        await confirm_pending(deps, subjects.user(known.project_id, known.id))
        raise Refusal(ErrorType.USER_INVALID_CREDENTIALS)


async def _change(change: Change, principal: Principal, known: User, changes: store.Changes) -> User:
    """Change a user, if the password and the credential that were checked still stand: hashing takes long."""
    if not await store.lock_password(change.connection, known):
        raise Refusal(ErrorType.USER_INVALID_CREDENTIALS)
    await _hold(change.connection, principal)
    return await store.update_user(change.connection, known.project_id, known.id, **changes)


async def _hold(connection: Connection, principal: Principal) -> None:
    if not await sessions.hold_credential(connection, principal):
        raise Unavailable("The caller's rights have changed. Try again.")
