"""Conditions on rows, checked against a table.

The values stand apart from the rest: many lists ask for the same of a table but for values, and have one statement.
"""

from datetime import datetime
from typing import Any

import msgspec

from services.data.domain.catalogue import SYSTEM_COLUMNS, Column, Columns
from services.data.domain.columns import KINDS
from services.data.domain.columns.kind import Options, ValueInvalid
from services.data.domain.query_strings import Query, query_invalid

MOST_VALUES = 500
MOST_DEPTH = 3

Values = list[Any]
"""Any: what a column's kind makes of a JSON value, ready for the driver."""

SINGLE = frozenset(
    {"notEqual", "lessThan", "lessThanEqual", "greaterThan", "greaterThanEqual", "startsWith", "endsWith"}
)
SEVERAL = frozenset({"equal", "contains"})
"""These take one or more values; all others take a number of them that is fixed."""
NONE = frozenset({"isNull", "isNotNull"})
ON_TEXT = frozenset({"startsWith", "endsWith", "contains"})
ON_ARRAY = frozenset({"contains", "isNull", "isNotNull"})
NUMBERS = {"between": 2, **dict.fromkeys(SINGLE, 1), **dict.fromkeys(NONE, 0)}


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """A condition on one column, by its SQL name. Its values are `RowQuery.values` from `first` on.

    `is_many`: there is one value, which is a list, and one of its elements must fit.
    """

    method: str
    column: str
    array: bool
    is_many: bool
    first: int


class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """Conditions joined by `and` or `or`."""

    method: str
    parts: tuple["Filter | Joined", ...]


def parse_filter(query: Query, columns: Columns, values: Values, *, depth: int) -> Filter | Joined:
    """Return what a query asks for, its values added to `values`; raises `Refusal(GENERAL_QUERY_INVALID)`."""
    if query.method in {"and", "or"}:
        return _joined(query, columns, values, depth=depth)
    _check_number(query)
    if query.attribute in SYSTEM_COLUMNS:
        if query.method in ON_TEXT and query.attribute != "$id":
            raise query_invalid(f"{query.method} needs a text column")
        ready = [_system_value(query.attribute, value) for value in query.values]
        return _keep(query, SYSTEM_COLUMNS[query.attribute], ready, values, array=False)
    column = columns.get(query.attribute)
    if column is None:
        raise query_invalid(f"Attribute not found in schema: {query.attribute[:64]}")
    if column.array and query.method not in ON_ARRAY:
        raise query_invalid(f"{query.method} cannot be used on the array column {column.key}")
    if query.method in ON_TEXT and not (column.array or column.kind.is_text):
        raise query_invalid(f"{query.method} needs a text or array column")
    ready = [_value(column, value) for value in query.values]
    return _keep(query, column.name, ready, values, array=column.array)


def _keep(query: Query, column: str, ready: Values, values: Values, *, array: bool) -> Filter:
    is_many = query.method in SEVERAL and len(ready) > 1
    kept = Filter(method=query.method, column=column, array=array, is_many=is_many, first=len(values))
    values += [ready] if is_many else ready
    return kept


def _joined(query: Query, columns: Columns, values: Values, *, depth: int) -> Joined:
    if depth > MOST_DEPTH or len(query.values) < 2:  # noqa: PLR2004 one alone joins nothing
        raise query_invalid(f"{query.method} needs at least two queries, nested at most {MOST_DEPTH} deep")
    try:
        inner = msgspec.convert(query.values, list[Query])
    except msgspec.ValidationError as error:
        raise query_invalid(f"{query.method} needs queries") from error
    parts = tuple(parse_filter(one, columns, values, depth=depth + 1) for one in inner)
    return Joined(method=query.method, parts=parts)


def _check_number(query: Query) -> None:
    given = len(query.values)
    if given > MOST_VALUES:
        raise query_invalid(f"at most {MOST_VALUES} values are allowed")
    if query.method in SEVERAL:
        if not given:
            raise query_invalid(f"{query.method} needs at least one value")
    elif query.method not in NUMBERS:
        raise query_invalid(f"Invalid query method: {query.method[:64]}")
    elif given != NUMBERS[query.method]:
        raise query_invalid(f"{query.method} needs {NUMBERS[query.method]} values")


def _value(column: Column, value: Any) -> Any:  # Any: JSON in, what the driver takes out
    # A value that the column could not hold is good to compare with, as long as it is of its type.
    kind = KINDS["longtext"] if column.kind.is_text else column.kind
    try:
        return kind.check(value, Options())
    except ValueInvalid as error:
        raise query_invalid(f'Query value is invalid for attribute "{column.key}": {error}') from error


def _system_value(attribute: str, value: Any) -> str | int | datetime:  # Any: JSON
    name = {"$id": "longtext", "$sequence": "bigint"}.get(attribute, "datetime")
    try:
        found: str | int | datetime = KINDS[name].check(value, Options())
    except ValueInvalid as error:
        raise query_invalid(f'Query value is invalid for attribute "{attribute}": {error}') from error
    return found
