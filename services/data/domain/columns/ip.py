"""`ip`: an address of IPv4 or IPv6, as text, without a zone."""

from services.data.domain.columns.kind import Options, Value, ValueInvalid, formatted, text
from shared.kernel.hosts import parse_address

SIZE = 39


def check(value: Value, _: Options) -> str:
    """Return an address."""
    address = text(value)
    if parse_address(address) is None:
        raise ValueInvalid("it must be a valid IP address")
    if len(address) > SIZE:
        raise ValueInvalid(f"it must be at most {SIZE} characters long")
    return address


KIND = formatted(
    "ip",
    check,
    size=SIZE,
    examples=["127.0.0.1", "::1", "2001:db8::ff00:42:8329"],
    rejects=["300.1.1.1", "localhost", "", 1, "1.2.3.4/8", "1.2.3.4\n", "fe80::1%eth0"],
)
