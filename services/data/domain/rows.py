"""Rows: what may be written into a table, value by value."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from services.data.domain.catalogue import Column, Table
from services.data.domain.columns.kind import LONGEST_ARRAY, ValueInvalid
from services.data.domain.sealing import open_default
from shared.appwrite.permissions import Permission
from shared.contracts.ids import RowId
from shared.kernel.clock import wire_date
from shared.kernel.errors import ArgumentInvalid, ErrorType, Refusal

Values = list[tuple[Column, Any]]
"""Any: what the column's kind made of a value."""

Number = int | float

NUMBERS = frozenset({"integer", "bigint", "float"})
"""Kinds of columns that can be counted up and down."""

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


class Increment(msgspec.Struct, frozen=True, kw_only=True):
    """How much is added to a column, or taken (`by` < 0), and the bound that it must not pass (None: any)."""

    column: str
    by: Number
    bound: Number | None


class RowChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is written over a row.

    Permissions, or a time of creation, of None are kept; a time of change of None is the present.
    """

    values: Values
    permissions: list[Permission] | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class RowOverwrite(RowChange, frozen=True, kw_only=True):
    """A change of the row of an id."""

    id: RowId


class NewRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row that is to be created; dates of None are the present."""

    id: RowId
    values: Values
    permissions: list[Permission]
    created_at: datetime | None
    updated_at: datetime | None


def stored(table: Table, data: Mapping[str, Any], *, is_new: bool, keeps_null: bool = False) -> Values:
    """Return what is written for each column that is named (for all, where the row is new), checked.

    A value that is absent or null takes the default, but for null where that is kept. Raises
    `Refusal(ROW_INVALID_STRUCTURE)`, `DecryptionFailed` of a default.
    """
    columns = {column.key: column for column in table.columns}
    for key in data:
        if key not in columns and key not in READ_ONLY:
            raise _invalid(f'Unknown attribute: "{key[:64]}"')
    named = [column for column in table.columns if is_new or column.key in data]
    values: Values = []
    for column in named:
        value = data.get(column.key)
        if value is None and not keeps_null:
            value = open_default(table, column)
        values.append((column, _value(column, value)))
    return values


def stored_over(table: Table, data: Mapping[str, Any]) -> Values:
    """Return what an upsert writes over a row that is there: as `stored`, but required columns must be named."""
    for column in table.columns:
        if column.required and column.key not in data:
            raise _invalid(f'Missing required attribute "{column.key}"')
    return stored(table, data, is_new=False)


def number_column(table: Table, key: str) -> Column:
    """Return a column that can be counted up and down.

    Raises `Refusal(COLUMN_NOT_FOUND)`, and `Refusal(COLUMN_TYPE_INVALID)` where it holds no single number.
    """
    column = table.by_key.get(key)
    if column is None:
        raise Refusal(ErrorType.COLUMN_NOT_FOUND, "Column with the requested ID could not be found.")
    if column.array or column.kind_name not in NUMBERS:
        raise Refusal(ErrorType.COLUMN_TYPE_INVALID, f'The column "{key}" does not hold numbers.')
    return column


def check_increment(column: Column, increment: Increment) -> None:
    """Refuse an increment that no value of the column could take.

    Raises `Refusal(ROW_INVALID_STRUCTURE)` for a part of a whole number, `ArgumentInvalid("value")`.
    """
    try:
        is_whole = float(increment.by).is_integer()
    except OverflowError as error:
        raise ArgumentInvalid("value", "Value must be a double-precision number") from error
    if column.kind_name != "float" and not is_whole:
        raise _invalid(f'Attribute "{column.key}" has invalid type or format: it must be an integer')


def incremented(value: Number | None, increment: Increment) -> Number:
    """Return a value that has been added to; no value counts as 0, and 5.0 as the whole number 5.

    Raises `Refusal(COLUMN_LIMIT_EXCEEDED)` where that is past the increment's bound (on it, it may be). Whether it is a
    value of its column remains to be checked.
    """
    by, bound = increment.by, increment.bound
    result = (value or 0) + (int(by) if float(by).is_integer() else by)
    if bound is not None and (result > bound if by > 0 else result < bound):
        raise Refusal(ErrorType.COLUMN_LIMIT_EXCEEDED, "The value would exceed the limit of the request.")
    return result


def column_invalid(key: str) -> Refusal:
    """Return the refusal of a row whose value of a column is not one that the column takes, since it was changed."""
    return _invalid(f'Attribute "{key}" has no valid value, and none is given')


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
        raise Refusal(ErrorType.COLUMN_VALUE_INVALID, f"The default is not valid for the column: {error}.") from error
    return msgspec.structs.replace(column, default=wire_date(checked) if isinstance(checked, datetime) else checked)


def _value(column: Column, value: Any) -> Any:  # Any: JSON
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
