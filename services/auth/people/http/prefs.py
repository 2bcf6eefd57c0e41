"""Preferences: a JSON object of a user's own, kept and shown as it was written."""

from typing import Annotated, Any

import msgspec

from shared.kernel.errors import ArgumentInvalid

MOST_BYTES = 65_535

Prefs = Annotated[dict[str, Any], msgspec.Meta(description=f"An object of at most {MOST_BYTES} bytes of JSON")]


def encode_prefs(prefs: dict[str, Any]) -> str:  # Any: JSON
    """Write preferences as JSON; raises `ArgumentInvalid` where they are too long."""
    encoded = msgspec.json.encode(prefs)
    if len(encoded) > MOST_BYTES:
        raise ArgumentInvalid("prefs", f"Value must be a valid object of at most {MOST_BYTES} bytes of JSON")
    return encoded.decode()
