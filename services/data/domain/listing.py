"""Queries over lists of the catalogue: databases, tables, columns, indexes. These are short, and read whole."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from services.data.domain.catalogue import Column
from services.data.domain.columns import KINDS
from services.data.domain.columns.kind import Options
from services.data.domain.filters import Filter, Joined, Values
from services.data.domain.queries import RowQuery, parse_row_queries
from shared.kernel.errors import ArgumentInvalid, ErrorType, Refusal

MOST_TOTAL = 5_000

Record = dict[str, Any]
"""Any: JSON, by the names that callers see."""

_EPOCH = datetime.fromtimestamp(0, UTC)
_SYSTEM = {"$id": "id", "$createdAt": "created_at", "$updatedAt": "updated_at"}

_TESTS: dict[str, Callable[[Any, Values], bool]] = {
    "equal": lambda own, values: own == values[0],
    "notEqual": lambda own, values: own != values[0],
    "lessThan": lambda own, values: own < values[0],
    "lessThanEqual": lambda own, values: own <= values[0],
    "greaterThan": lambda own, values: own > values[0],
    "greaterThanEqual": lambda own, values: own >= values[0],
    "between": lambda own, values: values[0] <= own <= values[1],
    "startsWith": lambda own, values: own.startswith(values[0]),
    "endsWith": lambda own, values: own.endswith(values[0]),
    "contains": lambda own, values: values[0] in own,
}
"""Of one value, or of the two of `between`."""


class Listing:
    """One of these lists: the fields that may be asked for, each with its kind, and the field that a cursor holds.

    A field is a column that nobody stores, so that its queries are read as those of rows are.
    """

    def __init__(self, fields: Mapping[str, str], *, lists: frozenset[str] = frozenset(), cursor: str = "$id") -> None:
        self._cursor = cursor
        self._columns = {
            key: _field(n, key, kind_name=kind, array=key in lists) for n, (key, kind) in enumerate(fields.items(), 1)
        }
        self._names = {name: key for key, name in _SYSTEM.items()}
        self._names |= {column.name: key for key, column in self._columns.items()}

    def select(
        self, records: list[Record], queries: list[str], *, with_total: bool, search: str = ""
    ) -> tuple[list[int], int]:
        """Return the places of the records that are asked for, in order, and how many match.

        Raises `ArgumentInvalid("queries")`, `Refusal(GENERAL_CURSOR_NOT_FOUND)`.
        """
        query = self._parse(queries)
        places = self._ordered(records, query)
        if query.cursor:
            at = self._at(records, places, query.cursor)
            beyond = places[:at][::-1] if query.shape.cursor == "cursorBefore" else places[at + 1 :]
        else:
            beyond = places
        matching = [place for place in places if self._matches(records[place], query, search)]
        page = [place for place in beyond if self._matches(records[place], query, search)]
        page = page[query.offset : query.offset + query.limit]
        if query.shape.cursor == "cursorBefore":
            page.reverse()
        return page, min(len(matching), MOST_TOTAL) if with_total else 0

    def _parse(self, queries: list[str]) -> RowQuery:
        try:
            query = parse_row_queries(queries, self._columns)
        except Refusal as refusal:
            raise ArgumentInvalid("queries", refusal.message) from refusal
        if query.shape.selected is not None or query.shape.is_random:
            raise ArgumentInvalid("queries", "Invalid query method: these lists support neither select nor orderRandom")
        return query

    def _ordered(self, records: list[Record], query: RowQuery) -> list[int]:
        places = list(range(len(records)))
        for order in reversed(query.shape.orders):
            values = [self._value(record, order.column) for record in records]
            if order.column == "seq":
                places.sort(reverse=order.descending)
                continue
            nulls_first = [(value is not None, value if value is not None else _EPOCH) for value in values]
            places.sort(key=nulls_first.__getitem__, reverse=order.descending)
        return places

    def _at(self, records: list[Record], places: list[int], cursor: str) -> int:
        for at, place in enumerate(places):
            if records[place].get(self._cursor) == cursor:
                return at
        raise Refusal(ErrorType.GENERAL_CURSOR_NOT_FOUND, "The item that the cursor names could not be found.")

    def _matches(self, record: Record, query: RowQuery, search: str) -> bool:
        if search and not any(search.lower() in str(record.get(name, "")).lower() for name in ("$id", "name")):
            return False
        return all(self._fits(record, one, query.values) for one in query.shape.filters)

    def _fits(self, record: Record, one: Filter | Joined, values: Values) -> bool:
        if isinstance(one, Joined):
            fits = [self._fits(record, part, values) for part in one.parts]
            return all(fits) if one.method == "and" else any(fits)
        own = self._value(record, one.column)
        if one.method in {"isNull", "isNotNull"}:
            return (own is None) == (one.method == "isNull")
        if own is None:
            return False
        if not one.is_many:
            return _TESTS[one.method](own, values[one.first :]) != one.is_negated
        quantifier, method = (all, "contains") if one.method == "containsAll" else (any, one.method)
        return quantifier(_TESTS[method](own, [value]) for value in values[one.first]) != one.is_negated

    def _value(self, record: Record, column: str) -> Any:  # Any: what the kind of the column makes of JSON
        value = record.get(self._names.get(column, ""))
        if column in {"created_at", "updated_at"} and value is not None:
            return KINDS["datetime"].check(value, Options())
        return value


def _field(n: int, key: str, *, kind_name: str, array: bool) -> Column:
    return Column(
        n=n,
        key=key,
        kind_name=kind_name,
        options=Options(),
        required=False,
        default=None,
        array=array,
        created_at=_EPOCH,
        updated_at=_EPOCH,
    )
