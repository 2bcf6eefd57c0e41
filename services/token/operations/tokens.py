"""JWTs: made for sessions and users, and looked into for backends that cannot see whether they still stand."""

import time
import uuid
from typing import NamedTuple

from services.token.domain.tokens import Bearer, claims_for
from services.token.operations.deps import TokenDeps
from shared.contracts.claims import Claims
from shared.contracts.ids import ProjectId, SessionId, UserId
from shared.contracts.principal import Kind, Principal
from shared.contracts.requests import FindSession
from shared.contracts.revocations import RevokeJwt
from shared.guard.jwt import verify
from shared.guard.receipt import Receipt
from shared.kernel.errors import ErrorType, Refusal


async def create_account_jwt(deps: TokenDeps, principal: Principal, *, duration_s: int) -> str:
    """Make a JWT from the caller's session. Raises `Refusal(USER_JWT_CREATION_DENIED)` where the caller is a JWT."""
    if principal.kind is Kind.JWT:
        raise Refusal(ErrorType.USER_JWT_CREATION_DENIED)
    bearer = Bearer(
        project_id=principal.project_id,
        project_incarnation=principal.project_incarnation,
        user_id=principal.user_id,
        user_incarnation=principal.incarnation,
        session_id=principal.session_id,
    )
    return await _mint(deps, bearer, duration_s)


async def create_user_jwt(
    deps: TokenDeps, project_id: ProjectId, *, user_id: UserId, session_id: SessionId, duration_s: int
) -> str:
    """Make a JWT for any user of a project, bound to a session by id, or the newest one for `recent`.

    A user without any session gets one that only the user binds. Raises `Refusal(USER_NOT_FOUND)` or
    `Refusal(USER_SESSION_NOT_FOUND)`, and `Unavailable` where auth does not answer.
    """
    session = await deps.bus.ask(FindSession(project_id=project_id, user_id=user_id, session_id=session_id))
    bearer = Bearer(
        project_id=project_id,
        project_incarnation=session.project_incarnation,
        user_id=user_id,
        user_incarnation=session.user_incarnation,
        session_id=session.session_id,
        generation=session.generation,
    )
    return await _mint(deps, bearer, duration_s)


class GoodJwt(NamedTuple):
    """The claims of a JWT, and the roles that its bearer has now."""

    claims: Claims
    roles: tuple[str, ...]


async def introspect(deps: TokenDeps, project_id: ProjectId, *, token: str) -> GoodJwt | None:
    """Return what a JWT of this project says that is good at this moment; None for all others.

    Good is what every service of ours would accept: its session stands, and its user is not blocked.
    """
    keyring = await deps.keyrings.current()
    try:
        claims = verify(token, project_id=project_id, issuer=keyring.issuer, keys=keyring.public)
        principal = await deps.guard.jwt(project_id, token)
    except Refusal as refusal:
        if refusal.type is ErrorType.USER_JWT_INVALID:
            return None
        raise
    return None if principal is None or principal.blocked else GoodJwt(claims, principal.roles)


async def revoke(deps: TokenDeps, principal: Principal, *, token: str) -> Receipt | None:
    """End one JWT, refused everywhere on return; None, and nothing is done, for what is no good JWT of this project.

    A user may end JWTs of their own, a key any. Raises `Refusal(USER_UNAUTHORIZED)`, `Unavailable`.
    """
    keyring = await deps.keyrings.current()
    try:
        claims = verify(token, project_id=principal.project_id, issuer=keyring.issuer, keys=keyring.public)
    except Refusal:
        return None
    if principal.kind is not Kind.KEY and principal.user_id != claims.sub:
        raise Refusal(ErrorType.USER_UNAUTHORIZED, "The JWT belongs to another user.")
    revoked = await deps.bus.ask(RevokeJwt(jti=claims.jti, exp=claims.exp, by=principal.who))
    return await deps.revocations.confirm(uuid.UUID(revoked.ticket))


async def _mint(deps: TokenDeps, bearer: Bearer, duration_s: int) -> str:
    keyring = await deps.keyrings.current()
    claims = claims_for(issuer=keyring.issuer, bearer=bearer, duration_s=duration_s, now=time.time())
    return keyring.signer.sign(claims)
