"""E-mail addresses: syntax alone decides, since many live on networks that no public name server knows.

RFC 5321 and 5322 without quoted local parts, comments and address literals; a local part of 64 characters at most, a
domain of two labels at least, in Unicode or as A-labels (RFC 6531, UTS 46).
"""

import unicodedata

import email_validator

email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()  # the documented way to admit `.local` and the like


def normal_email(text: str) -> str:
    """Return an address with its domain in Unicode (UTS 46) and its letters composed (NFC).

    Raises `ValueError` where it is none.
    """
    return email_validator.validate_email(text, check_deliverability=False, strict=True).normalized


def account_email(text: str) -> str:
    """Return an address as an account is known by it: whatever looks the same, and in either case, is the same.

    Raises `ValueError` where it is none.
    """
    return composed(normal_email(text))


def composed(text: str) -> str:
    """Return a text in lower case with composed letters (NFC), as addresses are kept."""
    return unicodedata.normalize("NFC", text.lower())
