"""Conditions on rows, checked against a table.

The values stand apart from the rest: many lists ask for the same of a table but for values, and have one statement.
"""

import re
from datetime import datetime
from typing import Any

import msgspec

from services.data.domain.catalogue import SYSTEM_COLUMNS, Column, Columns
from services.data.domain.columns import KINDS
from services.data.domain.columns.kind import Options, ValueInvalid
from services.data.domain.query_strings import Query, UnfitQuery, query_invalid

MOST_VALUES = 500
MOST_DEPTH = 3
MOST_CONDITIONS = 100
"""Of one list, with those inside of others."""
LONGEST_WORD_BYTES = 2_000
_WORDS = re.compile(r"\w+")

Values = list[Any]
"""Any: what a column's kind makes of a JSON value, ready for the driver."""

NEGATIONS = {
    "notContains": "contains",
    "notBetween": "between",
    "notStartsWith": "startsWith",
    "notEndsWith": "endsWith",
    "notSearch": "search",
}
"""What each of these says is not so. Rows without a value fit neither way, but for `notSearch`."""

SAME = {"containsAny": "contains"}
SEVERAL = frozenset({"equal", "contains", "containsAll"})
"""These take one or more values; all others take a number of them that is fixed."""
NUMBERS = {
    **dict.fromkeys(("isNull", "isNotNull"), 0),
    **dict.fromkeys(("notEqual", "lessThan", "lessThanEqual", "greaterThan", "greaterThanEqual"), 1),
    **dict.fromkeys(("startsWith", "endsWith", "search"), 1),
    "between": 2,
}
ON_TEXT = frozenset({"startsWith", "endsWith", "contains", "search"})
ON_ARRAY = frozenset({"contains", "containsAll", "isNull", "isNotNull"})


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """A condition on one column, by its SQL name. Its values are `RowQuery.values` from `first` on.

    `is_many`: there is one value, which is a list: one of its elements must fit, or for `containsAll` each.
    """

    method: str
    column: str
    array: bool
    is_many: bool
    is_negated: bool
    first: int


class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """Conditions joined by `and` or `or`."""

    method: str
    parts: tuple["Filter | Joined", ...]


def conditions_in(parts: tuple[Filter | Joined, ...]) -> int:
    """Return how many conditions there are, with those inside of others."""
    return sum(1 + (conditions_in(part.parts) if isinstance(part, Joined) else 0) for part in parts)


class FilterParser:
    """Reads the filters of one list. `searchable` are the keys of columns with a full-text index of their own.

    `values` grows by what each filter compares with. `unfit` is the first refusal that rests on what the columns are:
    what is wrong with a query in any table is raised before it.
    """

    def __init__(self, columns: Columns, searchable: frozenset[str] = frozenset()) -> None:
        self._columns = columns
        self._searchable = searchable
        self._count = 0
        self.values: Values = []
        self.unfit: UnfitQuery | None = None

    def parse(self, query: Query, *, depth: int = 1) -> Filter | Joined:
        """Return what a query asks for, of no use where it is unfit; raises `Refusal(GENERAL_QUERY_INVALID)`."""
        self._count += 1
        if self._count > MOST_CONDITIONS:
            raise query_invalid(f"at most {MOST_CONDITIONS} conditions are allowed together")
        if query.method in {"and", "or"}:
            return self._joined(query, depth=depth)
        method = NEGATIONS.get(query.method, SAME.get(query.method, query.method))
        _check_number(query, method)
        if query.attribute in SYSTEM_COLUMNS:
            if method in {"search", "containsAll"} or (method in ON_TEXT and query.attribute != "$id"):
                raise query_invalid(f"{query.method} cannot be used on {query.attribute}")
            system: Values = [_system_value(query.attribute, value) for value in query.values]
            return self._keep(query, method, SYSTEM_COLUMNS[query.attribute], system, array=False)
        try:
            return self._on_column(query, method)
        except UnfitQuery as unfit:
            self.unfit = self.unfit or unfit
            return Joined(method=query.method, parts=())

    def _on_column(self, query: Query, method: str) -> Filter:
        column = self._columns.get(query.attribute)
        if column is None:
            raise UnfitQuery(f"Attribute not found in schema: {query.attribute[:64]}")
        self._check_column(query, method, column)
        ready: Values = [_value(column, value) for value in query.values]
        if method == "search":
            ready = [search_text(ready[0])]
        return self._keep(query, method, column.name, ready, array=column.array)

    def _check_column(self, query: Query, method: str, column: Column) -> None:
        if column.array and method not in ON_ARRAY:
            raise UnfitQuery(f"{query.method} cannot be used on the array column {column.key}")
        if method == "containsAll" and not column.array:
            raise UnfitQuery("containsAll needs an array column")
        if method in ON_TEXT and not (column.array or column.kind.is_text):
            raise UnfitQuery(f"{query.method} needs a text or array column")
        if method == "search" and column.key not in self._searchable:
            raise UnfitQuery(f"{query.method} needs a fulltext index on the column {column.key} alone")

    def _keep(self, query: Query, method: str, column: str, ready: Values, *, array: bool) -> Filter:
        is_many = method in SEVERAL and (array or len(ready) > 1)
        kept = Filter(
            method=method,
            column=column,
            array=array,
            is_many=is_many,
            is_negated=query.method in NEGATIONS,
            first=len(self.values),
        )
        self.values += [ready] if is_many else ready
        return kept

    def _joined(self, query: Query, *, depth: int) -> Joined:
        if depth > MOST_DEPTH or len(query.values) < 2:  # noqa: PLR2004 one alone joins nothing
            raise query_invalid(f"{query.method} needs at least two queries, nested at most {MOST_DEPTH} deep")
        try:
            inner = msgspec.convert(query.values, list[Query])
        except msgspec.ValidationError as error:
            raise query_invalid(f"{query.method} needs queries") from error
        return Joined(method=query.method, parts=tuple(self.parse(one, depth=depth + 1) for one in inner))


def search_text(text: str) -> str:
    """Return the search for any of a text's words, the last of which may go on, or for a phrase in double quotes.

    It is in PostgreSQL's language of text search, for `to_tsquery`. Words longer than any that is indexed are left out.
    """
    words = [word for word in _WORDS.findall(text) if len(word.encode()) <= LONGEST_WORD_BYTES]
    phrase = text.strip()
    if len(phrase) > 1 and phrase[0] == phrase[-1] == '"':
        return f"'{' '.join(words)}'" if words else ""
    return " | ".join(f"'{word}'" for word in words) + (":*" if words else "")


def _check_number(query: Query, method: str) -> None:
    given = len(query.values)
    if given > MOST_VALUES:
        raise query_invalid(f"at most {MOST_VALUES} values are allowed")
    if method in SEVERAL:
        if not given:
            raise query_invalid(f"{query.method} needs at least one value")
    elif method not in NUMBERS:
        raise query_invalid(f"Invalid query method: {query.method[:64]}")
    elif given != NUMBERS[method]:
        raise query_invalid(f"{query.method} needs {NUMBERS[method]} values")


def _value(column: Column, value: Any) -> Any:  # Any: JSON in, what the driver takes out
    # A value that the column could not hold is good to compare with, as long as it is of its type.
    kind = KINDS["longtext"] if column.kind.is_text else column.kind
    try:
        return kind.check(value, Options())
    except ValueInvalid as error:
        raise UnfitQuery(f'Query value is invalid for attribute "{column.key}": {error}') from error


def _system_value(attribute: str, value: Any) -> str | int | datetime:  # Any: JSON
    name = {"$id": "longtext", "$sequence": "bigint"}.get(attribute, "datetime")
    try:
        found: str | int | datetime = KINDS[name].check(value, Options())
    except ValueInvalid as error:
        raise query_invalid(f'Query value is invalid for attribute "{attribute}": {error}') from error
    return found
