"""Models of databases, tables, columns and indexes, as Appwrite's SDKs read them."""

from typing import Any

import msgspec

from services.data.domain.catalogue import ROW_BYTES
from services.data.domain.catalogue import Column as ColumnOf
from services.data.domain.catalogue import Database as DatabaseOf
from services.data.domain.catalogue import Index as IndexOf
from services.data.domain.catalogue import Table as TableOf
from shared.kernel.clock import wire_date

Model = dict[str, Any]
"""Any: JSON. The fields of a column depend on its kind."""


class Database(msgspec.Struct, frozen=True, kw_only=True):
    """A database."""

    id: str = msgspec.field(name="$id")
    created_at: str = msgspec.field(name="$createdAt")
    updated_at: str = msgspec.field(name="$updatedAt")
    name: str
    enabled: bool
    type: str
    status: str = "ready"


class DatabaseList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of databases."""

    total: int
    databases: list[Database]


class Table(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A table with its columns and indexes."""

    id: str = msgspec.field(name="$id")
    created_at: str = msgspec.field(name="$createdAt")
    updated_at: str = msgspec.field(name="$updatedAt")
    permissions: list[str] = msgspec.field(name="$permissions")
    database_id: str
    name: str
    enabled: bool
    row_security: bool
    columns: list[Model]
    indexes: list[Model]
    bytes_max: int = ROW_BYTES
    bytes_used: int


class TableList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of tables."""

    total: int
    tables: list[Table]


class ColumnList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of columns."""

    total: int
    columns: list[Model]


class IndexList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of indexes."""

    total: int
    indexes: list[Model]


def database(found: DatabaseOf) -> Database:
    """Write a database."""
    return Database(
        id=found.id,
        created_at=wire_date(found.created_at),
        updated_at=wire_date(found.updated_at),
        name=found.name,
        enabled=found.enabled,
        type=found.type.value,
    )


def table(found: TableOf) -> Table:
    """Write a table."""
    return Table(
        id=found.id,
        created_at=wire_date(found.created_at),
        updated_at=wire_date(found.updated_at),
        permissions=found.permissions,
        database_id=found.database.id,
        name=found.name,
        enabled=found.enabled,
        row_security=found.row_security,
        columns=[column(one) for one in found.columns],
        indexes=[index(one) for one in found.indexes],
        bytes_used=found.width,
    )


def column(found: ColumnOf) -> Model:
    """Write a column; which fields it has follows from its kind."""
    kind, options = found.kind, found.options
    shown: Model = {
        "key": found.key,
        "type": kind.wire_type,
        "status": "available",
        "error": "",
        "required": found.required,
        "array": found.array,
        "$createdAt": wire_date(found.created_at),
        "$updatedAt": wire_date(found.updated_at),
        "default": found.default,
    }
    if kind.format:
        shown["format"] = kind.format
    if options.elements:
        shown["elements"] = list(options.elements)
    elif options.size is not None and not kind.format:
        shown["size"] = options.size
    if options.min is not None:
        shown |= {"min": options.min, "max": options.max}
    if kind.is_text and not kind.format:
        shown["encrypt"] = False
    return shown


def index(found: IndexOf) -> Model:
    """Write an index."""
    return {
        "$id": f"index-{found.n}",
        "$createdAt": wire_date(found.created_at),
        "$updatedAt": wire_date(found.updated_at),
        "key": found.key,
        "type": found.type,
        "status": "available",
        "error": "",
        "columns": found.columns,
        "lengths": found.lengths,
        "orders": found.orders,
    }
