"""What the data service knows of a database, a table, its columns and indexes."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from services.data.domain.columns import KINDS
from services.data.domain.columns.kind import Kind, Options
from services.data.domain.naming import Naming
from services.data.domain.seal import NO_SEAL, Seal
from shared.contracts.ids import DatabaseId, ProjectId, RowId, TableId

ROW_BYTES = 65_535
ROW_OVERHEAD_BYTES = 1_067
"""What Appwrite reckons for the columns of its own."""

MAX_COLUMNS = 1_000
MAX_INDEXES = 58
INDEX_WIDTH = 768

SYSTEM_COLUMNS = {"$id": "id", "$sequence": "seq", "$createdAt": "created_at", "$updatedAt": "updated_at"}
"""What each row has, and its column in PostgreSQL."""


class TableKey(NamedTuple):
    """What names a table: its project's incarnation, its database, itself."""

    incarnation: int
    database: DatabaseId
    table: TableId


class RowKey(NamedTuple):
    """What names a row: its table, itself. A row that is to be created may have the id `unique()`."""

    table: TableKey
    row: RowId


class Database(msgspec.Struct, frozen=True, kw_only=True):
    """A database; `n` is its number in PostgreSQL: schema `db_<n>`. `type` is the API that it was made by."""

    n: int
    project: ProjectId
    id: DatabaseId
    name: str
    enabled: bool
    type: Naming
    created_at: datetime
    updated_at: datetime

    @property
    def schema(self) -> str:
        """Its schema in PostgreSQL."""
        return f"db_{self.n}"


class Column(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A column; `n` is its number in PostgreSQL: `c_<n>`. `default` is a JSON value, None for none.

    Of an encrypted column the default is sealed, and `seal_keys` are the ids of the keys that its values may be sealed
    under: the first one seals.
    """

    n: int
    key: str
    kind_name: str
    options: Options
    required: bool
    default: Any  # Any: a JSON value that its kind has checked
    array: bool
    created_at: datetime
    updated_at: datetime
    seal_keys: tuple[str, ...] = ()

    @property
    def kind(self) -> Kind:
        """Its kind."""
        return KINDS[self.kind_name]

    @property
    def name(self) -> str:
        """Its column in PostgreSQL."""
        return f"c_{self.n}"

    @property
    def postgres(self) -> str:
        """Its type in PostgreSQL; what is sealed is a text, also of an array."""
        return f"{self.kind.postgres}[]" if self.array and not self.is_encrypted else self.kind.postgres

    @property
    def is_encrypted(self) -> bool:
        """Whether its values are sealed."""
        return self.options.encrypt

    @property
    def unset(self) -> str:
        """The JSON of it in a row that has no value for it."""
        return "[]" if self.array else "null"

    @property
    def width(self) -> int:
        """Bytes that it takes of a row."""
        return 20 if self.array else self.kind.width(self.options)


Columns = Mapping[str, Column]
"""By key."""


class Index(msgspec.Struct, frozen=True, kw_only=True):
    """An index; `n` is its number in PostgreSQL: `i_<n>`."""

    n: int
    key: str
    type: str
    columns: list[str]
    orders: list[str]
    lengths: list[int | None]
    created_at: datetime
    updated_at: datetime

    @property
    def name(self) -> str:
        """Its name in PostgreSQL."""
        return f"i_{self.n}"


class Table(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A table with all its parts; `version` changes whenever anything of it, or of its database, does.

    One is equal only to itself: statements are remembered by it.
    """

    n: int
    database: Database
    id: TableId
    name: str
    enabled: bool
    row_security: bool
    permissions: list[str]
    version: int
    columns: list[Column]
    indexes: list[Index]
    created_at: datetime
    updated_at: datetime
    naming: Naming = Naming.TABLES_DB
    """How its rows are shown."""
    seal: Seal = NO_SEAL
    """What seals and opens values of encrypted columns."""

    @property
    def rows(self) -> str:
        """The table of its rows in PostgreSQL."""
        return f"{self.database.schema}.t_{self.n}"

    @property
    def grants(self) -> str:
        """The table of its rows' permissions in PostgreSQL."""
        return f"{self.database.schema}.p_{self.n}"

    @property
    def width(self) -> int:
        """Bytes that a row takes, by Appwrite's reckoning."""
        return ROW_OVERHEAD_BYTES + sum(column.width for column in self.columns)

    @property
    def by_key(self) -> Columns:
        """Its columns by their keys."""
        return {column.key: column for column in self.columns}

    @property
    def encrypted(self) -> list[Column]:
        """Its columns whose values are sealed."""
        return [column for column in self.columns if column.options.encrypt]

    @property
    def searchable(self) -> frozenset[str]:
        """The keys of columns with a full-text index of their own."""
        alone = (index.columns for index in self.indexes if index.type == "fulltext")
        return frozenset(columns[0] for columns in alone if len(columns) == 1)
