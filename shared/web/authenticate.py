"""The caller of a request: its credentials, in Appwrite's order, resolved by the guard.

Session secret, then JWT, then API key. A session that verifies beside a JWT is a conflict, whether or not the JWT is
good; a key outranks either. A stale session makes a guest. A bad JWT or an unknown key is an error everywhere, also
beside a good session: a page that sends a key it has made up must not act as the user of the cookie.
"""

import msgspec
from multidict import MultiMapping, istr

from shared.appwrite.cookie_scope import CookieScope
from shared.appwrite.cookies import find_secret
from shared.contracts.principal import Principal, Project, guest
from shared.guard.guard import Guard
from shared.kernel.errors import ErrorType, Refusal, Unavailable

KEY = istr("X-Appwrite-Key")
JWT = istr("X-Appwrite-JWT")
_PROJECT = istr("X-Appwrite-Project")


class Identity(msgspec.Struct, frozen=True, gc=False):
    """The caller: the principal whose rights count, and the user of the session or JWT, if any.

    `is_fallback`: neither a cookie nor `X-Appwrite-Session` gave a session secret.
    """

    principal: Principal
    user: Principal | None
    is_fallback: bool


async def identify(
    guard: Guard, project: Project, headers: MultiMapping[str], scope: CookieScope = CookieScope.DOMAIN
) -> Identity:
    """Resolve the credentials of a request; raises `Refusal` as said above, or `Unavailable`."""
    sent = find_secret(project.id, headers, scope)
    user = None if sent.secret is None else await guard.session(project.id, sent.secret)
    token = headers.get(JWT)
    if token:
        if user is not None:
            raise Refusal(ErrorType.USER_JWT_AND_COOKIE_SET)
        user = await guard.jwt(project.id, token)
    secret = headers.get(KEY)
    principal = await _key(guard, project, headers, secret) if secret else user
    for one in (principal, user):
        # Both may be right and yet apart: the project may be deleted and made again between the two look-ups.
        if one is not None and one.project_incarnation != project.incarnation:
            raise Unavailable("The project has been created again in the meantime. Try again.")
    return Identity(principal or guest(project.id), user, sent.is_fallback)


async def _key(guard: Guard, project: Project, headers: MultiMapping[str], secret: str) -> Principal:
    if headers.get(_PROJECT) != project.id:
        raise Refusal(ErrorType.PROJECT_ID_MISSING)
    return await guard.key(project.id, secret)
