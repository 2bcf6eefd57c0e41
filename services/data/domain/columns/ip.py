"""`ip`: an address of IPv4 or IPv6, as text."""

import ipaddress

from services.data.domain.columns.kind import Kind, Options, Value, ValueInvalid, fixed, text

SIZE = 39


def check(value: Value, _: Options) -> str:
    """Return an address."""
    found = text(value)
    try:
        ipaddress.ip_address(found)
    except ValueError as error:
        raise ValueInvalid("it must be a valid IP address") from error
    if len(found) > SIZE:
        raise ValueInvalid(f"it must be at most {SIZE} characters long")
    return found


KIND = Kind(
    name="ip",
    wire_type="string",
    format="ip",
    postgres="text",
    options=lambda _: Options(size=SIZE),
    check=check,
    width=fixed(SIZE * 4 + 2),
    index_width=fixed(SIZE),
    is_text=True,
)
OPTIONS = Options(size=SIZE)
EXAMPLES = ["127.0.0.1", "::1", "2001:db8::ff00:42:8329"]
REJECTS = ["300.1.1.1", "localhost", "", 1, "1.2.3.4/8", "1.2.3.4\n"]
