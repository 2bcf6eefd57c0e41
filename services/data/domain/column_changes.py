"""What a column may become: its kind and being an array stay, everything else may change, checked against the table."""

from typing import Any

import msgspec

from services.data.domain.catalogue import ROW_BYTES, Column, Table
from services.data.domain.columns.kind import Options
from services.data.domain.definitions import NewIndex, index, options_of
from services.data.domain.rows import checked_default
from shared.kernel.errors import ErrorType, Refusal


class ColumnChange(msgspec.Struct, frozen=True, kw_only=True):
    """What a column is to be; `kind` is what the caller takes it for. A size and bounds of None stay as they are."""

    kind: str
    key: str
    required: bool
    default: Any  # Any: a JSON value, checked by the kind
    options: Options


def changed(table: Table, column: Column, change: ColumnChange) -> Column:
    """Return a column of a table as it is after a change.

    Raises `Refusal`: of COLUMN_TYPE_INVALID for another kind, COLUMN_ALREADY_EXISTS, COLUMN_LIMIT_EXCEEDED where a row
    would be too wide, COLUMN_INDEX_INVALID where an index would be, and as the kind does and `checked_default`.
    """
    if change.kind != column.kind_name:
        raise Refusal(ErrorType.COLUMN_TYPE_INVALID, f"The column is not of type {change.kind}.")
    others = [one for one in table.columns if one is not column]
    if any(one.key.lower() == change.key.lower() for one in others):
        raise Refusal(ErrorType.COLUMN_ALREADY_EXISTS)
    resized = msgspec.structs.replace(column, options=options_of(column.kind, _merged(column.options, change.options)))
    if table.width - column.width + resized.width > ROW_BYTES:
        raise Refusal(ErrorType.COLUMN_LIMIT_EXCEEDED, "The table has reached its limit of bytes.")
    _check_indexes(table, resized, [*others, resized])
    return checked_default(
        msgspec.structs.replace(resized, key=change.key, required=change.required, default=change.default)
    )


def shrunk_to(column: Column, after: Column) -> int | None:
    """Return the size after a change, in characters, where it is less than before."""
    before, size = column.options.size, after.options.size
    return size if before is not None and size is not None and size < before else None


def _merged(known: Options, changed: Options) -> Options:
    return Options(
        size=known.size if changed.size is None else changed.size,
        min=known.min if changed.min is None else changed.min,
        max=known.max if changed.max is None else changed.max,
        elements=changed.elements,
        encrypt=known.encrypt,
    )


def _check_indexes(table: Table, resized: Column, columns: list[Column]) -> None:
    """Refuse a size that an index over the column could not be made with."""
    without = msgspec.structs.replace(table, columns=columns, indexes=[])
    for known in table.indexes:
        if resized.key in known.columns:
            new = NewIndex(
                key=known.key, type=known.type, columns=known.columns, orders=known.orders, lengths=known.lengths
            )
            index(without, new, known.created_at)
