"""E-mail addresses."""

from shared.appwrite.emails import account_email
from shared.kernel.errors import ArgumentInvalid


def normal_email(parameter: str, text: str) -> str:
    """Return an address as it is stored and looked up; raises `ArgumentInvalid` where it is none.

    In lower case, with composed letters, and with its domain in Unicode (UTS 46): what looks the same is the same.
    """
    try:
        return account_email(text)
    except ValueError as error:
        raise ArgumentInvalid(parameter, "Value must be a valid email address") from error
