"""`email`: an e-mail address, checked in lower case and stored as it was sent."""

from services.data.domain.columns.kind import Options, Value, ValueInvalid, characters, formatted
from shared.appwrite.emails import normal_email

SIZE = 254


def check(value: Value, options: Options) -> str:
    """Return an address."""
    address = characters(value, options)
    try:
        normal_email(address.strip().lower())
    except ValueError as error:
        raise ValueInvalid("it must be a valid email address") from error
    return address


KIND = formatted(
    "email",
    check,
    size=SIZE,
    examples=["ada@example.org", "Ada.Lovelace+x@sub.example.org"],
    rejects=["not-an-email", "", "a@", "a@b@c.org", 1, "x" * 300 + "@example.org"],
)
