"""Where a request came from, and whether its host is one of the deployment's.

`X-Forwarded-*` headers count only from trusted proxies. The public hosts are those of `DAYPASS_PUBLIC_URL`.
"""

import functools
import ipaddress
from collections.abc import Iterable

import msgspec
from aiohttp.web import BaseRequest

from shared.appwrite.cookie_scope import CookieScope
from shared.kernel.errors import ErrorType, Refusal
from shared.kernel.hosts import Address, PublicUrls, host_name, parse_address

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

KNOWN_HOSTS = 1024
"""Hosts of which is remembered what they are to a deployment."""

_SCHEMES = ("http", "https")


class ClientInfo(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The caller's address, the scheme (`http`, `https`) and the host name it used, without port.

    `ip` is empty where the connection has no address (a Unix socket); `host` where the request names none. `own_host`
    is the host if its pages may call every project, else empty: any client can write any name into a request.
    """

    ip: str
    scheme: str
    host: str
    own_host: str = ""


class Host(msgspec.Struct, frozen=True, gc=False):
    """A host that a request names, and the same again where its pages may call every project, else empty."""

    name: str
    own: str


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
        self.is_set = bool(self._networks or self._urls)
        """Whether anything is: else requests come over plain HTTP as they are, and every host is served."""
        self._hosts = functools.lru_cache(KNOWN_HOSTS)(self._host)

    def client(self, request: BaseRequest) -> ClientInfo:
        """Return where a request came from."""
        ip, headers = _without_zone(request.remote or ""), request.headers
        scheme, authority = request.scheme, headers.get("Host", "")
        if self._trusts(ip):
            ip = self._forwarded_for(headers.getall("X-Forwarded-For", ()), ip)
            forwarded = _first(headers.get("X-Forwarded-Proto", "")).lower()
            scheme = forwarded if forwarded in _SCHEMES else scheme
            authority = _first(headers.get("X-Forwarded-Host", authority))
        host = self._hosts(authority)
        return ClientInfo(ip=ip, scheme=self._urls.scheme(host.name, scheme), host=host.name, own_host=host.own)

    def check_host(self, client: ClientInfo) -> None:
        """Raise `Refusal(GENERAL_ACCESS_FORBIDDEN)` where a request is for a host that is not the deployment's."""
        if not self._urls.serves(client.host):
            raise Refusal(
                ErrorType.GENERAL_ACCESS_FORBIDDEN,
                "This host is not served. Operators name the public hosts in DAYPASS_PUBLIC_URL.",
            )

    def _host(self, authority: str) -> Host:
        name = host_name(authority)
        return Host(name, self._urls.own_host(name))

    def _trusts(self, ip: str) -> bool:
        if not self._networks:
            return False
        parsed = parse_address(ip)
        return parsed is not None and any(parsed in network for network in self._networks)

    def _forwarded_for(self, values: Iterable[str], peer: str) -> str:
        # From the right: each trusted proxy vouches for the address to its left only.
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
    """Return the networks of these CIDRs or addresses; raises `ValueError`, also for one with a zone."""
    return tuple(_network(cidr) for cidr in cidrs)


def network_of(ip: str) -> str:
    """Return what one client is counted by: its IPv4 address, or the /64 of its IPv6 address, all of which it has."""
    address = parse_address(ip)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((int(address), 64), strict=False))
    return ip if address is None else str(address)


def is_local(host: str) -> bool:
    """Return whether a host is an address, or a name without a domain that could be shared."""
    return "." not in host or parse_address(host) is not None


def _network(cidr: str) -> Network:
    if _without_zone(cidr) != cidr:
        raise ValueError(f"{cidr!r} names a zone")
    return ipaddress.ip_network(cidr, strict=False)


def _without_zone(address: str) -> str:
    return address.partition("%")[0]


def _first(values: str) -> str:
    return values.partition(",")[0].strip()


def _forwarded(hop: str) -> Address | None:
    """Return the address in an entry of `X-Forwarded-For`, with or without a port: `1.2.3.4:80`, `[2001:db8::1]:80`."""
    hop = hop.strip('"')
    if hop.startswith("["):
        return parse_address(hop[1:].partition("]")[0])
    return parse_address(hop.partition(":")[0] if hop.count(":") == 1 else hop)
