"""Rows: what may be written into a table, value by value."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from services.data.domain.catalogue import Column, Table
from services.data.domain.columns.kind import LONGEST_ARRAY, ValueInvalid
from shared.kernel.clock import wire_date
from shared.kernel.errors import ArgumentInvalid, ErrorType, Refusal

Data = dict[str, Any]
"""Any: JSON values by column key, as sent."""

Values = list[tuple[Column, Any]]
"""Any: what the column's kind made of a value."""

READ_ONLY = frozenset(
    {
        "$id",
        "$sequence",
        "$databaseId",
        "$tableId",
        "$collectionId",
        "$tenant",
        "$permissions",
        "$createdAt",
        "$updatedAt",
    }
)
"""Dropped from what is sent. A key's `$createdAt` and `$updatedAt` are read before that."""


def parse_data(given: object) -> Data | None:
    """Return the data of a row, which may be sent as an object or as a text that holds one; None where there is none.

    Raises `ArgumentInvalid("data")`.
    """
    if given is None:
        return None
    if isinstance(given, str):
        try:
            given = msgspec.json.decode(given)
        except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
            given = None
    if not isinstance(given, dict):
        raise ArgumentInvalid("data", "Value must be a valid object")
    return given


def stored(table: Table, data: Mapping[str, Any], *, is_new: bool) -> Values:
    """Return what is written for each column that is named (for all, where the row is new), checked.

    A value that is absent or null takes the default. Raises `Refusal(ROW_INVALID_STRUCTURE)`.
    """
    columns = {column.key: column for column in table.columns}
    for key in data:
        if key not in columns and key not in READ_ONLY:
            raise _invalid(f'Unknown attribute: "{key[:64]}"')
    named = [column for column in table.columns if is_new or column.key in data]
    return [(column, _value(column, data.get(column.key))) for column in named]


def missing_required() -> Refusal:
    """Return the refusal of a row that has no value for a column that has become required."""
    return _invalid("Missing required attribute")


def checked_default(column: Column) -> Column:
    """Return a column whose default has been checked.

    Raises `Refusal(COLUMN_DEFAULT_UNSUPPORTED)` where it can have none, `Refusal(COLUMN_VALUE_INVALID)` where this is
    no value of it.
    """
    if column.default is None:
        return column
    if column.required or column.array:
        what = "required" if column.required else "array"
        raise Refusal(ErrorType.COLUMN_DEFAULT_UNSUPPORTED, f"Default values cannot be set for {what} columns.")
    try:
        checked = column.kind.check(column.default, column.options)
    except ValueInvalid as error:
        if column.kind_name in {"email", "ip", "url", "datetime"}:
            raise ArgumentInvalid("default", str(error)) from error
        raise Refusal(ErrorType.COLUMN_VALUE_INVALID, f"The default is not a value of the column: {error}.") from error
    return msgspec.structs.replace(column, default=wire_date(checked) if isinstance(checked, datetime) else checked)


def _value(column: Column, value: Any) -> Any:  # Any: JSON
    if value is None:
        value = column.default
    if value is None:
        if column.required:
            raise _invalid(f'Missing required attribute "{column.key}"')
        return None
    try:
        if column.array:
            return _array(column, value)
        return column.kind.check(value, column.options)
    except ValueInvalid as error:
        raise _invalid(f'Attribute "{column.key}" has invalid type or format: {error}') from error


def _array(column: Column, value: Any) -> list[Any]:  # Any: JSON in, what the driver takes out
    if not isinstance(value, list) or len(value) > LONGEST_ARRAY:
        raise ValueInvalid(f"it must be an array of at most {LONGEST_ARRAY} elements")
    elements: list[Any] = []  # Any: as above
    for place, element in enumerate(value):
        if element is None and not column.required:
            elements.append(None)
            continue
        try:
            checked = column.kind.check(element, column.options)
        except ValueInvalid as error:
            raise ValueInvalid(f"element {place}: {error}") from error
        elements.append(checked)
    return elements


def _invalid(reason: str) -> Refusal:
    return Refusal(ErrorType.ROW_INVALID_STRUCTURE, f"Invalid document structure: {reason}")
