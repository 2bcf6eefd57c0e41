"""`ip`: an address of IPv4 or IPv6, as text."""

import ipaddress

from services.data.domain.columns.kind import Options, Value, ValueInvalid, formatted, text

SIZE = 39


def check(value: Value, _: Options) -> str:
    """Return an address."""
    address = text(value)
    try:
        ipaddress.ip_address(address)
    except ValueError as error:
        raise ValueInvalid("it must be a valid IP address") from error
    if len(address) > SIZE:
        raise ValueInvalid(f"it must be at most {SIZE} characters long")
    return address


KIND = formatted(
    "ip",
    check,
    size=SIZE,
    examples=["127.0.0.1", "::1", "2001:db8::ff00:42:8329"],
    rejects=["300.1.1.1", "localhost", "", 1, "1.2.3.4/8", "1.2.3.4\n"],
)
