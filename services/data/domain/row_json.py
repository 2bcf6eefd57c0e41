"""Rows as they are sent: JSON of which no more is made than columns can hold, and no more of it than a table has.

A column holds a number, a text, a truth or nothing, or an array of these. Nothing is made of what else stands in a row:
it becomes `NO_VALUE`, which no column takes.
"""

import re
from typing import Any

import msgspec

from services.data.domain.catalogue import MAX_COLUMNS
from shared.kernel.errors import ArgumentInvalid, ErrorType, Refusal

Data = dict[str, Any]
"""Any: the values of a row by column key, as sent."""

MAX_ROWS = 100
"""Rows that one call may make or upsert."""

MAX_NAMES = MAX_COLUMNS + 24
"""Of one row: its columns, and what every row has."""

MAX_TEXTS = 1_000_000
"""Of one row: names, and texts in arrays."""

MAX_AT_ONCE = 20_000
"""Elements of arrays."""

FEW_COLONS = 20_000

NO_VALUE: Data = {}

Raw = msgspec.Raw
_Scalar = bool | int | float | str | None
_Value = bool | int | float | str | list[_Scalar] | None
_row = msgspec.json.Decoder(dict[str, _Value])
_raw_row = msgspec.json.Decoder(dict[str, Raw])
_value = msgspec.json.Decoder(_Value)
_text = msgspec.json.Decoder(str)
_rows = msgspec.json.Decoder(
    msgspec.defstruct(
        "Rows",
        [(f"row{place}", Raw, None) for place in range(MAX_ROWS)],
        array_like=True,
        forbid_unknown_fields=True,
    )
)
_TEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+"(\s*+:)?', re.DOTALL)


def parse_data(sent: Raw) -> Data | None:
    """Return the data of a row, which may be sent as an object or as a text that holds one; None where there is none.

    Raises `ArgumentInvalid("data")`.
    """
    row = bytes(sent)
    try:
        if row == b"null":
            return None
        if row == b"[]":  # PHP writes an empty object so
            return {}
        return _parse(_text.decode(row).encode() if row.startswith(b'"') else row)
    except (ValueError, RecursionError):
        raise ArgumentInvalid("data", "Value must be a valid object") from None


def parse_list(sent: Raw) -> list[Data]:
    """Return the data of many rows; raises `ArgumentInvalid("rows")`, `Refusal(ROW_MISSING_DATA)` for none."""
    try:
        rows = [row for row in msgspec.structs.astuple(_rows.decode(sent)) if row is not None]
        parsed = [_parse(bytes(row)) for row in rows]
    except (ValueError, RecursionError):
        raise ArgumentInvalid("rows", f"Value must be a list of at most {MAX_ROWS} objects") from None
    if not parsed:
        raise Refusal(ErrorType.ROW_MISSING_DATA, "The rows are missing.")
    return parsed


def is_much(*rows: Data) -> bool:
    """Say whether rows have so many elements of arrays that looking at each of them would hold others up."""
    return sum(len(value) for row in rows for value in row.values() if isinstance(value, list)) > MAX_AT_ONCE


def _parse(row: bytes) -> Data:
    _check_size(row)
    try:
        return _row.decode(row)
    except msgspec.ValidationError:
        return {key: _value_of(value) for key, value in _raw_row.decode(row).items()}


def _value_of(value: Raw) -> Any:  # Any: JSON
    try:
        return _value.decode(value)
    except msgspec.ValidationError:
        return NO_VALUE


def _check_size(row: bytes) -> None:
    """Raise `ValueError` where a row has more names than any table has columns, or more texts than they may hold.

    Each name is followed by a colon; only where there are many, in texts perhaps, the names are counted.
    """
    if row.count(b":") <= FEW_COLONS:
        return
    names = 0
    for texts, match in enumerate(_TEXT.finditer(row)):
        names += match[1] is not None
        if names > MAX_NAMES or texts > MAX_TEXTS:
            raise ValueError("a row has more names than a table has columns")
