"""Queries over rows: the fields of a table, which are its columns and what each row has besides."""

from functools import lru_cache

from services.data.domain.catalogue import SYSTEM_COLUMNS, Column, Columns
from services.data.domain.columns import KINDS
from services.data.domain.columns.kind import Kind, Options
from services.data.domain.search import search_text
from shared.queries import parser
from shared.queries.fields import Field, FieldOf, Read
from shared.queries.limits import DEFAULT_LIMIT
from shared.queries.tree import Query

SHOWN = frozenset({"$permissions", "$databaseId", "$tableId", "$collectionId"})
"""What each row shows, and no query may ask about."""

MAX_FIELDS = 4_096
"""So many are kept; a column is another one in each version of its table."""

_ANY = Options()
_SYSTEM_KINDS = {"$id": "longtext", "$sequence": "bigint", "$createdAt": "datetime", "$updatedAt": "datetime"}


def _read_of(kind: Kind) -> Read:
    # A value that the column could not hold is good to compare with, as long as it is of its type.
    check = (KINDS["longtext"] if kind.is_text else kind).check
    return lambda value: check(value, _ANY)


READS: dict[str, Read] = {name: _read_of(kind) for name, kind in KINDS.items()}
"""By kind of column."""

SYSTEM_FIELDS = {
    key: Field(key=key, read=READS[_SYSTEM_KINDS[key]], is_text=key == "$id", is_fixed=True) for key in SYSTEM_COLUMNS
}


def fields_of(columns: Columns, searchable: frozenset[str] = frozenset()) -> FieldOf:
    """Return the fields of a table; `searchable` are the keys of columns with a full-text index of their own."""

    def field_of(key: str) -> Field | None:
        column = columns.get(key)
        return SYSTEM_FIELDS.get(key) if column is None else _field(column, key in searchable)

    return field_of


@lru_cache(maxsize=MAX_FIELDS)
def _field(column: Column, is_searchable: bool) -> Field:
    return Field(
        key=column.key,
        read=READS[column.kind_name],
        is_text=column.kind.is_text,
        is_array=column.array,
        is_sortable=not column.array,
        is_encrypted=column.is_encrypted,
        search=search_text if is_searchable else None,
    )


def parse_row_queries(
    texts: list[str], columns: Columns, *, searchable: frozenset[str] = frozenset(), limit: int = DEFAULT_LIMIT
) -> Query:
    """Return the query of a table; raises as `shared.queries.parser.parse_query`."""
    return parser.parse_query(texts, fields_of(columns, searchable), shown=SHOWN, limit=limit)


def parse_selection(texts: list[str], columns: Columns) -> tuple[str, ...] | None:
    """Return what the queries of a single row select; raises as `parse_row_queries`."""
    return parser.parse_selection(texts, fields_of(columns), shown=SHOWN)
