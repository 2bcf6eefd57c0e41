"""The account service: what users do with themselves."""

from typing import Annotated

import msgspec

from services.auth.deps import AuthDeps
from services.auth.people.domain.records import NewUser
from services.auth.people.http.models import Account, account_model
from services.auth.people.http.prefs import Prefs, encode_prefs
from services.auth.people.http.sessions import await_own_revocation
from services.auth.people.operations import account as own
from services.auth.people.operations import users as operations
from shared.contracts.ids import UserId
from shared.kernel.errors import ErrorType
from shared.web.bodies import MEDIUM_BODY_BYTES
from shared.web.endpoint import Call, Caller, RateLimit, Routes
from shared.web.parameters import CustomIdOf
from shared.web.receipts import add_receipt, with_receipt

routes = Routes[AuthDeps]("account")

SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 256

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Email = Annotated[str, msgspec.Meta(min_length=1, max_length=320)]
Phone = Annotated[str, msgspec.Meta(pattern=r"^\+[1-9][0-9]{1,14}\Z", description="must be a phone number of E.164")]
Password = Annotated[str, msgspec.Meta(min_length=SHORTEST_PASSWORD, max_length=LONGEST_PASSWORD)]

NOT_RECENT = ErrorType.USER_RECENT_SIGN_IN_REQUIRED
GUESSES = RateLimit(10, by=("user",), fail_closed=True)
"""Of a password that must be repeated: a session alone must not be enough to try them all."""


class CreateAccount(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A sign-up."""

    user_id: CustomIdOf[UserId]
    email: Email
    password: Password
    name: Name = ""


class UpdateName(msgspec.Struct, frozen=True, kw_only=True):
    """A new name."""

    name: Name


class UpdateEmail(msgspec.Struct, frozen=True, kw_only=True):
    """A new address, and the password; for who has none yet, a first one."""

    email: Email
    password: Password


class UpdatePhone(msgspec.Struct, frozen=True, kw_only=True):
    """A new phone number, and the password as in UpdateEmail."""

    phone: Phone
    password: Password


class UpdatePassword(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A new password, and the old one of who has set one before."""

    password: Password
    old_password: Annotated[str, msgspec.Meta(max_length=LONGEST_PASSWORD)] = ""


class UpdatePrefs(msgspec.Struct, frozen=True, kw_only=True):
    """All preferences that the user is to have."""

    prefs: Prefs


@routes.endpoint(
    "POST",
    "/v1/account",
    name="account.create",
    callers=Caller.ANYONE,
    scopes=("sessions.write",),
    status=201,
    limit=RateLimit(10, fail_closed=True, may_spare_local=True),
    auth_method="email-password",
    errors=(ErrorType.USER_ALREADY_EXISTS, ErrorType.USER_COUNT_EXCEEDED),
)
async def create_account(call: Call[AuthDeps], params: CreateAccount) -> Account:
    """Create a user, who is not signed in by that."""
    new = NewUser(id=params.user_id, name=params.name, email=params.email)
    user = await operations.create_user(call.deps, call.project, new=new, password=params.password, is_sign_up=True)
    return account_model(user)


@routes.endpoint("GET", "/v1/account", name="account.get", callers=Caller.USER, scopes=("account",))
async def get_account(call: Call[AuthDeps]) -> Account:
    """Return the user who calls."""
    return account_model(await operations.get_user(call.deps, call.project.id, user_id=call.principal.user_id))


@routes.endpoint(
    "DELETE",
    "/v1/account",
    name="account.delete",
    callers=Caller.USER,
    scopes=("account",),
    status=204,
    before_refusal=await_own_revocation,
    errors=(ErrorType.REVOCATION_UNCONFIRMED, NOT_RECENT),
)
async def delete_account(call: Call[AuthDeps]) -> None:
    """Delete the user who calls, with all sessions and JWTs, everywhere."""
    await own.require_recent_sign_in(call.deps, call.principal, project=call.project)
    call.clear_session_cookies()
    receipt = await operations.delete_user(
        call.deps, call.principal, user_id=call.principal.user_id, incarnation=call.principal.incarnation
    )
    add_receipt(call, receipt)


@routes.endpoint("PATCH", "/v1/account/name", name="account.update_name", callers=Caller.USER, scopes=("account",))
async def update_name(call: Call[AuthDeps], params: UpdateName) -> Account:
    """Rename the user who calls."""
    return account_model(await own.update_name(call.deps, call.principal, name=params.name))


@routes.endpoint(
    "PATCH",
    "/v1/account/email",
    name="account.update_email",
    callers=Caller.USER,
    scopes=("account",),
    before_refusal=await_own_revocation,
    limit=GUESSES,
    errors=(ErrorType.USER_INVALID_CREDENTIALS, ErrorType.USER_TARGET_ALREADY_EXISTS, NOT_RECENT),
)
async def update_email(call: Call[AuthDeps], params: UpdateEmail) -> Account:
    """Change the address of the user who calls, no longer verified then; by the policy that ends all other sessions."""
    changed = await own.update_email(
        call.deps, call.principal, project=call.project, email=params.email, password=params.password
    )
    return account_model(with_receipt(call, changed))


@routes.endpoint(
    "PATCH",
    "/v1/account/phone",
    name="account.update_phone",
    callers=Caller.USER,
    scopes=("account",),
    before_refusal=await_own_revocation,
    limit=GUESSES,
    errors=(ErrorType.USER_INVALID_CREDENTIALS, ErrorType.USER_TARGET_ALREADY_EXISTS, NOT_RECENT),
)
async def update_phone(call: Call[AuthDeps], params: UpdatePhone) -> Account:
    """Change the phone number of the user who calls; else as with the address."""
    changed = await own.update_phone(
        call.deps, call.principal, project=call.project, phone=params.phone, password=params.password
    )
    return account_model(with_receipt(call, changed))


@routes.endpoint(
    "PATCH",
    "/v1/account/password",
    name="account.update_password",
    callers=Caller.USER,
    scopes=("account",),
    before_refusal=await_own_revocation,
    limit=GUESSES,
    errors=(ErrorType.USER_INVALID_CREDENTIALS, ErrorType.REVOCATION_UNCONFIRMED, NOT_RECENT),
)
async def update_password(call: Call[AuthDeps], params: UpdatePassword) -> Account:
    """Change the password of the user who calls; by the project's policy that ends all other sessions, everywhere."""
    changed = await own.update_password(
        call.deps, call.principal, project=call.project, password=params.password, old_password=params.old_password
    )
    return account_model(with_receipt(call, changed))


@routes.endpoint("GET", "/v1/account/prefs", name="account.get_prefs", callers=Caller.USER, scopes=("account",))
async def get_prefs(call: Call[AuthDeps]) -> bytes:
    """Return the preferences of the user who calls."""
    return bytes((await operations.get_user(call.deps, call.project.id, user_id=call.principal.user_id)).prefs)


@routes.endpoint(
    "PATCH",
    "/v1/account/prefs",
    name="account.update_prefs",
    callers=Caller.USER,
    scopes=("account",),
    max_body_bytes=MEDIUM_BODY_BYTES,
)
async def update_prefs(call: Call[AuthDeps], params: UpdatePrefs) -> Account:
    """Replace the preferences of the user who calls."""
    return account_model(await own.update_prefs(call.deps, call.principal, prefs=encode_prefs(params.prefs)))


@routes.endpoint(
    "PATCH",
    "/v1/account/status",
    name="account.update_status",
    callers=Caller.USER,
    scopes=("account",),
    before_refusal=await_own_revocation,
    errors=(ErrorType.REVOCATION_UNCONFIRMED, NOT_RECENT),
)
async def update_status(call: Call[AuthDeps]) -> Account:
    """Block the user who calls, everywhere; only a key can undo that."""
    await own.require_recent_sign_in(call.deps, call.principal, project=call.project)
    call.clear_session_cookies()
    changed = await operations.update_status(call.deps, call.principal, user_id=call.principal.user_id, enabled=False)
    return account_model(with_receipt(call, changed))
