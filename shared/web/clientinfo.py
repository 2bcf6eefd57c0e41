"""Where a request came from, and whether its host is one of the deployment's.

`X-Forwarded-*` headers count only from trusted proxies. The public hosts are those of `DAYPASS_PUBLIC_URL`.
"""

import functools
import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

import msgspec
from aiohttp.web import BaseRequest

from shared.kernel.errors import ErrorType, Refusal
from shared.web.cookie_scope import CookieScope

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_HOST = re.compile(r"([a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(:[0-9]{1,5})?\Z")
_SCHEMES = ("http", "https")


class ClientInfo(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The caller's address, the scheme (`http`, `https`) and the host name it used, without port.

    `ip` is empty where the connection has no address (a Unix socket); `host` where the request names none. `own_host`
    is the host if its pages may call every project, else empty: anybody can write any name into a request.
    """

    ip: str
    scheme: str
    host: str
    own_host: str = ""


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


class Edge:
    """The edge of a deployment as a service sees it: proxies that are trusted, public hosts, the scope of cookies."""

    def __init__(
        self,
        *,
        trusted_proxies: Iterable[str] = (),
        public_urls: Iterable[str] = (),
        cookies: CookieScope = CookieScope.DOMAIN,
    ) -> None:
        """Raise `ValueError` where a network or a URL is none."""
        self.cookies = cookies
        self._networks: tuple[Network, ...] = networks(trusted_proxies)
        self._urls = PublicUrls(public_urls)

    def client(self, request: BaseRequest) -> ClientInfo:
        """Return where a request came from."""
        ip, headers = request.remote or "", request.headers
        scheme, authority = request.scheme, headers.get("Host", "")
        if self._trusts(ip):
            ip = self._forwarded_for(headers.getall("X-Forwarded-For", ()), ip)
            forwarded = _first(headers.get("X-Forwarded-Proto", "")).lower()
            scheme = forwarded if forwarded in _SCHEMES else scheme
            authority = _first(headers.get("X-Forwarded-Host", authority))
        host = host_name(authority)
        return ClientInfo(ip=ip, scheme=self._urls.scheme(host, scheme), host=host, own_host=self._urls.own_host(host))

    def check_host(self, client: ClientInfo) -> None:
        """Raise `Refusal(GENERAL_ACCESS_FORBIDDEN)` where a request is for a host that is not the deployment's."""
        if not self._urls.serves(client.host):
            raise Refusal(
                ErrorType.GENERAL_ACCESS_FORBIDDEN,
                "Nothing is served under this host. The operator names the public hosts in DAYPASS_PUBLIC_URL.",
            )

    def _trusts(self, ip: str) -> bool:
        if not self._networks:
            return False
        parsed = _address(ip)
        return parsed is not None and any(parsed in network for network in self._networks)

    def _forwarded_for(self, values: Iterable[str], peer: str) -> str:
        # From the right: each trusted proxy vouches for the address to its left, and nobody for one further left.
        client = peer
        for hop in reversed([part.strip() for value in values for part in value.split(",")]):
            parsed = _forwarded(hop)
            if parsed is None:
                break
            client = str(parsed)
            if not self._trusts(client):
                break
        return client


def networks(cidrs: Iterable[str]) -> tuple[Network, ...]:
    """Return the networks of these CIDRs or addresses; raises `ValueError`."""
    return tuple(ipaddress.ip_network(cidr, strict=False) for cidr in cidrs)


def host_name(authority: str) -> str:
    """Return the host of a `Host` header in lower case, without port or brackets; garbage is an empty string."""
    match = _HOST.match(authority.strip().lower())
    return match[1].strip("[]") if match else ""


def network_of(ip: str) -> str:
    """Return what one client is counted by: its IPv4 address, or the /64 of its IPv6 address, all of which it has."""
    address = _address(ip)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((int(address), 64), strict=False))
    return ip if address is None else str(address)


def is_local(host: str) -> bool:
    """Return whether a host is an address, or a name without a domain that could be shared."""
    return "." not in host or _address(host) is not None


@functools.lru_cache(1024)
def is_internal(host: str) -> bool:
    """Return whether a host is reached from one machine or private network only: `localhost`, `gateway`, 10.0.0.7."""
    address = _address(host)
    return address.is_private if address is not None else bool(host) and "." not in host


def _public(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    host = host_name(parts.netloc)
    if parts.scheme not in _SCHEMES or not host or parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise ValueError("not the URL of a host")
    return parts.scheme, host


def _first(values: str) -> str:
    return values.partition(",")[0].strip()


def _forwarded(hop: str) -> Address | None:
    """Return the address in an entry of `X-Forwarded-For`, with or without a port: `1.2.3.4:80`, `[2001:db8::1]:80`."""
    hop = hop.strip('"')
    if hop.startswith("["):
        return _address(hop[1:].partition("]")[0])
    return _address(hop.partition(":")[0] if hop.count(":") == 1 else hop)


def _address(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address
