"""The account service: what users do with themselves."""

from typing import Annotated

import msgspec

from services.auth.http.models import Account, account
from services.auth.operations import users as operations
from services.auth.operations.deps import AuthDeps
from shared.kernel.errors import ErrorType
from shared.web.endpoint import Call, Caller, RateLimit, Routes
from shared.web.parameters import CustomId

routes = Routes[AuthDeps]("account")

SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 256

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Email = Annotated[str, msgspec.Meta(min_length=1, max_length=320)]
Password = Annotated[str, msgspec.Meta(min_length=SHORTEST_PASSWORD, max_length=LONGEST_PASSWORD)]


class CreateAccount(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A sign-up."""

    user_id: CustomId
    email: Email
    password: Password
    name: Name = ""


@routes.endpoint(
    "POST",
    "/v1/account",
    name="account.create",
    callers=Caller.ANYONE,
    scopes=("sessions.write",),
    status=201,
    limit=RateLimit(10, fail_closed=True),
    auth_method="email-password",
    errors=(ErrorType.USER_ALREADY_EXISTS, ErrorType.USER_COUNT_EXCEEDED),
)
async def create_account(call: Call[AuthDeps], params: CreateAccount) -> Account:
    """Create a user, who is not signed in by that."""
    user = await operations.create_user(
        call.deps.pool,
        call.deps.passwords,
        call.project,
        user_id=params.user_id,
        email=params.email,
        password=params.password,
        name=params.name,
        is_sign_up=True,
    )
    return account(user)


@routes.endpoint("GET", "/v1/account", name="account.get", callers=Caller.USER, scopes=("account",))
async def get_account(call: Call[AuthDeps]) -> Account:
    """Return the user who calls."""
    return account(await operations.get_user(call.deps.pool, call.project.id, call.principal.user))
