"""What a table may be made of: columns and indexes, checked against what is there."""

from datetime import datetime
from typing import Any

import msgspec

from services.data.domain.catalogue import (
    INDEX_WIDTH,
    MAX_COLUMNS,
    MAX_INDEXES,
    ROW_BYTES,
    SYSTEM_COLUMNS,
    Column,
    Index,
    Table,
)
from services.data.domain.columns import INLINE, KINDS
from services.data.domain.columns.kind import Kind, Options
from services.data.domain.rows import checked_default
from shared.contracts.ids import TableId
from shared.kernel.errors import ArgumentInvalid, ErrorType, Refusal
from shared.kernel.ids import is_id

INDEX_TYPES = ("key", "unique", "fulltext")
INDEX_TYPES_TO_COME = frozenset({"spatial"})
ORDERS = frozenset({"ASC", "DESC"})
FORMATS = frozenset({"email", "enum", "ip", "url"})
"""Kinds that may also be requested as strings of a format."""
LEAST_ENCRYPTED = 150
"""Characters that an encrypted column must have room for, as in Appwrite."""


class NewColumn(msgspec.Struct, frozen=True, kw_only=True):
    """A requested column; `kind` is a name of KINDS."""

    key: str
    kind: str
    required: bool = False
    default: Any = None  # Any: a JSON value, checked by the kind
    array: bool = False
    options: Options = Options()


class NewIndex(msgspec.Struct, frozen=True, kw_only=True):
    """A requested index."""

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
    """A requested table, with its first columns and indexes."""

    id: TableId
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
    encrypt: bool = False


class InlineIndex(msgspec.Struct, frozen=True, kw_only=True):
    """An index inside the creation of a table; its columns are called attributes there."""

    key: str
    type: str
    attributes: list[str]
    orders: list[str] = []
    lengths: list[int | None] = []


def inline_column(inline: InlineColumn) -> NewColumn:
    """Return the column that is meant; raises `Refusal(GENERAL_ARGUMENT_INVALID)` for an unknown type."""
    kind = INLINE.get(inline.type)
    if inline.type == "string" and inline.format:
        kind = inline.format if inline.format in FORMATS else None
    if kind is None:
        raise ArgumentInvalid("columns", f"Invalid type for attribute '{inline.key[:36]}': {inline.type[:36]}")
    if not is_id(inline.key):
        raise ArgumentInvalid("columns", "the key of a column must be a valid id")
    return NewColumn(
        key=inline.key,
        kind=kind,
        required=inline.required,
        default=inline.default,
        array=inline.array,
        options=Options(
            size=inline.size,
            min=inline.min,
            max=inline.max,
            elements=tuple(inline.elements),
            encrypt=inline.encrypt,
        ),
    )


def inline_index(inline: InlineIndex) -> NewIndex:
    """Return the index that is meant."""
    for name, values in (("orders", inline.orders), ("lengths", inline.lengths)):
        if values and len(values) != len(inline.attributes):
            raise ArgumentInvalid("indexes", f"{name} must have as many entries as attributes")
    if not is_id(inline.key):
        raise ArgumentInvalid("indexes", "the key of an index must be a valid id")
    return NewIndex(
        key=inline.key, type=inline.type, columns=inline.attributes, orders=inline.orders, lengths=inline.lengths
    )


def column(table: Table, new: NewColumn, now: datetime) -> Column:
    """Return a column to be added to a table; raises `Refusal` where it does not fit."""
    column_ = Column(
        n=0,
        key=new.key,
        kind_name=new.kind,
        options=options_of(KINDS[new.kind], new.options),
        required=new.required,
        default=new.default,
        array=new.array,
        created_at=now,
        updated_at=now,
    )
    if any(known.key.lower() == column_.key.lower() for known in table.columns):
        raise Refusal(ErrorType.COLUMN_ALREADY_EXISTS)
    if len(table.columns) >= MAX_COLUMNS or table.width + column_.width > ROW_BYTES:
        raise Refusal(ErrorType.COLUMN_LIMIT_EXCEEDED)
    return checked_default(column_)


def options_of(kind: Kind, requested: Options) -> Options:
    """Return what a column of a kind is declared with; raises as the kind does, `Refusal(GENERAL_BAD_REQUEST)`."""
    options = kind.options(requested)
    if not requested.encrypt:
        return options
    if not kind.is_text or kind.format:
        raise Refusal(ErrorType.GENERAL_BAD_REQUEST, f"Columns of type {kind.name} cannot be encrypted.")
    if options.size is not None and options.size < LEAST_ENCRYPTED:
        raise Refusal(
            ErrorType.GENERAL_BAD_REQUEST,
            f"Size too small. Encrypted strings require a minimum size of {LEAST_ENCRYPTED} characters.",
        )
    return msgspec.structs.replace(options, encrypt=True)


def index(table: Table, new: NewIndex, now: datetime) -> Index:
    """Return an index to be added to a table; raises `Refusal` where it does not fit."""
    if new.type in INDEX_TYPES_TO_COME:
        raise _index_invalid(f"{new.type} indexes are not supported")
    if new.type not in INDEX_TYPES:
        raise ArgumentInvalid("type", f"it must be one of ({', '.join(INDEX_TYPES)})")
    if any(known.key.lower() == new.key.lower() for known in table.indexes):
        raise Refusal(ErrorType.COLUMN_INDEX_ALREADY_EXISTS)
    if len(table.indexes) >= MAX_INDEXES:
        raise Refusal(ErrorType.COLUMN_INDEX_LIMIT_EXCEEDED, f"A table may have at most {MAX_INDEXES} indexes.")
    if not new.columns or len(set(new.columns)) != len(new.columns):
        raise _index_invalid("its columns must be different")
    if len(new.orders) > len(new.columns) or len(new.lengths) > len(new.columns):
        raise _index_invalid("it has more orders or lengths than columns")
    if any(order.upper() not in ORDERS for order in new.orders):
        raise ArgumentInvalid("orders", "each must be ASC or DESC")
    lengths = [*new.lengths, *([None] * (len(new.columns) - len(new.lengths)))]
    _check_widths(table, new, lengths)
    return Index(
        n=0,
        key=new.key,
        type=new.type,
        columns=new.columns,
        orders=new.orders,
        lengths=lengths,
        created_at=now,
        updated_at=now,
    )


def _check_widths(table: Table, new: NewIndex, lengths: list[int | None]) -> None:
    width = sum(_width(table, key, length) for key, length in zip(new.columns, lengths, strict=True))
    if new.type != "fulltext":
        if width > INDEX_WIDTH:
            raise _index_invalid(f"it is wider than {INDEX_WIDTH}")
    elif not all(key in table.by_key and table.by_key[key].kind.is_text for key in new.columns):
        raise _index_invalid("fulltext is for text columns")


def _width(table: Table, key: str, length: int | None) -> int:
    if key in SYSTEM_COLUMNS and key != "$sequence":
        if length:
            raise _index_invalid("lengths are for texts")
        return 36 if key == "$id" else 1
    known = table.by_key.get(key)
    if known is None:
        raise Refusal(ErrorType.COLUMN_UNKNOWN, f"The column {key[:36]} of the index does not exist.")
    if known.array:
        raise Refusal(ErrorType.INDEX_INVALID, "Array columns cannot be indexed.")
    if known.is_encrypted:
        raise _index_invalid("encrypted columns cannot be indexed")
    if length is None or length == 0:
        return known.kind.index_width(known.options)
    if not known.kind.is_text:
        raise _index_invalid("lengths are for texts")
    if length < 0 or (known.options.size is not None and length > known.options.size):
        raise _index_invalid("a length lies outside its column's size")
    return length


def _index_invalid(reason: str) -> Refusal:
    return Refusal(ErrorType.COLUMN_INDEX_INVALID, f"The index is invalid: {reason}.")
