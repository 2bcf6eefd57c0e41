"""Users: made, shown, changed, deleted."""

import msgspec

from services.auth.deps import AuthDeps
from services.auth.mail.domain.emails import normal_email
from services.auth.mail.domain.phones import check_phone
from services.auth.passwords.domain.hashes import ForeignHash, check_argon2
from services.auth.people.domain.records import NewUser, User, UserChange
from services.auth.people.domain.roles import check_number, roles_of
from services.auth.people.domain.users import check_labels, check_name
from services.auth.people.store import users as store
from services.auth.people.store.spent_ids import is_reserved, is_spent
from services.auth.projects.store.projects import hold_project
from services.auth.revocations.operations.endings import end_all
from shared.contracts import subjects
from shared.contracts.ids import ProjectId, UserId
from shared.contracts.principal import Principal, Project
from shared.contracts.reasons import Reason
from shared.guard.changing import Actor, Change, Changed, changing, require_lease
from shared.guard.receipt import Receipt
from shared.kernel.clock import now
from shared.kernel.errors import ArgumentInvalid, ErrorType, Refusal
from shared.kernel.ids import UNIQUE, chosen_id, is_id
from shared.kernel.page import Page
from shared.queries.lists import ListQuery


async def create_user(
    deps: AuthDeps, project: Project, *, new: NewUser, password: str = "", is_sign_up: bool = False
) -> User:
    """Make a user, by a key or by sign-up (which the project's user limit binds, and which counts as activity).

    A user who signs up gets no id that a deleted user had: permissions may still name it. A hash that comes without a
    password was made elsewhere, and checked. Raises `Refusal(USER_ALREADY_EXISTS)`, `Refusal(USER_COUNT_EXCEEDED)`.
    """
    is_chosen = new.id != UNIQUE
    if new.phone:
        check_phone("phone", new.phone)
    new = msgspec.structs.replace(
        new,
        id=chosen_id(new.id),
        email=normal_email("email", new.email) if new.email else None,
        password_hash=await deps.passwords.hash(password) if password else new.password_hash,
    )
    async with deps.pool.acquire() as connection, connection.transaction():
        if is_sign_up and project.user_limit:
            if await store.lock_users(connection, project) >= project.user_limit:
                raise Refusal(ErrorType.USER_COUNT_EXCEEDED)
        else:
            await hold_project(connection, project.id, project.incarnation)
        # No guard can remember anything of a user who was not there: it remembers by secrets, which come after.
        user = await store.insert_user(connection, project.id, new, accessed_at=now() if is_sign_up else None)
        if is_sign_up and is_chosen:
            is_spent_id = await is_spent(connection, project.id, "user", user.id)
            if is_spent_id or await is_reserved(connection, project.id, user.id):
                raise Refusal(ErrorType.USER_ALREADY_EXISTS)
        return user


async def import_user(deps: AuthDeps, project: Project, *, new: NewUser, kind: ForeignHash | None, hash_: str) -> User:
    """Make a user whose password was hashed elsewhere, by this kind of hash, None: argon2.

    Raises `ArgumentInvalid` where it is none, or too expensive; `Refusal(USER_ALREADY_EXISTS)`, `Unavailable`.
    """
    if kind is None:
        kept = check_argon2(hash_)
    else:
        kept = await deps.passwords.wrap(kind, hash_)
    decoy = await deps.passwords.measure(kept)
    async with deps.pool.acquire() as connection:
        await store.keep_slowest_hash(connection, project.id, decoy.hash, decoy.seconds)
    return await create_user(deps, project, new=msgspec.structs.replace(new, password_hash=kept))


async def create_user_once(deps: AuthDeps, project: Project, *, new: NewUser) -> User:
    """Make a user whose password was hashed elsewhere; one who is there, with all of this, was made by just this.

    Raises `ArgumentInvalid`, `Refusal(USER_ALREADY_EXISTS)`.
    """
    if not is_id(new.id):
        raise ArgumentInvalid("userId", "it must be 1 to 36 characters of a-z, A-Z, 0-9, period, hyphen and underscore")
    known = check_argon2(new.password_hash) if new.password_hash else None
    try:
        return await create_user(deps, project, new=msgspec.structs.replace(new, password_hash=known))
    except Refusal as refusal:
        if refusal.type is not ErrorType.USER_ALREADY_EXISTS:
            raise
        async with deps.pool.acquire() as connection:
            user = await store.find_user(connection, project.id, new.id)
        address = normal_email("email", new.email) if new.email else None
        if user is None or (user.email, user.name, user.password_hash) != (address, new.name, known):
            raise
        return user


async def get_user(deps: AuthDeps, project_id: ProjectId, *, user_id: UserId) -> User:
    """Return a user; raises `Refusal(USER_NOT_FOUND)`."""
    async with deps.pool.acquire() as connection:
        return await store.get_user(connection, project_id, user_id)


async def list_users(deps: AuthDeps, project_id: ProjectId, *, query: ListQuery) -> Page[User]:
    """Return a page of users."""
    async with deps.pool.acquire() as connection:
        return await store.list_users(connection, project_id, query)


async def update_status(deps: AuthDeps, actor: Actor, *, user_id: UserId, enabled: bool) -> Changed[User]:
    """Block or unblock a user, in force everywhere on return; blocking ends all by which the user signs in or acts.

    Raises `Refusal(USER_NOT_FOUND)`, `Unavailable`.
    """
    reason = Reason.USER_UNBLOCKED if enabled else Reason.USER_BLOCKED
    about = subjects.user(actor.project_id, user_id)
    async with changing(deps, actor, reason, about, side_effect=enabled) as change:
        user = await store.set_enabled(change.connection, actor.project_id, user_id, enabled=enabled)
        if not enabled:
            await end_all(change, user_id)
    return Changed(user, change.receipt)


async def update_labels(deps: AuthDeps, principal: Principal, *, user_id: UserId, labels: list[str]) -> Changed[User]:
    """Replace a user's labels, in force everywhere on return; repeated ones count once.

    Raises `Refusal(USER_NOT_FOUND)`, `ArgumentInvalid` where the user would have too many roles, `Unavailable`.
    """
    unique = _checked(user_id, labels)
    about = subjects.user(principal.project_id, user_id)
    async with changing(deps, principal, Reason.USER_LABELLED, about, side_effect=True) as change:
        user = await store.set_labels(change.connection, principal.project_id, user_id, unique)
    return Changed(user, change.receipt)


async def update_user(
    deps: AuthDeps, actor: Actor, *, project: Project, user_id: UserId, user_change: UserChange
) -> Changed[User]:
    """Change several parts of a user at once, or none, in force everywhere on return.

    An address or number is as in `update_email`, unless the change says that it is verified; labels are as in
    `update_labels`. Raises what these raise.
    """
    changes = store.Changes()
    if user_change.name is not None:
        check_name(user_change.name)
        changes["name"] = user_change.name
    if user_change.email is not None:
        changes["email"] = normal_email("email", user_change.email) if user_change.email else None
        changes["email_verified"] = False
    if user_change.phone is not None:
        if user_change.phone:
            check_phone("phone", user_change.phone)
        changes["phone"] = user_change.phone or None
        changes["phone_verified"] = False
    if user_change.email_verified is not None:
        changes["email_verified"] = user_change.email_verified
    if user_change.phone_verified is not None:
        changes["phone_verified"] = user_change.phone_verified
    labels = None
    if user_change.labels is not None:
        check_labels(user_change.labels)
        labels = _checked(user_id, user_change.labels)
    about = subjects.user(project.id, user_id)
    async with changing(deps, actor, Reason.USER_UPDATED, about, side_effect=True) as change:
        user = await _change(change, changes, project=project, user_id=user_id)
        if labels is not None:
            user = await store.set_labels(change.connection, project.id, user_id, labels)
    return Changed(user, change.receipt)


async def update_name(deps: AuthDeps, principal: Principal, *, user_id: UserId, name: str) -> User:
    """Rename a user; raises `Refusal(USER_NOT_FOUND)`."""
    async with deps.pool.acquire() as connection:
        return await store.update_user(connection, principal.project_id, user_id, name=name)


async def update_prefs(deps: AuthDeps, principal: Principal, *, user_id: UserId, prefs: str) -> User:
    """Replace a user's preferences, a JSON object; raises `Refusal(USER_NOT_FOUND)`."""
    async with deps.pool.acquire() as connection:
        return await store.update_user(connection, principal.project_id, user_id, prefs=prefs)


async def update_email(
    deps: AuthDeps, principal: Principal, *, project: Project, user_id: UserId, email: str
) -> Changed[User]:
    """Give a user another address, not verified yet, or none; verified users have roles, so in force everywhere.

    Where the project's policy says so this ends all sessions of a user who had an address. Raises
    `Refusal(USER_NOT_FOUND)`, `Refusal(USER_TARGET_ALREADY_EXISTS)`, `Unavailable`.
    """
    address = normal_email("email", email) if email else None
    changes = store.Changes(email=address, email_verified=False)
    return await _update_target(deps, principal, Reason.USER_EMAIL, changes, project=project, user_id=user_id)


async def update_phone(
    deps: AuthDeps, principal: Principal, *, project: Project, user_id: UserId, phone: str
) -> Changed[User]:
    """Give a user another phone number, or none; else as `update_email`."""
    if phone:
        check_phone("number", phone)
    changes = store.Changes(phone=phone or None, phone_verified=False)
    return await _update_target(deps, principal, Reason.USER_PHONE, changes, project=project, user_id=user_id)


async def update_email_verification(
    deps: AuthDeps, principal: Principal, *, user_id: UserId, verified: bool
) -> Changed[User]:
    """Say whether a user's address is verified, in force everywhere.

    Raises `Refusal(USER_NOT_FOUND)`, `Unavailable`.
    """
    return await _update_verification(deps, principal, store.Changes(email_verified=verified), user_id=user_id)


async def update_phone_verification(
    deps: AuthDeps, principal: Principal, *, user_id: UserId, verified: bool
) -> Changed[User]:
    """Say whether a user's phone number is verified; else as `update_email_verification`."""
    return await _update_verification(deps, principal, store.Changes(phone_verified=verified), user_id=user_id)


async def update_password(
    deps: AuthDeps, principal: Principal, *, project: Project, user_id: UserId, password: str
) -> Changed[User]:
    """Give a user another password, or none; where the project's policy says so this ends all of the user's sessions.

    Raises `Refusal(USER_NOT_FOUND)`, `Unavailable`.
    """
    if project.session_invalidation:
        require_lease(deps.guard)  # before the hash, which takes long
    new_hash = await deps.passwords.hash(password) if password else None
    return await replace_hash(deps, principal, project=project, user_id=user_id, new_hash=new_hash)


async def replace_hash(
    deps: AuthDeps, actor: Actor, *, project: Project, user_id: UserId, new_hash: str | None
) -> Changed[User]:
    """Give a user the password of this hash of argon2, or none; else as `update_password`.

    Raises `ArgumentInvalid` where it is no such hash, or too expensive.
    """
    if new_hash is not None:
        check_argon2(new_hash)
    ends_sessions = project.session_invalidation
    async with changing(deps, actor, Reason.USER_PASSWORD, side_effect=ends_sessions) as change:
        changes = store.Changes(password_hash=new_hash, password_updated_at=now())
        user = await store.update_user(change.connection, project.id, user_id, **changes)
        if ends_sessions:
            await end_all(change, user_id)
    return Changed(user, change.receipt)


async def delete_user(
    deps: AuthDeps, actor: Actor, *, user_id: UserId, incarnation: int | None = None
) -> Receipt | None:
    """Delete a user with all sessions, gone everywhere on return; of this incarnation, where one is named.

    Raises `Refusal(USER_NOT_FOUND)`, `Unavailable`.
    """
    project_id = actor.project_id
    async with changing(deps, actor, Reason.USER_DELETED, subjects.user(project_id, user_id)) as change:
        connection = change.connection
        if incarnation is not None and await store.lock_sign_in(connection, project_id, user_id, incarnation) is None:
            raise Refusal(ErrorType.USER_NOT_FOUND)
        await end_all(change, user_id)
        await store.delete_user(connection, project_id, user_id)
    return change.receipt


async def _update_target(
    deps: AuthDeps, principal: Principal, reason: Reason, changes: store.Changes, *, project: Project, user_id: UserId
) -> Changed[User]:
    about = subjects.user(project.id, user_id)
    async with changing(deps, principal, reason, about, side_effect=True) as change:
        user = await _change(change, changes, project=project, user_id=user_id)
    return Changed(user, change.receipt)


async def _change(change: Change, changes: store.Changes, *, project: Project, user_id: UserId) -> User:
    """Change columns of a user; end all by which the user signs in where the project's policy says so."""
    known = await store.lock_user(change.connection, project.id, user_id)
    user = await store.update_user(change.connection, project.id, user_id, **changes)
    if project.session_invalidation and gives_up_address(known, changes):
        await end_all(change, user_id)
    return user


def _checked(user_id: UserId, labels: list[str]) -> list[str]:
    """Return labels without repetition; raises `ArgumentInvalid` where the user would have too many roles."""
    unique = list(dict.fromkeys(labels))
    check_number(roles_of(user_id, is_verified=True, labels=unique, memberships=()))
    return unique


async def _update_verification(
    deps: AuthDeps, principal: Principal, changes: store.Changes, *, user_id: UserId
) -> Changed[User]:
    about = subjects.user(principal.project_id, user_id)
    async with changing(deps, principal, Reason.USER_VERIFICATION, about, side_effect=True) as change:
        user = await store.update_user(change.connection, principal.project_id, user_id, **changes)
    return Changed(user, change.receipt)


def gives_up_address(known: User, changes: store.Changes) -> bool:
    """Say whether a change takes an e-mail address or phone number from a user who has it."""
    given_up = known.email and changes.get("email", known.email) != known.email
    return bool(given_up or (known.phone and changes.get("phone", known.phone) != known.phone))
