"""What a table may be made of: columns and indexes, checked against what is there."""

from datetime import datetime
from typing import Any

import msgspec

from services.data.domain.catalogue import (
    INDEX_WIDTH,
    MOST_COLUMNS,
    MOST_INDEXES,
    ROW_BYTES,
    SYSTEM_COLUMNS,
    Column,
    Index,
    Table,
)
from services.data.domain.columns import INLINE, KINDS
from services.data.domain.columns.kind import Options
from services.data.domain.rows import checked_default
from shared.kernel.errors import ArgumentInvalid, ErrorType, Refusal
from shared.kernel.ids import is_id

INDEX_TYPES = ("key", "unique", "fulltext")
INDEX_TYPES_TO_COME = frozenset({"spatial"})
ORDERS = frozenset({"ASC", "DESC"})
FORMATS = frozenset({"email", "enum", "ip", "url"})
"""Kinds that may also be asked for as strings of a format."""


class NewColumn(msgspec.Struct, frozen=True, kw_only=True):
    """A column as it is asked for; `kind` is a name of KINDS."""

    key: str
    kind: str
    required: bool = False
    default: Any = None  # Any: a JSON value, checked by the kind
    array: bool = False
    options: Options = Options()


class NewIndex(msgspec.Struct, frozen=True, kw_only=True):
    """An index as it is asked for."""

    key: str
    type: str
    columns: list[str]
    orders: list[str] = []
    lengths: list[int | None] = []


class TableSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a table says of itself; `permissions` are texts."""

    name: str
    enabled: bool
    row_security: bool
    permissions: list[str]


class NewTable(msgspec.Struct, frozen=True, kw_only=True):
    """A table as it is asked for, with its first columns and indexes."""

    id: str
    settings: TableSettings
    columns: list[NewColumn]
    indexes: list[NewIndex]


class TableChange(msgspec.Struct, frozen=True, kw_only=True):
    """What changes of what a table says of itself; None: nothing."""

    name: str | None
    enabled: bool
    row_security: bool
    permissions: list[str] | None


class InlineColumn(msgspec.Struct, frozen=True, kw_only=True):
    """A column inside the creation of a table."""

    key: str
    type: str
    size: int | None = None
    required: bool = False
    default: Any = None  # Any: as above
    array: bool = False
    min: int | float | None = None
    max: int | float | None = None
    elements: list[str] = []
    format: str | None = None


class InlineIndex(msgspec.Struct, frozen=True, kw_only=True):
    """An index inside the creation of a table; its columns are called attributes there."""

    key: str
    type: str
    attributes: list[str]
    orders: list[str] = []
    lengths: list[int | None] = []


def inline_column(given: InlineColumn) -> NewColumn:
    """Return the column that is meant; raises `Refusal(GENERAL_ARGUMENT_INVALID)` for an unknown type."""
    kind = INLINE.get(given.type)
    if given.type == "string" and given.format:
        kind = given.format if given.format in FORMATS else None
    if kind is None:
        raise ArgumentInvalid("columns", f"Invalid type for attribute '{given.key[:36]}': {given.type[:36]}")
    if not is_id(given.key):
        raise ArgumentInvalid("columns", "the key of a column must be a valid id")
    return NewColumn(
        key=given.key,
        kind=kind,
        required=given.required,
        default=given.default,
        array=given.array,
        options=Options(size=given.size, min=given.min, max=given.max, elements=tuple(given.elements)),
    )


def inline_index(given: InlineIndex) -> NewIndex:
    """Return the index that is meant."""
    for name, values in (("orders", given.orders), ("lengths", given.lengths)):
        if values and len(values) != len(given.attributes):
            raise ArgumentInvalid("indexes", f"{name} must have as many entries as attributes")
    if not is_id(given.key):
        raise ArgumentInvalid("indexes", "the key of an index must be a valid id")
    return NewIndex(
        key=given.key, type=given.type, columns=given.attributes, orders=given.orders, lengths=given.lengths
    )


def column(table: Table, given: NewColumn, now: datetime) -> Column:
    """Return a column to be added to a table; raises `Refusal` where it does not fit."""
    if given.options.encrypt:
        raise Refusal(ErrorType.GENERAL_BAD_REQUEST, "Encrypted columns are not supported.")
    made = Column(
        n=0,
        key=given.key,
        kind_name=given.kind,
        options=KINDS[given.kind].options(given.options),
        required=given.required,
        default=given.default,
        array=given.array,
        created_at=now,
        updated_at=now,
    )
    if any(known.key.lower() == made.key.lower() for known in table.columns):
        raise Refusal(ErrorType.COLUMN_ALREADY_EXISTS)
    if len(table.columns) >= MOST_COLUMNS or table.width + made.width > ROW_BYTES:
        raise Refusal(ErrorType.COLUMN_LIMIT_EXCEEDED)
    return checked_default(made)


def index(table: Table, given: NewIndex, now: datetime) -> Index:
    """Return an index to be added to a table; raises `Refusal` where it does not fit."""
    if given.type in INDEX_TYPES_TO_COME:
        raise _index_invalid(f"{given.type} indexes are not supported")
    if given.type not in INDEX_TYPES:
        raise ArgumentInvalid("type", f"it must be one of ({', '.join(INDEX_TYPES)})")
    if any(known.key.lower() == given.key.lower() for known in table.indexes):
        raise Refusal(ErrorType.COLUMN_INDEX_ALREADY_EXISTS)
    if len(table.indexes) >= MOST_INDEXES:
        raise Refusal(ErrorType.COLUMN_INDEX_LIMIT_EXCEEDED, f"A table may have at most {MOST_INDEXES} indexes.")
    if not given.columns or len(set(given.columns)) != len(given.columns):
        raise _index_invalid("its columns must be different")
    if len(given.orders) > len(given.columns) or len(given.lengths) > len(given.columns):
        raise _index_invalid("it has more orders or lengths than columns")
    if any(order.upper() not in ORDERS for order in given.orders):
        raise ArgumentInvalid("orders", "each must be ASC or DESC")
    lengths = [*given.lengths, *([None] * (len(given.columns) - len(given.lengths)))]
    _check_widths(table, given, lengths)
    return Index(
        n=0,
        key=given.key,
        type=given.type,
        columns=given.columns,
        orders=given.orders,
        lengths=lengths,
        created_at=now,
        updated_at=now,
    )


def _check_widths(table: Table, given: NewIndex, lengths: list[int | None]) -> None:
    width = sum(_width(table, key, length) for key, length in zip(given.columns, lengths, strict=True))
    if given.type != "fulltext":
        if width > INDEX_WIDTH:
            raise _index_invalid(f"it is wider than {INDEX_WIDTH}")
    elif not all(key in table.by_key and table.by_key[key].kind.is_text for key in given.columns):
        raise _index_invalid("fulltext is for text columns")


def _width(table: Table, key: str, length: int | None) -> int:
    if key in SYSTEM_COLUMNS and key != "$sequence":
        if length:
            raise _index_invalid("lengths are for texts")
        return 36 if key == "$id" else 1
    found = table.by_key.get(key)
    if found is None:
        raise Refusal(ErrorType.COLUMN_UNKNOWN, f"The column {key[:36]} of the index does not exist.")
    if found.array:
        raise Refusal(ErrorType.INDEX_INVALID, "Array columns cannot be indexed.")
    if length is None or length == 0:
        return found.kind.index_width(found.options)
    if not found.kind.is_text:
        raise _index_invalid("lengths are for texts")
    if length < 0 or (found.options.size is not None and length > found.options.size):
        raise _index_invalid("a length lies outside its column's size")
    return length


def _index_invalid(reason: str) -> Refusal:
    return Refusal(ErrorType.COLUMN_INDEX_INVALID, f"The index is invalid: {reason}.")
