"""Hosts: names and addresses, which of them are reached from inside only, and the public ones of a deployment."""

import functools
import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_HOST = re.compile(r"([a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(:[0-9]{1,5})?\Z")
_SCHEMES = ("http", "https")


class PublicUrls:
    """The URLs under which a deployment is reached from outside; none where nothing is set."""

    def __init__(self, urls: Iterable[str] = ()) -> None:
        """Raise `ValueError` where one is not the URL of a host, or two name a host with different schemes."""
        self._schemes: dict[str, str] = {}
        for url in urls:
            scheme, host = _public(url)
            if self._schemes.setdefault(host, scheme) != scheme:
                raise ValueError("a host is named twice")
        self._inside = "https" if set(self._schemes.values()) == {"https"} else ""

    def __bool__(self) -> bool:
        return bool(self._schemes)

    @property
    def plain(self) -> list[str]:
        """The hosts that are reached from outside over plain HTTP."""
        return [host for host, scheme in self._schemes.items() if scheme == "http" and not is_internal(host)]

    def serves(self, host: str) -> bool:
        """Return whether requests for a host are answered: for the public ones, and for those inside a network."""
        return not self._schemes or host in self._schemes or is_internal(host)

    def scheme(self, host: str, seen: str) -> str:
        """Return the scheme that browsers use for a host, where the request itself arrived by `seen`."""
        return "https" if self._schemes.get(host, self._inside) == "https" else seen

    def own_host(self, host: str) -> str:
        """Return the host where its own pages may call it: it is public, or, where no host is, internal."""
        is_own = host in self._schemes if self._schemes else is_internal(host)
        return host if is_own else ""


def host_name(authority: str) -> str:
    """Return the host of a `Host` header in lower case, without port or brackets; garbage is an empty string."""
    match = _HOST.match(authority.strip().lower())
    return match[1].strip("[]") if match else ""


@functools.lru_cache(1024)
def is_internal(host: str) -> bool:
    """Return whether a host is reached from one machine or private network only: `localhost`, `gateway`, 10.0.0.7."""
    address = parse_address(host)
    return address.is_private if address is not None else bool(host) and "." not in host


def parse_address(text: str) -> Address | None:
    """Return an IP address, an IPv4 one where IPv6 only wraps it; None where the text is none, or names a zone.

    A zone, as in `fe80::1%eth0`, means something on one machine only (RFC 4007, 11).
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv4Address):
        return address
    return None if address.scope_id is not None else address.ipv4_mapped or address


def _public(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    host = host_name(parts.netloc)
    if parts.scheme not in _SCHEMES or not host or parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise ValueError("not the URL of a host")
    return parts.scheme, host
