"""Queries over the list of users: what may be asked, as conditions with a parameter for every value."""

from typing import Any

import msgspec

from shared.kernel.errors import ArgumentInvalid

ATTRIBUTES = {
    "$id": "id",
    "$sequence": "sequence",
    "$createdAt": "created_at",
    "$updatedAt": "updated_at",
    "name": "name",
    "email": "email",
    "phone": "phone",
    "status": "enabled",
    "registration": "created_at",
    "passwordUpdate": "password_updated_at",
    "emailVerification": "email_verified",
    "phoneVerification": "phone_verified",
    "accessedAt": "accessed_at",
}
"""What may be ordered by, and its column."""

FILTERS = frozenset({"$id", "name", "email", "phone", "status", "emailVerification", "phoneVerification"})
"""What may be filtered by: texts, compared bytewise, and booleans."""

COMPARISONS = {
    "equal": "=",
    "notEqual": "<>",
    "lessThan": "<",
    "lessThanEqual": "<=",
    "greaterThan": ">",
    "greaterThanEqual": ">=",
}
MOST_QUERIES = 100
MOST_CHARACTERS = 4096
MOST_VALUES = 500
DEFAULT_LIMIT = 25
MOST_NUMBER = 2**31 - 1


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """One query string, as the SDKs write it."""

    method: str
    attribute: str = ""
    values: list[Any] = []  # Any: JSON, checked for each method


class UserQuery(msgspec.Struct, kw_only=True):
    """A page of users: conditions (SQL with `{}` for each value, and the values), order, limit, offset, cursor."""

    conditions: list[tuple[str, list[str]]] = []
    orders: list[str] = []
    limit: int = DEFAULT_LIMIT
    offset: int = 0
    cursor: str = ""
    is_before: bool = False
    search: str = ""
    total: bool = True


def parse_queries(texts: list[str], *, search: str, total: bool) -> UserQuery:
    """Read query strings; raises `ArgumentInvalid("queries")`."""
    if len(texts) > MOST_QUERIES:
        raise _invalid(f"at most {MOST_QUERIES} queries are allowed")
    found = UserQuery(search=search, total=total)
    for text in texts:
        _take_in(found, _parse(text))
    return found


def _parse(text: str) -> Query:
    if len(text) > MOST_CHARACTERS:
        raise _invalid(f"a query has at most {MOST_CHARACTERS} characters")
    try:
        query = msgspec.json.decode(text, type=Query)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError) as error:
        raise _invalid("Invalid query: it must be a JSON object with method, attribute and values") from error
    if len(query.values) > MOST_VALUES:
        raise _invalid(f"Invalid query: at most {MOST_VALUES} values are allowed")
    return query


def _take_in(found: UserQuery, query: Query) -> None:
    match query.method:
        case "limit":
            found.limit = _number(query, least=1)
        case "offset":
            found.offset = _number(query, least=0)
        case "cursorAfter" | "cursorBefore":
            found.cursor, found.is_before = _texts(query, exactly=1)[0], query.method == "cursorBefore"
        case "orderAsc" | "orderDesc":
            found.orders.append(f"{_column(query)} {'DESC' if query.method == 'orderDesc' else 'ASC'}")
        case _:
            found.conditions.append(_condition(query))


def _condition(query: Query) -> tuple[str, list[str]]:
    column = _column(query)
    if query.attribute not in FILTERS:
        raise _invalid(f"Attribute cannot be filtered by: {query.attribute}")
    match query.method:
        case "equal":
            values = _texts(query)
            return f"{column}::text IN ({', '.join(['{}'] * len(values))})", values
        case "isNull" | "isNotNull":
            return f"{column} IS {'NOT ' if query.method == 'isNotNull' else ''}NULL", []
        case "startsWith":
            return f"starts_with({column}::text, {{}})", _texts(query, exactly=1)
        case "contains":
            values = _texts(query)
            return "(" + " OR ".join([f"strpos({column}::text, {{}}) > 0"] * len(values)) + ")", values
        case method if method in COMPARISONS:
            return f"{column}::text {COMPARISONS[method]} {{}}", _texts(query, exactly=1)
    raise _invalid(f"Invalid query method: {query.method[:64]}")


def _column(query: Query) -> str:
    if query.attribute not in ATTRIBUTES:
        raise _invalid(f"Attribute not found in schema: {query.attribute[:64]}")
    return ATTRIBUTES[query.attribute]


def _texts(query: Query, *, exactly: int | None = None) -> list[str]:
    if not query.values or (exactly is not None and len(query.values) != exactly):
        raise _invalid(f"{query.method} needs {exactly or 'at least one'} value")
    if not all(isinstance(value, (str, int, bool)) for value in query.values):
        raise _invalid(f"{query.method} takes texts, integers or booleans")
    texts = [str(value).lower() if isinstance(value, bool) else str(value) for value in query.values]
    if any("\0" in text for text in texts):
        raise _invalid("values must not contain NUL characters")
    return texts


def _number(query: Query, *, least: int) -> int:
    if len(query.values) != 1 or type(query.values[0]) is not int or not least <= query.values[0] <= MOST_NUMBER:
        raise _invalid(f"Invalid {query.method}: it must be an integer of at least {least}")
    return int(query.values[0])


def _invalid(reason: str) -> ArgumentInvalid:
    return ArgumentInvalid("queries", reason)
