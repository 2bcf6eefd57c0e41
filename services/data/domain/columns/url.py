"""`url`: an absolute URL with a scheme and a host."""

import re
from urllib.parse import urlsplit

from services.data.domain.columns.kind import Kind, Options, Value, ValueInvalid, characters, fixed

SIZE = 2000
_CHARACTERS = re.compile(r"[!-~]+\Z")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*\Z")


def check(value: Value, options: Options) -> str:
    """Return a URL."""
    found = characters(value, options)
    try:
        parts = urlsplit(found)
        host = parts.hostname
        parts.port  # noqa: B018 raises where it is no number
    except ValueError as error:
        raise ValueInvalid("it must be a valid URL") from error
    if not _CHARACTERS.match(found) or not _SCHEME.match(parts.scheme) or not host:
        raise ValueInvalid("it must be a valid URL")
    return found


KIND = Kind(
    name="url",
    wire_type="string",
    format="url",
    postgres="text",
    options=lambda _: Options(size=SIZE),
    check=check,
    width=fixed(SIZE * 4 + 2),
    index_width=fixed(SIZE),
    is_text=True,
)
OPTIONS = Options(size=SIZE)
EXAMPLES = ["https://example.org", "http://localhost:8080/a?b=c#d", "ftp://user@example.org/x"]
REJECTS = ["example.org", "/path", "", "http://", 1, "https://exa mple.org", "http://x:port/"]
