"""E-mail addresses."""

import unicodedata

from shared.appwrite import emails
from shared.kernel.errors import ArgumentInvalid


def normal_email(parameter: str, text: str) -> str:
    """Return an address as it is stored and looked up; raises `ArgumentInvalid` where it is none.

    In lower case, with composed letters, and with its domain in Unicode (UTS 46): what looks the same is the same.
    """
    try:
        return composed(emails.normal_email(text))
    except ValueError as error:
        raise ArgumentInvalid(parameter, "Value must be a valid email address") from error


def composed(text: str) -> str:
    """Return a text in lower case with composed letters (NFC), as addresses are kept."""
    return unicodedata.normalize("NFC", text.lower())
