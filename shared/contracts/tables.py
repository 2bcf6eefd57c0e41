"""Requests of the command line to data: tables and their rows, as a key sees them.

Rows are JSON as over HTTP, but values of encrypted columns are as they are stored: no plaintext of them is on the bus.
`database`, `table` and `row` are ids.
"""

from typing import Any, ClassVar, Generic

import msgspec

from shared.contracts.ids import DatabaseId, ProjectId, RowId, TableId
from shared.contracts.requests import ADMIN, A, Request


class ColumnRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A column; `default` is a JSON value, and None for an encrypted column.

    `options` are those of its type: `size`, `min`, `max`, `elements`, `encrypt`.
    """

    key: str
    type: str
    array: bool
    required: bool
    default: Any = None  # Any: JSON
    options: dict[str, Any] = {}  # Any: JSON


class IndexRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An index, and the order of each of its columns."""

    key: str
    type: str
    columns: tuple[str, ...]
    orders: tuple[str, ...]


class TableRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A table with its definition."""

    database: str
    id: str
    name: str
    enabled: bool
    row_security: bool
    permissions: tuple[str, ...]
    columns: tuple[ColumnRecord, ...]
    indexes: tuple[IndexRecord, ...]


class TableRecords(msgspec.Struct, frozen=True, kw_only=True):
    """Tables: all of a database, or of all databases, or the requested one."""

    tables: tuple[TableRecord, ...]


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """JSON: a row, or a page of rows with its `total`."""

    json: bytes

    def __repr__(self) -> str:
        return "Rows(…)"


class AskedOfData(Request[A], Generic[A], frozen=True, kw_only=True):
    """What the command line asks of data."""

    SERVICE: ClassVar[str] = "data"
    LANE: ClassVar[str] = ADMIN

    project_id: ProjectId = msgspec.field(name="project")


class ListTables(AskedOfData[TableRecords], frozen=True, kw_only=True):
    """`table.list`: those of a database, empty: of all. Refused with `project_not_found`, `database_not_found`."""

    TYPE: ClassVar[str] = "table.list"
    ANSWER: ClassVar[type[msgspec.Struct]] = TableRecords

    database: DatabaseId = DatabaseId("")


class ShowTable(AskedOfData[TableRecords], frozen=True, kw_only=True):
    """`table.show`. Refused with `project_not_found`, `database_not_found`, `table_not_found`."""

    TYPE: ClassVar[str] = "table.show"
    ANSWER: ClassVar[type[msgspec.Struct]] = TableRecords

    database: DatabaseId
    table: TableId


class ListRows(AskedOfData[Rows], frozen=True, kw_only=True):
    """`row.list`: a page by queries in the SDKs' syntax. Refused as `table.show`, and with `general_query_invalid`."""

    TYPE: ClassVar[str] = "row.list"
    ANSWER: ClassVar[type[msgspec.Struct]] = Rows

    database: DatabaseId
    table: TableId
    queries: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"ListRows({self.project_id!r}, {self.database!r}, {self.table!r}, …)"


class ShowRow(AskedOfData[Rows], frozen=True, kw_only=True):
    """`row.show`. Refused as `table.show`, and with `row_not_found`."""

    TYPE: ClassVar[str] = "row.show"
    ANSWER: ClassVar[type[msgspec.Struct]] = Rows

    database: DatabaseId
    table: TableId
    row: RowId
