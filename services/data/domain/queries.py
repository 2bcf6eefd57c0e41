"""Queries over rows: the SDKs' query strings, read and checked against a table.

What comes out holds columns and checked values only; SQL is made of it in `store.conditions`.
"""

from datetime import datetime
from typing import Any

import msgspec

from services.data.domain.catalogue import SYSTEM_COLUMNS, Column, Table
from services.data.domain.columns import KINDS
from services.data.domain.columns.kind import Options, ValueInvalid
from shared.kernel.errors import ErrorType, Refusal
from shared.kernel.ids import is_id

MOST_QUERIES = 100
LONGEST_QUERY = 4096
MOST_VALUES = 500
MOST_DEPTH = 3
MOST_NUMBER = 2**31 - 1
DEFAULT_LIMIT = 25

SINGLE = frozenset(
    {"notEqual", "lessThan", "lessThanEqual", "greaterThan", "greaterThanEqual", "startsWith", "endsWith"}
)
SEVERAL = frozenset({"equal", "contains"})
NONE = frozenset({"isNull", "isNotNull"})
ON_TEXT = frozenset({"startsWith", "endsWith", "contains"})
ON_ARRAY = frozenset({"contains", "isNull", "isNotNull"})
NUMBERS = {"between": 2, **dict.fromkeys(SINGLE, 1), **dict.fromkeys(NONE, 0)}
"""How many values a method takes, but for those that take one or more."""


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """One query, as it is sent."""

    method: str
    attribute: str = ""
    values: list[Any] = []  # Any: JSON, checked for each method


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """A condition on one column: its SQL name, whether it is an array, and values ready for the driver."""

    method: str
    column: str
    array: bool
    values: tuple[Any, ...]  # Any: what the column's kind makes of a value


class Both(msgspec.Struct, frozen=True, kw_only=True):
    """Conditions joined by `and` or `or`."""

    method: str
    parts: tuple["Filter | Both", ...]


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order by one column, by its SQL name."""

    column: str
    descending: bool


class RowQuery(msgspec.Struct, kw_only=True):
    """What is asked of a table. `selected` None: all columns."""

    filters: list[Filter | Both] = []
    orders: list[Order] = []
    limit: int = DEFAULT_LIMIT
    offset: int = 0
    cursor: str = ""
    is_before: bool = False
    selected: list[Column] | None = None


def parse_row_queries(texts: list[str], table: Table) -> RowQuery:
    """Read the queries of a list; raises `Refusal(GENERAL_QUERY_INVALID)`, or of GENERAL_ARGUMENT_INVALID for size."""
    found = RowQuery()
    seen: set[str] = set()
    for query in decode(texts):
        match query.method:
            case "limit" | "offset" | "cursorAfter" | "cursorBefore":
                role = "cursor" if query.method.startswith("cursor") else query.method
                if role not in seen:
                    _page(found, query)
                seen.add(role)
            case "orderAsc" | "orderDesc":
                column = _order_column(query, table)
                found.orders.append(Order(column=column, descending=query.method == "orderDesc"))
            case "select":
                found.selected = [*(found.selected or []), *_selected(query, table)]
            case _:
                found.filters.append(_filter(query, table, depth=1))
    return found


def parse_selection(texts: list[str], table: Table) -> list[Column] | None:
    """Read the queries of a single row, which may only select; raises `Refusal(GENERAL_QUERY_INVALID)`."""
    selected: list[Column] | None = None
    for query in decode(texts):
        if query.method != "select":
            raise _invalid(f"Query method {query.method[:64]} is not supported here")
        selected = [*(selected or []), *_selected(query, table)]
    return selected


def decode(texts: list[str]) -> list[Query]:
    """Read query strings, without looking at what they mean."""
    if len(texts) > MOST_QUERIES or any(len(text) > LONGEST_QUERY for text in texts):
        raise Refusal(
            ErrorType.GENERAL_ARGUMENT_INVALID,
            f"Invalid `queries` param: at most {MOST_QUERIES} queries of {LONGEST_QUERY} characters are allowed",
        )
    return [_decode(text) for text in texts]


def _decode(text: str) -> Query:
    try:
        return msgspec.json.decode(text, type=Query)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError) as error:
        raise _invalid("it must be a JSON object with method, attribute and values") from error


def _page(found: RowQuery, query: Query) -> None:
    if len(query.values) != 1:
        raise _invalid(f"{query.method} needs one value")
    value = query.values[0]
    if query.method.startswith("cursor"):
        if not isinstance(value, str) or not is_id(value):
            raise _invalid("the cursor must be a valid id")
        found.cursor, found.is_before = value, query.method == "cursorBefore"
        return
    least = 1 if query.method == "limit" else 0
    if type(value) is not int or not least <= value <= MOST_NUMBER:
        raise _invalid(f"{query.method} must be an integer of at least {least}")
    setattr(found, query.method, value)


def _order_column(query: Query, table: Table) -> str:
    if not query.attribute:
        return "seq"
    if query.attribute in SYSTEM_COLUMNS:
        return SYSTEM_COLUMNS[query.attribute]
    column = table.find_column(query.attribute)
    if column is None or column.array:
        raise _invalid(f"Attribute not found in schema: {query.attribute[:64]}")
    return column.name


def _selected(query: Query, table: Table) -> list[Column]:
    keys = query.values
    if not keys or not all(isinstance(key, str) for key in keys) or len(set(keys)) != len(keys):
        raise _invalid("select needs different column keys")
    columns: list[Column] = []
    for key in keys:
        column = table.find_column(key)
        if key == "*":
            columns += table.columns
        elif column is not None:
            columns.append(column)
        elif key not in SYSTEM_COLUMNS and key not in {"$permissions", "$databaseId", "$tableId"}:
            raise _invalid(f"Attribute not found in schema: {key[:64]}")
    return columns


def _filter(query: Query, table: Table, *, depth: int) -> Filter | Both:
    if query.method in {"and", "or"}:
        return _both(query, table, depth=depth)
    _check_number(query)
    if query.attribute in SYSTEM_COLUMNS:
        values = tuple(_system_value(query.attribute, value) for value in query.values)
        if query.method in ON_TEXT and query.attribute != "$id":
            raise _invalid(f"{query.method} needs a text column")
        return Filter(method=query.method, column=SYSTEM_COLUMNS[query.attribute], array=False, values=values)
    column = table.find_column(query.attribute)
    if column is None:
        raise _invalid(f"Attribute not found in schema: {query.attribute[:64]}")
    if column.array and query.method not in ON_ARRAY:
        raise _invalid(f"{query.method} cannot be used on the array column {column.key}")
    if query.method in ON_TEXT and not (column.array or column.kind.is_text):
        raise _invalid(f"{query.method} needs a text or array column")
    values = tuple(_value(column, value) for value in query.values)
    return Filter(method=query.method, column=column.name, array=column.array, values=values)


def _both(query: Query, table: Table, *, depth: int) -> Both:
    if depth > MOST_DEPTH or len(query.values) < 2:  # noqa: PLR2004 one alone joins nothing
        raise _invalid(f"{query.method} needs at least two queries, nested at most {MOST_DEPTH} deep")
    try:
        inner = msgspec.convert(query.values, list[Query])
    except msgspec.ValidationError as error:
        raise _invalid(f"{query.method} needs queries") from error
    return Both(method=query.method, parts=tuple(_filter(one, table, depth=depth + 1) for one in inner))


def _check_number(query: Query) -> None:
    given = len(query.values)
    if given > MOST_VALUES:
        raise _invalid(f"at most {MOST_VALUES} values are allowed")
    if query.method in SEVERAL:
        if not given:
            raise _invalid(f"{query.method} needs at least one value")
    elif query.method not in NUMBERS:
        raise _invalid(f"Invalid query method: {query.method[:64]}")
    elif given != NUMBERS[query.method]:
        raise _invalid(f"{query.method} needs {NUMBERS[query.method]} values")


def _value(column: Column, value: Any) -> Any:  # Any: JSON in, what the driver takes out
    # A value that the column could not hold is good to compare with, as long as it is of its type.
    kind = KINDS["longtext"] if column.kind.is_text else column.kind
    try:
        return kind.check(value, Options())
    except ValueInvalid as error:
        raise _invalid(f'Query value is invalid for attribute "{column.key}": {error}') from error


def _system_value(attribute: str, value: Any) -> str | int | datetime:  # Any: JSON
    name = {"$id": "longtext", "$sequence": "bigint"}.get(attribute, "datetime")
    try:
        found: str | int | datetime = KINDS[name].check(value, Options())
    except ValueInvalid as error:
        raise _invalid(f'Query value is invalid for attribute "{attribute}": {error}') from error
    return found


def _invalid(reason: str) -> Refusal:
    return Refusal(ErrorType.GENERAL_QUERY_INVALID, f"Invalid query: {reason}")
