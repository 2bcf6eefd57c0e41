"""Session cookies, and `X-Fallback-Cookies` for browsers that keep none of ours.

A secret is looked for in the cookie, the `_legacy` cookie, `X-Appwrite-Session` and `X-Fallback-Cookies`, in that
order; the first that can be read counts, even where its session is long gone. Several `Cookie` headers are one: Apple's
SDK sends one for each cookie.
"""

import functools
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit

import msgspec
from multidict import MultiMapping, istr
from publicsuffixlist import PublicSuffixList

from shared.appwrite.clientinfo import ClientInfo, is_local
from shared.appwrite.cookie_scope import CookieScope
from shared.contracts.credentials import SessionSecret
from shared.contracts.ids import ProjectId

FALLBACK_HEADER = "X-Fallback-Cookies"
NO_FALLBACK = "[]"

_COOKIE = istr("Cookie")
_SESSION = istr("X-Appwrite-Session")
_FALLBACK = istr(FALLBACK_HEADER)
_PREFIX = "a_session_"
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class SentSecret(msgspec.Struct, frozen=True):
    """A session secret, and whether it came from the fallback header, or not at all."""

    secret: SessionSecret | None
    is_fallback: bool


NO_SECRET = SentSecret(None, is_fallback=True)


def find_secret(
    project_id: ProjectId, headers: MultiMapping[str], scope: CookieScope = CookieScope.DOMAIN
) -> SentSecret:
    """Return the session secret of a request; garbage is none."""
    sent = ";".join(headers.getall(_COOKIE, ()))
    if _PREFIX in sent:
        name = _cookie_name(project_id, scope)
        secret = _cookie(sent, name) or _cookie(sent, name + "_legacy")
        if secret is not None:
            return SentSecret(secret, is_fallback=False)
    header = headers.get(_SESSION)
    if header and (secret := SessionSecret.parse(header)) is not None:
        return SentSecret(secret, is_fallback=False)
    fallback_header = headers.get(_FALLBACK)
    if fallback_header and (secret := _fallback_secret(fallback_header, _name(project_id))) is not None:
        return SentSecret(secret, is_fallback=True)
    return NO_SECRET


def session_cookies(
    project_id: ProjectId,
    secret: str,
    expires: datetime,
    client: ClientInfo,
    scope: CookieScope = CookieScope.DOMAIN,
) -> list[tuple[str, str]]:
    """Return the `Set-Cookie` headers of a new session; `secret` is as it goes over the wire.

    `_legacy` comes first, as in Appwrite: a client that keeps one header of a name keeps the cookie itself.
    """
    name = _cookie_name(project_id, scope)
    tail = f"={secret}; Path=/; Expires={format_datetime(expires.astimezone(UTC), usegmt=True)}; HttpOnly"
    if scope is CookieScope.DOMAIN and client.host and not is_local(client.host):
        tail += f"; Domain=.{client.host}"
    if client.scheme == "https" or scope is CookieScope.PREFIX:
        tail += "; Secure"
    return [("Set-Cookie", f"{name}_legacy{tail}"), ("Set-Cookie", f"{name}{tail}; SameSite=None")]


def expired_cookies(
    project_id: ProjectId, client: ClientInfo, scope: CookieScope = CookieScope.DOMAIN
) -> list[tuple[str, str]]:
    """Return the `Set-Cookie` headers that delete both cookies, in the order of `session_cookies`."""
    return session_cookies(project_id, "deleted", _LONG_AGO, client, scope)


def fallback(project_id: ProjectId, secret: str) -> str:
    """Return the value of `X-Fallback-Cookies` for a new session."""
    return msgspec.json.encode({_name(project_id): secret}).decode()


def are_kept(host: str, page: str) -> bool:
    """Say whether a browser on `page` (its Origin or Referer) keeps the cookies of `host`.

    It does where both share a registrable domain; `localhost`, addresses and unknown suffixes never do.
    """
    here = _registrable_domain(host)
    return here is not None and here == _registrable_domain(_host_of(page))


def _name(project_id: ProjectId) -> str:
    return _PREFIX + project_id


def _cookie_name(project_id: ProjectId, scope: CookieScope) -> str:
    return (scope.value if scope is CookieScope.PREFIX else "") + _name(project_id)


def _cookie(sent: str, name: str) -> SessionSecret | None:
    start = name + "="
    for pair in sent.split(";"):
        stripped = pair.strip()
        if stripped.startswith(start):
            value = stripped[len(start) :].strip('"')
            return SessionSecret.parse(unquote(value) if "%" in value else value)
    return None


def _fallback_secret(sent: str, name: str) -> SessionSecret | None:
    try:
        cookies = msgspec.json.decode(sent.encode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError):
        return None
    value = cookies.get(name) if isinstance(cookies, dict) else None
    return SessionSecret.parse(value) if isinstance(value, str) else None


def _host_of(page: str) -> str:
    try:
        return urlsplit(page).hostname or ""
    except ValueError:
        return ""


def _registrable_domain(host: str) -> str | None:
    if not host or is_local(host):
        return None
    domain: str | None = _public_suffixes().privatesuffix(host)
    return domain


@functools.cache
def _public_suffixes() -> PublicSuffixList:
    # The list has 10,000 entries: read when the first session is made, not at import.
    return PublicSuffixList(accept_unknown=False)
