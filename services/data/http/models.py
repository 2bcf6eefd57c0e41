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


def database(definition: DatabaseOf) -> Database:
    """Write a database."""
    return Database(
        id=definition.id,
        created_at=wire_date(definition.created_at),
        updated_at=wire_date(definition.updated_at),
        name=definition.name,
        enabled=definition.enabled,
        type=definition.type.value,
    )


def table(definition: TableOf) -> Table:
    """Write a table."""
    return Table(
        id=definition.id,
        created_at=wire_date(definition.created_at),
        updated_at=wire_date(definition.updated_at),
        permissions=definition.permissions,
        database_id=definition.database.id,
        name=definition.name,
        enabled=definition.enabled,
        row_security=definition.row_security,
        columns=[column(one) for one in definition.columns],
        indexes=[index(one) for one in definition.indexes],
        bytes_used=definition.width,
    )


def column(definition: ColumnOf) -> Model:
    """Write a column; which fields it has follows from its kind."""
    kind, options = definition.kind, definition.options
    shown: Model = {
        "key": definition.key,
        "type": kind.wire_type,
        "status": "available",
        "error": "",
        "required": definition.required,
        "array": definition.array,
        "$createdAt": wire_date(definition.created_at),
        "$updatedAt": wire_date(definition.updated_at),
        "default": definition.default,
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
        shown["encrypt"] = definition.is_encrypted
    return shown


def index(definition: IndexOf) -> Model:
    """Write an index."""
    return {
        "$id": f"index-{definition.n}",
        "$createdAt": wire_date(definition.created_at),
        "$updatedAt": wire_date(definition.updated_at),
        "key": definition.key,
        "type": definition.type,
        "status": "available",
        "error": "",
        "columns": definition.columns,
        "lengths": definition.lengths,
        "orders": definition.orders,
    }
