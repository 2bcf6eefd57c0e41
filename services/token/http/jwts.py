"""JWTs over HTTP."""

from typing import Annotated, Final

import msgspec

from services.token.domain.tokens import DEFAULT_S, LONGEST_S, SHORTEST_S
from services.token.operations import tokens as operations
from services.token.operations.deps import TokenDeps
from services.token.operations.tokens import GoodJwt
from shared.contracts.ids import SessionId, UserId
from shared.kernel.errors import ErrorType
from shared.web.endpoint import Call, Caller, RateLimit, Reply, Routes
from shared.web.parameters import IdOf
from shared.web.receipts import add_receipt

routes = Routes[TokenDeps]("jwts")

RECENT: Final = "recent"

Duration = Annotated[int, msgspec.Meta(ge=SHORTEST_S, le=LONGEST_S)]
SessionChoice = Annotated[str, msgspec.Meta(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,35}|recent\(\))\Z")]


class Jwt(msgspec.Struct, frozen=True):
    """A JWT, as Appwrite's SDKs read it."""

    jwt: str


class CreateAccountJwt(msgspec.Struct, frozen=True, kw_only=True):
    """`duration` is the life of the JWT in seconds."""

    duration: Duration = DEFAULT_S


class CreateUserJwt(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`session_id` names a session of the user; `recent` (or `recent()`) is the newest."""

    user_id: IdOf[UserId]
    session_id: SessionChoice = RECENT
    duration: Duration = DEFAULT_S


class IntrospectJwt(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of RFC 7662, as form or JSON; its hint on the type of token is ignored."""

    token: str


class RevokeJwt(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of RFC 7009, as form or JSON; its hint on the type of token is ignored."""

    token: str


class Introspection(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """The answer of RFC 7662: an inactive token tells nothing more, one without a session has no `sid`."""

    active: bool
    iss: str = ""
    sub: str = ""
    aud: str = ""
    sid: str = ""
    jti: str = ""
    iat: int = 0
    nbf: int = 0
    exp: int = 0
    user_id: str = ""
    session_id: str = ""
    project_incarnation: int = 0
    user_incarnation: int = 0
    roles: tuple[str, ...] = ()
    """The roles that the user has now, in the form in which permissions name them."""

    @classmethod
    def of(cls, good: GoodJwt | None) -> "Introspection":
        """Answer for a good JWT, or for none."""
        if good is None:
            return cls(active=False)
        claims = msgspec.structs.asdict(good.claims)
        shown = {name: value for name, value in claims.items() if name in cls.__struct_fields__}
        return cls(active=True, roles=good.roles, **shown)


@routes.endpoint(
    "POST",
    "/v1/account/jwts",
    name="account.create_jwt",
    aliases=("/v1/account/jwt",),
    callers=Caller.USER,
    scopes=("account",),
    status=201,
    limit=RateLimit(120, 60, by=("url", "user")),
    auth_method="jwt",
    errors=(ErrorType.USER_JWT_CREATION_DENIED,),
)
async def create_account_jwt(call: Call[TokenDeps], params: CreateAccountJwt) -> Jwt:
    """Make a JWT from the caller's session."""
    return Jwt(await operations.create_account_jwt(call.deps, call.principal, duration_s=params.duration))


@routes.endpoint(
    "POST",
    "/v1/users/{userId}/jwts",
    name="users.create_jwt",
    callers=Caller.KEY,
    scopes=("users.write",),
    status=201,
    errors=(ErrorType.USER_NOT_FOUND, ErrorType.USER_SESSION_NOT_FOUND),
)
async def create_user_jwt(call: Call[TokenDeps], params: CreateUserJwt) -> Jwt:
    """Make a JWT for a user, bound to one of the user's sessions if there is any."""
    session_id = SessionId(RECENT if params.session_id == f"{RECENT}()" else params.session_id)
    token = await operations.create_user_jwt(
        call.deps,
        call.project.id,
        user_id=params.user_id,
        session_id=session_id,
        duration_s=params.duration,
    )
    return Jwt(token)


@routes.endpoint(
    "POST",
    "/v1/jwts/introspect",
    name="jwts.introspect",
    callers=Caller.KEY,
    scopes=("jwts.read",),
)
async def introspect_jwt(call: Call[TokenDeps], params: IntrospectJwt) -> Introspection:
    """Say whether a JWT is good at this moment, and what it claims."""
    return Introspection.of(await operations.introspect(call.deps, call.project.id, token=params.token))


@routes.endpoint(
    "POST",
    "/v1/jwts/revoke",
    name="jwts.revoke",
    callers=Caller.USER | Caller.KEY,
    scopes=("account", "jwts.write"),
    limit=RateLimit(120, 60, by=("url", "user")),
    errors=(ErrorType.USER_UNAUTHORIZED, ErrorType.REVOCATION_UNCONFIRMED),
)
async def revoke_jwt(call: Call[TokenDeps], params: RevokeJwt) -> Reply:
    """End one JWT everywhere; what is no good JWT of this project is answered alike (RFC 7009, 2.2)."""
    add_receipt(call, await operations.revoke(call.deps, call.principal, token=params.token))
    return Reply(body=b"{}")
