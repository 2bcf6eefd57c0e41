"""Origins of a project: hosts whose pages may call it, and apps to which links may lead."""

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

import idna

from shared.kernel.errors import ArgumentInvalid

_HOST = re.compile(r"(\*\.)?[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\Z")
_APP = re.compile(r"[a-z][a-z0-9+.-]{0,99}://\Z")
_URL = re.compile(r"(https?:)?//", re.IGNORECASE)
_NO_APPS = frozenset({"http://", "https://", "javascript://", "data://", "file://", "blob://"})
"""Schemes of pages and scripts: to name one would let links lead anywhere."""

LONGEST_HOST = 255


def normal_origins(parameter: str, texts: Iterable[str]) -> tuple[str, ...]:
    """Return the origins that are meant, as they are stored and compared, each once; raises `ArgumentInvalid`."""
    return tuple(dict.fromkeys(normal_origin(parameter, text) for text in texts))


def normal_origin(parameter: str, text: str) -> str:
    """Return the host of a URL, of `host:port` or of a host, in ASCII and lower case, or the scheme of an app.

    Raises `ArgumentInvalid` for what no page and no link could ever match.
    """
    if _APP.match(text) and text not in _NO_APPS:
        return text
    host = _host(text)
    if _is_ipv6(host):
        return str(ipaddress.IPv6Address(host))
    if len(host) > LONGEST_HOST or not _HOST.match(host):
        raise ArgumentInvalid(
            parameter,
            f"{text[:LONGEST_HOST]!r} matches no page: name a host such as shop.example.com, *.example.com for all"
            " hosts of a domain, or shop-app:// for an app",
        )
    return host


def _host(text: str) -> str:
    if _is_ipv6(text):
        return text
    is_url = _URL.match(text) is not None
    if not text.isprintable() or ("://" in text and not is_url):
        return ""
    try:
        parts = urlsplit(text if is_url else f"//{text}")
        parts.port  # noqa: B018 raises where it is no number
        host = "" if "@" in parts.netloc else parts.hostname or ""
        return host if host.isascii() else _ascii(host)
    except ValueError:
        return ""


def _ascii(host: str) -> str:
    """Return a host name as browsers send it; raises `ValueError`."""
    wildcard, name = ("*.", host[2:]) if host.startswith("*.") else ("", host)
    return wildcard + idna.encode(name, uts46=True).decode("ascii")


def _is_ipv6(text: str) -> bool:
    """Say whether a text is an address of IPv6 as browsers name one: without a zone."""
    try:
        return ipaddress.IPv6Address(text).scope_id is None
    except ValueError:
        return False
