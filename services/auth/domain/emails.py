"""E-mail addresses."""

from email_validator import EmailNotValidError, validate_email

from shared.kernel.errors import ArgumentInvalid


def normal_email(parameter: str, text: str) -> str:
    """Return an address in lower case, as it is stored and looked up; raises `ArgumentInvalid` where it is none."""
    try:
        validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise ArgumentInvalid(parameter, "Value must be a valid email address") from error
    return text.lower()
