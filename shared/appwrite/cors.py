"""Cross-origin calls: which pages may call, and the headers that browsers need.

Hosts are compared, never schemes or ports. A project's origins may use `*.` for subdomains; `localhost` includes its
addresses; the host that is called may always call itself.
"""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from multidict import istr

from shared.contracts.principal import Project

ORIGIN = istr("Origin")
_REFERER = istr("Referer")
_COOKIE = istr("Cookie")
FETCH_SITE = istr("Sec-Fetch-Site")
_FETCH_MODE = istr("Sec-Fetch-Mode")

_UNSAFE = re.compile(r"[^\x21-\x7e]|\\")
"""Browsers drop some of these and read a backslash as a slash: their host may not be the one we see. And what is no
ASCII cannot be sent back in a header."""

_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
_ALLOW_HEADERS = (
    "Accept, Origin, Cookie, Set-Cookie, Content-Type, Content-Range, Range, Cache-Control, Expires, Pragma, "
    "X-Requested-With, X-Forwarded-For, X-Forwarded-User-Agent, X-Fallback-Cookies, X-Appwrite-Project, "
    "X-Appwrite-Key, X-Appwrite-Dev-Key, X-Appwrite-Locale, X-Appwrite-Mode, X-Appwrite-JWT, "
    "X-Appwrite-Organization, X-Appwrite-Response-Format, X-Appwrite-Timeout, X-Appwrite-ID, "
    "X-Appwrite-Timestamp, X-Appwrite-Session, X-Appwrite-Platform, X-Appwrite-Impersonate-User-Id, "
    "X-Appwrite-Impersonate-User-Email, X-Appwrite-Impersonate-User-Phone, X-SDK-Version, X-SDK-Name, "
    "X-SDK-Language, X-SDK-Platform, X-SDK-GraphQL, X-SDK-Profile"
)
ALLOW_ORIGIN = "Access-Control-Allow-Origin"
_RULES = (
    ("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE"),
    ("Access-Control-Allow-Headers", _ALLOW_HEADERS),
    ("Access-Control-Expose-Headers", "X-Appwrite-Session, X-Fallback-Cookies"),
    ("Access-Control-Allow-Credentials", "true"),
    ("Access-Control-Max-Age", "86400"),
    ("Vary", "Origin"),
)


def allows(project: Project, origin: str, own_host: str) -> bool:
    """Say whether a page of `origin` may call; garbage may not. `own_host` always may, if not empty."""
    scheme, host = _parts(origin)
    if scheme in {"exp", f"appwrite-callback-{project.id}"} or _is_named_scheme(project, scheme):
        return True
    return bool(scheme and host) and (host == own_host or _is_named_host(project, host))


def leads_to_named(project: Project, url: str) -> bool:
    """Return whether a URL leads to a page or an app that the project names: a host, or the scheme of an app."""
    scheme, host = _parts(url)
    return (scheme in {"http", "https"} and _is_named_host(project, host)) or _is_named_scheme(project, scheme)


def is_foreign(project: Project, method: str, headers: Mapping[str, str], own_host: str) -> bool:
    """Return whether a request comes from a page that may not call the project.

    Browsers name the page in `Origin` with everything that changes something. Where they do not, a cookie that was sent
    from another site (Fetch Metadata's `Sec-Fetch-Site`) counts only if `Referer` names a page that may call. A link
    that is followed is no call by a page.
    """
    origin = headers.get(ORIGIN)
    if origin is not None:
        return not allows(project, origin, own_host)
    if headers.get(FETCH_SITE) != "cross-site" or _COOKIE not in headers:
        return False
    is_followed_link = method in {"GET", "HEAD"} and headers.get(_FETCH_MODE) == "navigate"
    return not is_followed_link and not allows(project, headers.get(_REFERER, ""), own_host)


def refusal_of(project: Project, origin: str | None) -> str:
    """Return why a page may not call the project, and the remedy; `origin` is what it sent, if anything."""
    host = _parts(origin or "")[1]
    return (
        f"This project does not allow calls from pages of {host or 'this origin'}. To allow them:"
        f" daypass project update {project.id} --add-origin {host or 'HOST'}"
    )


def headers_for(origin: str) -> tuple[tuple[str, str], ...]:
    """Return the headers by which a browser lets a page of `origin` read the answer."""
    return ((ALLOW_ORIGIN, origin.lower()), *_RULES)


def headers_for_any(origin: str) -> tuple[tuple[str, str], ...]:
    """Return the same for an answer that any page may read; nothing for an origin that cannot be sent back."""
    return headers_for(origin) if origin and not _UNSAFE.search(origin) else ()


def preflight_headers(headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the answer to a preflight: any path, any origin. The request itself is checked when it comes."""
    return headers_for_any(headers.get(ORIGIN, "")) or _RULES


def _is_named_scheme(project: Project, scheme: str) -> bool:
    """Return whether the operator has named the scheme of an app among the project's origins, as `shop-app://`."""
    return scheme not in {"", "http", "https"} and f"{scheme}://" in project.origins


def _is_named_host(project: Project, host: str) -> bool:
    return bool(host) and any(_matches(allowed.lower(), host) for allowed in project.origins)


def _parts(url: str) -> tuple[str, str]:
    """Return the scheme and host of a URL, in lower case; empty where browsers might read others."""
    if _UNSAFE.search(url):
        return "", ""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return "", ""
    return parts.scheme, host


def _matches(allowed: str, host: str) -> bool:
    if allowed == "localhost":
        return host in _LOCAL_HOSTS
    if allowed.startswith("*."):
        return host.endswith(allowed[1:])
    return host == allowed
