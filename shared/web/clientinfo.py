"""Where a request came from: `X-Forwarded-*` is believed only from proxies that are trusted."""

import ipaddress
import re
from collections.abc import Iterable

import msgspec
from aiohttp.web import BaseRequest

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_HOST = re.compile(r"([a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(:[0-9]{1,5})?\Z")


class ClientInfo(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The caller's address, the scheme (`http`, `https`) and the host name it used, without port.

    `ip` is empty where the connection has no address (a Unix socket); `host` where the request names none.
    """

    ip: str
    scheme: str
    host: str


class TrustedProxies:
    """The proxies whose `X-Forwarded-*` headers are believed, by address."""

    def __init__(self, cidrs: Iterable[str]) -> None:
        """Raise `ValueError` where a network is none."""
        self._networks: tuple[Network, ...] = tuple(ipaddress.ip_network(cidr, strict=False) for cidr in cidrs)

    def __bool__(self) -> bool:
        return bool(self._networks)

    def client(self, request: BaseRequest) -> ClientInfo:
        """Say where a request came from."""
        peer = request.remote or ""
        headers = request.headers
        if not self._trusts(peer):
            return ClientInfo(ip=peer, scheme=request.scheme, host=host_name(headers.get("Host", "")))
        scheme = headers.get("X-Forwarded-Proto", "").strip().lower()
        return ClientInfo(
            ip=self._forwarded_for(headers.getall("X-Forwarded-For", ()), peer),
            scheme=scheme if scheme in {"http", "https"} else request.scheme,
            host=host_name(headers.get("X-Forwarded-Host", headers.get("Host", ""))),
        )

    def _trusts(self, address: str) -> bool:
        if not self._networks:
            return False
        parsed = _address(address)
        return parsed is not None and any(parsed in network for network in self._networks)

    def _forwarded_for(self, values: Iterable[str], peer: str) -> str:
        # From the right: each trusted proxy vouches for the address to its left, and nobody for one further left.
        client = peer
        for hop in reversed([part.strip() for value in values for part in value.split(",")]):
            parsed = _address(hop)
            if parsed is None:
                break
            client = str(parsed)
            if not self._trusts(client):
                break
        return client


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
    """Say whether a host is `localhost` or an address: no name whose domain could be shared."""
    return host == "localhost" or _address(host) is not None


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address
