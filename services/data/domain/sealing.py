"""Values of encrypted columns, sealed for their rows: what is moved elsewhere does not open there.

A value is bound to its project, database, table, column and row, by the numbers and ids that no rename changes; a
default to its table and the key of its column. Null is not sealed.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from services.data.domain.catalogue import Column, Table
from services.data.domain.seal import KeyMissing, NotOpened
from shared.contracts.ids import NO_ROW, RowId
from shared.kernel.errors import ErrorType, Refusal

Values = list[tuple[Column, Any]]
"""Any: what the column's kind made of a value; of a column that is not encrypted, what PostgreSQL takes."""

QUOTE = ord('"')

_rows = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
_text = msgspec.json.Decoder(str)


class DecryptionFailed(Refusal):
    """A value of an encrypted column cannot be opened, or sealed since its key is missing; `row` "": its default."""

    def __init__(self, table: Table, column: Column, row: str) -> None:
        what = f'The value of the column "{column.key}" of row "{row}"' if row else f'The default of "{column.key}"'
        super().__init__(ErrorType.COLUMN_DECRYPTION_FAILED, f"{what} cannot be decrypted. The log names the cause.")
        self.place = {"table": table.id, "database": table.database.id, "column": column.key, "row": row}


def seal_values(table: Table, row_id: RowId, values: Values, held: Mapping[int, str | None] | None = None) -> Values:
    """Return values with those of encrypted columns sealed for a row; raises `DecryptionFailed`.

    `held`: what the row has sealed already, by the numbers of the columns: it stays where it is the same value.
    """
    held = held or {}
    return [
        (column, _seal_changed(table, column, row_id, value, held.get(column.n)) if column.is_encrypted else value)
        for column, value in values
    ]


def seal_value(table: Table, column: Column, row_id: RowId, value: Any) -> str | None:  # Any: a value of the column
    """Return a value of an encrypted column, sealed for a row; raises `DecryptionFailed`."""
    return None if value is None else _close(table, column, row_id, msgspec.json.encode(value))


def reseal(table: Table, column: Column, row_id: RowId, sealed: str) -> str:
    """Return what is sealed for a row, sealed again under the present key; raises `DecryptionFailed`."""
    return _close(table, column, row_id, _open(table, column, row_id, sealed))


def open_value(table: Table, column: Column, row_id: RowId, sealed: str) -> Any:  # Any: a value of the column
    """Return what is sealed for a row; raises `DecryptionFailed`."""
    return msgspec.json.decode(_open(table, column, row_id, sealed))


def is_held(table: Table, row_id: RowId, row: str, values: Values) -> bool:
    """Say whether a row, as JSON with its values still sealed, has these values in its encrypted columns."""
    named = [(column, value) for column, value in values if column.is_encrypted]
    if not named:
        return True
    known = msgspec.json.decode(row, type=dict[str, msgspec.Raw])
    return all(_is_same(table, column, row_id, _sealed_in(known[column.key]), value) for column, value in named)


def open_rows(table: Table, rows: str) -> str:
    """Return rows, as JSON with commas between them, with their values opened; raises `DecryptionFailed`."""
    columns = {column.key: column for column in table.encrypted}
    opened = _rows.decode(f"[{rows}]")
    for row in opened:
        row_id = RowId(_text.decode(row["$id"]))
        for key in columns.keys() & row.keys():
            sealed = _sealed_in(row[key])
            if sealed is not None:
                row[key] = msgspec.Raw(_open(table, columns[key], row_id, sealed))
    return msgspec.json.encode(opened)[1:-1].decode()


def sealed_column(table: Table, column: Column) -> Column:
    """Return a new column as it is stored: an encrypted one with the key that seals it, and its default sealed.

    Raises `Refusal(GENERAL_BAD_REQUEST)` without a column key.
    """
    if not column.is_encrypted:
        return column
    if not table.seal.ids:
        raise Refusal(ErrorType.GENERAL_BAD_REQUEST, "Encrypted columns need a column key: set DAYPASS_COLUMN_KEY.")
    return seal_default(table, msgspec.structs.replace(column, seal_keys=table.seal.ids[:1]))


def seal_default(table: Table, column: Column) -> Column:
    """Return a column with its default sealed, if it is encrypted; raises `DecryptionFailed`."""
    if not column.is_encrypted or column.default is None:
        return column
    return msgspec.structs.replace(column, default=_close(table, column, NO_ROW, msgspec.json.encode(column.default)))


def open_default(table: Table, column: Column) -> Any:  # Any: JSON
    """Return the default of a column; raises `DecryptionFailed`."""
    if not column.is_encrypted or column.default is None:
        return column.default
    return msgspec.json.decode(_open(table, column, NO_ROW, column.default))


def with_open_defaults(table: Table) -> Table:
    """Return a table with its columns as keys see them; raises `DecryptionFailed`."""
    if not any(column.default is not None for column in table.encrypted):
        return table
    columns = [msgspec.structs.replace(column, default=open_default(table, column)) for column in table.columns]
    return msgspec.structs.replace(table, columns=columns)


def _seal_changed(table: Table, column: Column, row_id: RowId, value: Any, held: str | None) -> str | None:
    if held is not None and _is_same(table, column, row_id, held, value):
        return held
    return seal_value(table, column, row_id, value)


def _is_same(table: Table, column: Column, row_id: RowId, sealed: str | None, value: Any) -> bool:
    if sealed is None or value is None:
        return sealed is value
    try:
        return bool(_open(table, column, row_id, sealed) == msgspec.json.encode(value))
    except DecryptionFailed:
        return False


def _sealed_in(value: msgspec.Raw) -> str | None:
    """Return what is sealed in the JSON of a row; None where there is nothing: null, or no elements."""
    return _text.decode(value) if memoryview(value)[0] == QUOTE else None


def _close(table: Table, column: Column, row_id: RowId, plain: bytes) -> str:
    try:
        return table.seal.close(plain, key_id=column.seal_keys[0], table=table.n, place=_place(table, column, row_id))
    except KeyMissing as error:
        raise DecryptionFailed(table, column, row_id) from error


def _open(table: Table, column: Column, row_id: RowId, sealed: str) -> bytes:
    try:
        return table.seal.open(sealed, table=table.n, place=_place(table, column, row_id))
    except NotOpened as error:
        raise DecryptionFailed(table, column, row_id) from error


def _place(table: Table, column: Column, row_id: RowId) -> bytes:
    """Return what a value is bound to. Ids and keys have no line breaks; a default has no row, and no number yet."""
    where = f"row {column.n}\n{row_id}" if row_id else f"default\n{column.key}"
    return f"{table.database.project}\n{table.database.n}\n{table.n}\n{where}".encode()
