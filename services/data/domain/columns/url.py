"""`url`: an absolute URL with a scheme and a host."""

import re
from urllib.parse import urlsplit

from services.data.domain.columns.kind import Options, Value, ValueInvalid, characters, formatted

SIZE = 2000
_CHARACTERS = re.compile(r"[!-~]+\Z")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*\Z")


def check(value: Value, options: Options) -> str:
    """Return a URL."""
    address = characters(value, options)
    try:
        parts = urlsplit(address)
        host = parts.hostname
        parts.port  # noqa: B018 raises where it is no number
    except ValueError as error:
        raise ValueInvalid("it must be a valid URL") from error
    if not _CHARACTERS.match(address) or not _SCHEME.match(parts.scheme) or not host:
        raise ValueInvalid("it must be a valid URL")
    return address


KIND = formatted(
    "url",
    check,
    size=SIZE,
    examples=["https://example.org", "http://localhost:8080/a?b=c#d", "ftp://user@example.org/x"],
    rejects=["example.org", "/path", "", "http://", 1, "https://exa mple.org", "http://x:port/"],
)
