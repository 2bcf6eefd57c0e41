"""The fields that queries of a list can name, each with the values that it takes."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from shared.kernel.dates import parse_date

INT64 = range(-(2**63), 2**63)

Read = Callable[[Any], Any]
"""Return the value to compare with for a value of JSON; raise `ValueError`, whose text is for the caller."""


class ValueInvalid(ValueError):
    """A value is not one of its field; the text says why, and is for the caller."""


SEQUENCE = "$sequence"
"""The field that holds the order in which things were made; every list has it."""


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A field, by the name that callers know.

    `read` is of one element, if the field is an array. `search` makes the store's expression for words to search for;
    None: no search. `is_fixed`: every list of its sort has it, so a refusal that names it tells nothing of this one.
    `is_encrypted`: the store cannot compare it, so it can be selected and nothing else.
    """

    key: str
    read: Read
    is_text: bool = False
    is_array: bool = False
    is_sortable: bool = True
    is_fixed: bool = False
    is_encrypted: bool = False
    search: Callable[[str], str] | None = None


FieldOf = Callable[[str], Field | None]
"""Return the field of a key; None where there is none."""


def text(value: Any) -> str:
    """Read a text; PostgreSQL holds no NUL."""
    if not isinstance(value, str):
        raise ValueInvalid("it must be a string")
    if "\0" in value:
        raise ValueInvalid("it must not contain NUL characters")
    return value


def integer(value: Any) -> int:
    """Read a whole number."""
    if type(value) is not int or value not in INT64:
        raise ValueInvalid("it must be a 64-bit integer")
    return value


def boolean(value: Any) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise ValueInvalid("it must be true or false")
    return value


def date(value: Any) -> datetime:
    """Read a date of ISO 8601, in UTC if it names no zone."""
    try:
        return parse_date(text(value))
    except ValueError as error:
        raise ValueInvalid("it must be a date of ISO 8601") from error


def fields(reads: dict[str, Read], *, arrays: frozenset[str] = frozenset()) -> dict[str, Field]:
    """Return the fields of a list: those that every list of Appwrite's has, and these."""
    common: dict[str, Read] = {"$id": text, SEQUENCE: integer, "$createdAt": date, "$updatedAt": date}
    return {
        key: Field(key=key, read=read, is_text=read is text, is_array=key in arrays)
        for key, read in (common | reads).items()
    }
