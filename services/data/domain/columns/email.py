"""`email`: an e-mail address, checked in lower case and stored as it was sent."""

from email_validator import EmailNotValidError, validate_email

from services.data.domain.columns.kind import Options, Value, ValueInvalid, characters, formatted

SIZE = 254


def check(value: Value, options: Options) -> str:
    """Return an address."""
    found = characters(value, options)
    try:
        validate_email(found.strip().lower(), check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise ValueInvalid("it must be a valid email address") from error
    return found


KIND = formatted(
    "email",
    check,
    size=SIZE,
    examples=["ada@example.org", "Ada.Lovelace+x@sub.example.org"],
    rejects=["not-an-email", "", "a@", "a@b@c.org", 1, "x" * 300 + "@example.org"],
)
