"""Phone numbers."""

import phonenumbers

from shared.kernel.errors import ArgumentInvalid

DIGITS = range(7, 16)
"""E.164 allows 15 digits; no network has numbers of fewer than 7 with the calling code."""


def check_phone(parameter: str, number: str) -> None:
    """Raise `ArgumentInvalid` for what is no E.164 number with a known country calling code."""
    try:
        phonenumbers.parse(number)
    except phonenumbers.NumberParseException as error:
        raise ArgumentInvalid(parameter, "Value must be a phone number with a known country calling code") from error
    if len(number) - len("+") not in DIGITS:
        raise ArgumentInvalid(parameter, f"Value must be a phone number of {DIGITS[0]} to {DIGITS[-1]} digits")
