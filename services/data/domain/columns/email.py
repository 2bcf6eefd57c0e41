"""`email`: an e-mail address, checked in lower case and stored as it was sent."""

from email_validator import EmailNotValidError, validate_email

from services.data.domain.columns.kind import Kind, Options, Value, ValueInvalid, characters, fixed

SIZE = 254


def check(value: Value, options: Options) -> str:
    """Return an address."""
    found = characters(value, options)
    try:
        validate_email(found.strip().lower(), check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise ValueInvalid("it must be a valid email address") from error
    return found


KIND = Kind(
    name="email",
    wire_type="string",
    format="email",
    postgres="text",
    options=lambda _: Options(size=SIZE),
    check=check,
    width=fixed(SIZE * 4 + 2),
    index_width=fixed(SIZE),
    is_text=True,
)
OPTIONS = Options(size=SIZE)
EXAMPLES = ["ada@example.org", "Ada.Lovelace+x@sub.example.org"]
REJECTS = ["not-an-email", "", "a@", "a@b@c.org", 1, "x" * 300 + "@example.org"]
