"""Queries over lists of the catalogue: databases, tables, columns, indexes. These are short, and read whole."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from services.data.domain.queries import READS, SYSTEM_FIELDS
from shared.kernel.errors import ErrorType, Refusal
from shared.queries.fields import SEQUENCE, Field
from shared.queries.lists import parse_list_query
from shared.queries.matching import matches, value_in
from shared.queries.search import is_found
from shared.queries.tree import Query

MAX_TOTAL = 5_000

Record = dict[str, Any]
"""Any: JSON, by the names that callers see."""

_EPOCH = datetime.fromtimestamp(0, UTC)


class Listing:
    """One of these lists: its fields, each with the kind of column that it is like, and the field of a cursor."""

    def __init__(self, fields: Mapping[str, str], *, lists: frozenset[str] = frozenset(), cursor: str = "$id") -> None:
        self._cursor = cursor
        self._fields = SYSTEM_FIELDS | {
            key: Field(
                key=key,
                read=READS[kind],
                is_text=kind == "longtext",
                is_array=key in lists,
                is_sortable=key not in lists,
            )
            for key, kind in fields.items()
        }

    def select(
        self, records: list[Record], queries: list[str], *, with_total: bool, search: str = ""
    ) -> tuple[list[int], int]:
        """Return the places of the requested records, in order, and how many match.

        Raises `ArgumentInvalid("queries")`, `Refusal(GENERAL_CURSOR_NOT_FOUND)`.
        """
        query = parse_list_query(queries, self._fields).query
        places = self._ordered(records, query)
        if query.cursor:
            at = self._at(records, places, query.cursor)
            beyond = places[:at][::-1] if query.shape.cursor == "cursorBefore" else places[at + 1 :]
        else:
            beyond = places
        matching = {place for place in places if self._matches(records[place], query, search)}
        page = [place for place in beyond if place in matching][query.offset : query.offset + query.limit]
        if query.shape.cursor == "cursorBefore":
            page.reverse()
        return page, min(len(matching), MAX_TOTAL) if with_total else 0

    def _ordered(self, records: list[Record], query: Query) -> list[int]:
        places = list(range(len(records)))
        for order in reversed(query.shape.orders):
            if order.key == SEQUENCE:
                places.sort(reverse=order.descending)
                continue
            values = [value_in(record, self._fields[order.key]) for record in records]
            nulls_first = [(value is not None, value if value is not None else _EPOCH) for value in values]
            places.sort(key=nulls_first.__getitem__, reverse=order.descending)
        return places

    def _at(self, records: list[Record], places: list[int], cursor: str) -> int:
        for at, place in enumerate(places):
            if records[place].get(self._cursor) == cursor:
                return at
        raise Refusal(ErrorType.GENERAL_CURSOR_NOT_FOUND)

    def _matches(self, record: Record, query: Query, search: str) -> bool:
        if search and not any(is_found(search, str(record.get(name, ""))) for name in ("$id", "name")):
            return False
        return matches(record, query, self._fields.get)
