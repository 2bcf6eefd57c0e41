"""Queries over lists: what may be asked of each attribute, as conditions with a parameter for every value."""

import enum
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from shared.kernel.errors import ArgumentInvalid

COMPARISONS = {
    "equal": "=",
    "notEqual": "<>",
    "lessThan": "<",
    "lessThanEqual": "<=",
    "greaterThan": ">",
    "greaterThanEqual": ">=",
}
IN_TEXTS = {
    "startsWith": "starts_with({column}, {{}})",
    "endsWith": "starts_with(reverse({column}), reverse({{}}))",
    "contains": "strpos({column}, {{}}) > 0",
}
MOST_QUERIES = 100
MOST_CHARACTERS = 4096
MOST_VALUES = 500
MOST_NESTED = 3
DEFAULT_LIMIT = 25
MOST_NUMBER = 2**31 - 1
INT64 = range(-(2**63), 2**63)

Condition = tuple[str, list[object]]
"""SQL with `{}` for each value, and the values."""


class Kind(enum.Enum):
    """What an attribute holds."""

    TEXT = "a text"
    NUMBER = "an integer"
    BOOLEAN = "true or false"
    DATE = "a date of ISO 8601"
    TEXTS = "texts"


class Attribute(msgspec.Struct, frozen=True):
    """What may be filtered and ordered by: an SQL expression, and what it holds."""

    column: str
    kind: Kind = Kind.TEXT


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """One query string, as the SDKs write it."""

    method: str
    attribute: str = ""
    values: list[Any] = []  # Any: JSON, checked for each method


class Order(msgspec.Struct, frozen=True):
    """One column to order by."""

    column: str
    is_descending: bool


class ListQuery(msgspec.Struct, kw_only=True):
    """A page of a list; `search` is looked for in the list's texts, and without `total` nobody counts."""

    conditions: list[Condition] = []
    orders: list[Order] = []
    limit: int = DEFAULT_LIMIT
    offset: int = 0
    cursor: str = ""
    is_before: bool = False
    search: str = ""
    total: bool = True


def parse_list_queries(texts: list[str], attributes: Mapping[str, Attribute], *, search: str, total: bool) -> ListQuery:
    """Read query strings over these attributes; raises `ArgumentInvalid("queries")`."""
    if len(texts) > MOST_QUERIES:
        raise _invalid(f"at most {MOST_QUERIES} queries are allowed")
    found = ListQuery(search=search, total=total)
    for text in texts:
        _take_in(found, _parse(text), attributes)
    return found


def _parse(text: str) -> Query:
    if len(text) > MOST_CHARACTERS:
        raise _invalid(f"a query has at most {MOST_CHARACTERS} characters")
    try:
        return msgspec.json.decode(text, type=Query)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError) as error:
        raise _invalid("Invalid query: it must be a JSON object with method, attribute and values") from error


def _take_in(found: ListQuery, query: Query, attributes: Mapping[str, Attribute]) -> None:
    match query.method:
        case "limit":
            found.limit = _count(query, least=1)
        case "offset":
            found.offset = _count(query, least=0)
        case "cursorAfter" | "cursorBefore":
            found.cursor, found.is_before = str(_only(query, _text)), query.method == "cursorBefore"
        case "orderAsc" | "orderDesc":
            found.orders.append(Order(_attribute(query, attributes).column, query.method == "orderDesc"))
        case _:
            found.conditions.append(_condition(query, attributes))


def _condition(query: Query, attributes: Mapping[str, Attribute], depth: int = 1) -> Condition:
    if query.method in {"and", "or"}:
        return _joined(query, attributes, depth)
    attribute = _attribute(query, attributes)
    if query.method in {"isNull", "isNotNull"}:
        return f"{attribute.column} IS {'NOT ' if query.method == 'isNotNull' else ''}NULL", []
    positive = query.method.removeprefix("not")
    positive = positive[:1].lower() + positive[1:]
    if query.method.startswith("not") and positive in {*IN_TEXTS, "between"}:
        sql, values = _positive(positive, query, attribute)
        return f"NOT {sql}", values
    return _positive(query.method, query, attribute)


def _positive(method: str, query: Query, attribute: Attribute) -> Condition:
    if attribute.kind is Kind.TEXTS:
        if method != "contains":
            raise _invalid(f"Cannot query {method} on attribute {query.attribute} because it is an array")
        values = _values(query, _text)
        return f"({attribute.column} && ARRAY[{', '.join(['{}'] * len(values))}]::text[])", values
    read = _READERS[attribute.kind]
    if method == "equal":
        values = _values(query, read)
        return f"({attribute.column} IN ({', '.join(['{}'] * len(values))}))", values
    if method in COMPARISONS:
        return f"({attribute.column} {COMPARISONS[method]} {{}})", [_only(query, read)]
    if method == "between":
        return f"({attribute.column} BETWEEN {{}} AND {{}})", _values(query, read, exactly=2)
    if method in IN_TEXTS and attribute.kind is Kind.TEXT:
        values = _values(query, _text, exactly=None if method == "contains" else 1)
        one = IN_TEXTS[method].format(column=attribute.column)
        return f"({' OR '.join([one] * len(values))})", values
    raise _invalid(f"Invalid query method: {method[:64]}")


def _joined(query: Query, attributes: Mapping[str, Attribute], depth: int) -> Condition:
    if depth > MOST_NESTED or not 0 < len(query.values) <= MOST_QUERIES:
        raise _invalid(f"{query.method} takes 1 to {MOST_QUERIES} queries, nested at most {MOST_NESTED} deep")
    try:
        nested = [msgspec.convert(value, Query) for value in query.values]
    except (msgspec.ValidationError, RecursionError) as error:
        raise _invalid(f"{query.method} takes queries") from error
    parts = [_condition(one, attributes, depth + 1) for one in nested]
    return f"({f' {query.method.upper()} '.join(sql for sql, _ in parts)})", [v for _, values in parts for v in values]


def _attribute(query: Query, attributes: Mapping[str, Attribute]) -> Attribute:
    if query.attribute not in attributes:
        raise _invalid(f"Attribute not found in schema: {query.attribute[:64]}")
    return attributes[query.attribute]


def _values(query: Query, read: Callable[[object], object], *, exactly: int | None = None) -> list[object]:
    if not 0 < len(query.values) <= MOST_VALUES or (exactly is not None and len(query.values) != exactly):
        raise _invalid(f"{query.method} needs {exactly or f'1 to {MOST_VALUES}'} values")
    return [read(value) for value in query.values]


def _only(query: Query, read: Callable[[object], object]) -> object:
    return _values(query, read, exactly=1)[0]


def _count(query: Query, *, least: int) -> int:
    if len(query.values) != 1 or type(query.values[0]) is not int or not least <= query.values[0] <= MOST_NUMBER:
        raise _invalid(f"Invalid {query.method}: it must be an integer of at least {least}")
    return int(query.values[0])


def _text(value: object) -> object:
    if not isinstance(value, str) or "\0" in value:
        raise _invalid("a value must be a text without NUL characters")
    return value


def _number(value: object) -> object:
    if type(value) is not int or value not in INT64:
        raise _invalid("a value must be a 64-bit integer")
    return value


def _boolean(value: object) -> object:
    if not isinstance(value, bool):
        raise _invalid("a value must be true or false")
    return value


def _date(value: object) -> object:
    try:
        moment = datetime.fromisoformat(str(_text(value)))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _invalid("a value must be a date of ISO 8601") from error


_READERS: dict[Kind, Callable[[object], object]] = {
    Kind.TEXT: _text,
    Kind.NUMBER: _number,
    Kind.BOOLEAN: _boolean,
    Kind.DATE: _date,
}


def _invalid(reason: str) -> ArgumentInvalid:
    return ArgumentInvalid("queries", reason)
