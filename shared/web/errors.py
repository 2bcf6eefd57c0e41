"""Errors on the wire: the JSON that a caller sees, and its headers."""

import msgspec

from shared.kernel.errors import Refusal

API_VERSION = "1.9.6"
"""The version of Appwrite's API that is spoken here."""

NO_STORE = (
    ("Cache-Control", "no-cache, no-store, must-revalidate"),
    ("Expires", "0"),
    ("Pragma", "no-cache"),
)


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True, rename={"kind": "type"}):
    """An error as Appwrite writes it; `code` is the HTTP status."""

    message: str
    code: int
    kind: str
    version: str = API_VERSION


def error_body(refusal: Refusal) -> tuple[int, bytes]:
    """Return the status of a refusal and its JSON."""
    status = refusal.type.status
    # A message may quote what the caller sent, and that need not be text that UTF-8 can carry.
    message = refusal.message.encode("utf-8", "replace").decode()
    return status, msgspec.json.encode(ErrorBody(message=message, code=status, kind=refusal.type.value))


def error_headers(refusal: Refusal) -> tuple[tuple[str, str], ...]:
    """Return the headers that every error carries, with `Retry-After` where trying again makes sense."""
    if refusal.retry_after_s is None:
        return NO_STORE
    return (*NO_STORE, ("Retry-After", str(refusal.retry_after_s)))
