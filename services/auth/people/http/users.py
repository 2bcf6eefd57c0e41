"""The users service: what backends do with users. Every endpoint needs a key."""

from typing import Annotated

import msgspec

from services.auth.deps import AuthDeps
from services.auth.people.domain.records import NewUser
from services.auth.people.domain.users import LABEL, LONGEST_NAME, MOST_LABELS, USER_LIST_FIELDS
from services.auth.people.http.models import Token, User, UserList, user_model
from services.auth.people.http.prefs import Prefs, encode_prefs
from services.auth.people.operations import tokens
from services.auth.people.operations import users as operations
from shared.contracts.ids import UserId
from shared.kernel.clock import wire_date
from shared.kernel.errors import ErrorType
from shared.queries.lists import parse_list_query
from shared.web.bodies import MEDIUM_BODY_BYTES
from shared.web.endpoint import Call, Caller, Routes
from shared.web.parameters import CustomIdOf, IdOf
from shared.web.receipts import add_receipt, with_receipt

routes = Routes[AuthDeps]("users", {"userId": ErrorType.USER_NOT_FOUND})


READ, WRITE = ("users.read",), ("users.write",)


Name = Annotated[str, msgspec.Meta(max_length=LONGEST_NAME)]


Email = Annotated[str, msgspec.Meta(max_length=320)]


Phone = Annotated[
    str,
    msgspec.Meta(pattern=r"^(\+[1-9][0-9]{1,14})?\Z", description="must be a phone number of E.164, or empty"),
]


Password = Annotated[
    str, msgspec.Meta(pattern=r"^([\s\S]{8,256})?\Z", description="must have 8 to 256 characters, or none")
]


Label = Annotated[str, msgspec.Meta(pattern=LABEL)]


class CreateUser(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A user; all but the id may be left out."""

    user_id: CustomIdOf[UserId]
    email: Email = ""
    phone: Phone = ""
    password: Password = ""
    name: Name = ""


class ListUsers(msgspec.Struct, frozen=True, kw_only=True):
    """`queries` in the SDKs' syntax; `search` in ids, names and addresses; `total` false spares the count."""

    queries: list[str] = []
    search: Annotated[str, msgspec.Meta(max_length=256)] = ""
    total: bool = True


class UserPath(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One user."""

    user_id: IdOf[UserId]


class UpdateName(UserPath, frozen=True, kw_only=True, rename="camel"):
    """A new name; it may be empty."""

    name: Name


class UpdateEmail(UserPath, frozen=True, kw_only=True, rename="camel"):
    """A new address; empty: none."""

    email: Email


class UpdatePhone(UserPath, frozen=True, kw_only=True, rename="camel"):
    """A new phone number; empty: none."""

    number: Phone


class UpdatePassword(UserPath, frozen=True, kw_only=True, rename="camel"):
    """A new password; empty: none, and no signing in by one."""

    password: Password


class UpdatePrefs(UserPath, frozen=True, kw_only=True, rename="camel"):
    """All preferences that the user is to have."""

    prefs: Prefs


class UpdateEmailVerification(UserPath, frozen=True, kw_only=True, rename="camel"):
    """Whether the user's address is verified."""

    email_verification: bool


class UpdatePhoneVerification(UserPath, frozen=True, kw_only=True, rename="camel"):
    """Whether the user's phone number is verified."""

    phone_verification: bool


class UpdateStatus(UserPath, frozen=True, kw_only=True, rename="camel"):
    """`status` false blocks the user."""

    status: bool


class UpdateLabels(UserPath, frozen=True, kw_only=True, rename="camel"):
    """All labels that the user is to have."""

    labels: Annotated[list[Label], msgspec.Meta(max_length=MOST_LABELS)]


class CreateToken(UserPath, frozen=True, kw_only=True, rename="camel"):
    """`length` of the secret in characters, `expire` in seconds, an hour at most below 16 characters."""

    length: Annotated[int, msgspec.Meta(ge=4, le=128)] = 6
    expire: Annotated[int, msgspec.Meta(ge=60, le=31_536_000)] = 900


@routes.endpoint(
    "POST",
    "/v1/users",
    name="users.create",
    callers=Caller.KEY,
    scopes=WRITE,
    status=201,
    errors=(ErrorType.USER_ALREADY_EXISTS,),
)
async def create_user(call: Call[AuthDeps], params: CreateUser) -> User:
    """Create a user."""
    new = NewUser(id=params.user_id, name=params.name, email=params.email, phone=params.phone)
    return user_model(await operations.create_user(call.deps, call.project, new=new, password=params.password))


@routes.endpoint("GET", "/v1/users", name="users.list", callers=Caller.KEY, scopes=READ)
async def list_users(call: Call[AuthDeps], params: ListUsers) -> UserList:
    """List users."""
    query = parse_list_query(params.queries, USER_LIST_FIELDS, search=params.search, total=params.total)
    page = await operations.list_users(call.deps, call.project.id, query=query)
    return UserList(total=page.total, users=[user_model(user) for user in page.items])


@routes.endpoint("GET", "/v1/users/{userId}", name="users.get", callers=Caller.KEY, scopes=READ)
async def get_user(call: Call[AuthDeps], params: UserPath) -> User:
    """Return a user."""
    return user_model(await operations.get_user(call.deps, call.project.id, user_id=params.user_id))


@routes.endpoint("DELETE", "/v1/users/{userId}", name="users.delete", callers=Caller.KEY, scopes=WRITE, status=204)
async def delete_user(call: Call[AuthDeps], params: UserPath) -> None:
    """Delete a user, with all sessions and JWTs, everywhere."""
    add_receipt(call, await operations.delete_user(call.deps, call.principal, user_id=params.user_id))


@routes.endpoint("PATCH", "/v1/users/{userId}/name", name="users.update_name", callers=Caller.KEY, scopes=WRITE)
async def update_name(call: Call[AuthDeps], params: UpdateName) -> User:
    """Rename a user."""
    return user_model(await operations.update_name(call.deps, call.principal, user_id=params.user_id, name=params.name))


@routes.endpoint(
    "PATCH",
    "/v1/users/{userId}/email",
    name="users.update_email",
    callers=Caller.KEY,
    scopes=WRITE,
    errors=(ErrorType.USER_TARGET_ALREADY_EXISTS,),
)
async def update_email(call: Call[AuthDeps], params: UpdateEmail) -> User:
    """Change a user's address, not verified then; by the project's policy that ends all of the user's sessions."""
    changed = await operations.update_email(
        call.deps, call.principal, project=call.project, user_id=params.user_id, email=params.email
    )
    return user_model(with_receipt(call, changed))


@routes.endpoint(
    "PATCH",
    "/v1/users/{userId}/phone",
    name="users.update_phone",
    callers=Caller.KEY,
    scopes=WRITE,
    errors=(ErrorType.USER_TARGET_ALREADY_EXISTS,),
)
async def update_phone(call: Call[AuthDeps], params: UpdatePhone) -> User:
    """Change a user's phone number; else as with the address."""
    changed = await operations.update_phone(
        call.deps, call.principal, project=call.project, user_id=params.user_id, phone=params.number
    )
    return user_model(with_receipt(call, changed))


@routes.endpoint("PATCH", "/v1/users/{userId}/password", name="users.update_password", callers=Caller.KEY, scopes=WRITE)
async def update_password(call: Call[AuthDeps], params: UpdatePassword) -> User:
    """Change a user's password; by the project's policy that ends all of the user's sessions, everywhere."""
    changed = await operations.update_password(
        call.deps, call.principal, project=call.project, user_id=params.user_id, password=params.password
    )
    return user_model(with_receipt(call, changed))


@routes.endpoint("GET", "/v1/users/{userId}/prefs", name="users.get_prefs", callers=Caller.KEY, scopes=READ)
async def get_prefs(call: Call[AuthDeps], params: UserPath) -> bytes:
    """Return a user's preferences."""
    return bytes((await operations.get_user(call.deps, call.project.id, user_id=params.user_id)).prefs)


@routes.endpoint(
    "PATCH",
    "/v1/users/{userId}/prefs",
    name="users.update_prefs",
    callers=Caller.KEY,
    scopes=WRITE,
    max_body_bytes=MEDIUM_BODY_BYTES,
)
async def update_prefs(call: Call[AuthDeps], params: UpdatePrefs) -> bytes:
    """Replace a user's preferences, and return them."""
    prefs = encode_prefs(params.prefs)
    return bytes((await operations.update_prefs(call.deps, call.principal, user_id=params.user_id, prefs=prefs)).prefs)


@routes.endpoint(
    "PATCH", "/v1/users/{userId}/verification", name="users.update_email_verification", callers=Caller.KEY, scopes=WRITE
)
async def update_email_verification(call: Call[AuthDeps], params: UpdateEmailVerification) -> User:
    """Say whether a user's address is verified, which is a role, in force everywhere."""
    changed = await operations.update_email_verification(
        call.deps, call.principal, user_id=params.user_id, verified=params.email_verification
    )
    return user_model(with_receipt(call, changed))


@routes.endpoint(
    "PATCH",
    "/v1/users/{userId}/verification/phone",
    name="users.update_phone_verification",
    callers=Caller.KEY,
    scopes=WRITE,
)
async def update_phone_verification(call: Call[AuthDeps], params: UpdatePhoneVerification) -> User:
    """Say whether a user's phone number is verified; else as with the address."""
    changed = await operations.update_phone_verification(
        call.deps, call.principal, user_id=params.user_id, verified=params.phone_verification
    )
    return user_model(with_receipt(call, changed))


@routes.endpoint("PATCH", "/v1/users/{userId}/status", name="users.update_status", callers=Caller.KEY, scopes=WRITE)
async def update_status(call: Call[AuthDeps], params: UpdateStatus) -> User:
    """Block or unblock a user, everywhere."""
    changed = await operations.update_status(call.deps, call.principal, user_id=params.user_id, enabled=params.status)
    return user_model(with_receipt(call, changed))


@routes.endpoint("PUT", "/v1/users/{userId}/labels", name="users.update_labels", callers=Caller.KEY, scopes=WRITE)
async def update_labels(call: Call[AuthDeps], params: UpdateLabels) -> User:
    """Replace a user's labels, which are roles, in force everywhere."""
    changed = await operations.update_labels(call.deps, call.principal, user_id=params.user_id, labels=params.labels)
    return user_model(with_receipt(call, changed))


@routes.endpoint(
    "POST", "/v1/users/{userId}/tokens", name="users.create_token", callers=Caller.KEY, scopes=WRITE, status=201
)
async def create_token(call: Call[AuthDeps], params: CreateToken) -> Token:
    """Create a login token, to be exchanged for a session."""
    made = await tokens.create_token(
        call.deps, call.project, user_id=params.user_id, length=params.length, expire_s=params.expire
    )
    return Token(
        id=made.id,
        created_at=wire_date(made.created_at),
        user_id=params.user_id,
        secret=made.secret,
        expire=wire_date(made.expires_at),
    )
