"""Queries over lists of the catalogue: databases, tables, columns, indexes. These are short, and read whole."""

from collections.abc import Callable
from typing import Any

import msgspec

from services.data.domain.queries import DEFAULT_LIMIT, MOST_VALUES, Query, decode
from shared.kernel.errors import ArgumentInvalid, ErrorType, Refusal

MOST_TOTAL = 5_000

Fields = dict[str, Any]
"""Any: the values of a record, by the names that callers use."""

TESTS: dict[str, Callable[[Any, list[Any]], bool]] = {
    "equal": lambda own, values: own in values,
    "notEqual": lambda own, values: own is not None and own != values[0],
    "contains": lambda own, values: any(str(value) in (own or "") for value in values),
    "startsWith": lambda own, values: str(own or "").startswith(str(values[0])),
    "endsWith": lambda own, values: str(own or "").endswith(str(values[0])),
    "isNull": lambda own, _: own is None,
    "isNotNull": lambda own, _: own is not None,
}


class Listed(msgspec.Struct, frozen=True):
    """A page: the places of its records in the whole list, and how many match."""

    places: list[int]
    total: int


def select(records: list[Fields], queries: list[str], *, search: str, with_total: bool, id_: str = "$id") -> Listed:
    """Return which of these records are asked for; `id_` names the field that a cursor holds.

    Raises `ArgumentInvalid("queries")`, `Refusal(GENERAL_CURSOR_NOT_FOUND)`.
    """
    known = frozenset(records[0]) if records else None
    places = [place for place, record in enumerate(records) if _found(record, search)]
    limit, offset = DEFAULT_LIMIT, 0
    cursor: Query | None = None
    for query in _decode(queries):
        match query.method:
            case "limit":
                limit = _number(query, least=1)
            case "offset":
                offset = _number(query, least=0)
            case "cursorAfter" | "cursorBefore":
                cursor = query
            case "orderAsc" | "orderDesc":
                name = _attribute(query, known)
                places.sort(key=lambda place: str(records[place].get(name)), reverse=query.method == "orderDesc")
            case _:
                _check(query)
                name = _attribute(query, known)
                places = [place for place in places if TESTS[query.method](records[place].get(name), query.values)]
    total = min(len(places), MOST_TOTAL) if with_total else 0
    if cursor is not None:
        return Listed(_beyond(records, places, cursor, id_)[offset : offset + limit], total)
    return Listed(places[offset : offset + limit], total)


def _decode(queries: list[str]) -> list[Query]:
    try:
        return decode(queries)
    except Refusal as refusal:
        raise ArgumentInvalid("queries", refusal.message) from refusal


def _beyond(records: list[Fields], places: list[int], cursor: Query, id_: str) -> list[int]:
    wanted = cursor.values[0] if len(cursor.values) == 1 else None
    at = next((index for index, place in enumerate(places) if records[place][id_] == wanted), None)
    if at is None:
        raise Refusal(ErrorType.GENERAL_CURSOR_NOT_FOUND, "What the cursor names could not be found.")
    return places[at + 1 :] if cursor.method == "cursorAfter" else places[:at]


def _found(record: Fields, search: str) -> bool:
    return not search or any(search.lower() in str(record.get(name, "")).lower() for name in ("$id", "name"))


def _check(query: Query) -> None:
    if query.method not in TESTS:
        raise ArgumentInvalid("queries", f"Invalid query method: {query.method[:64]}")
    if (not query.values) != query.method.startswith("is") or len(query.values) > MOST_VALUES:
        raise ArgumentInvalid("queries", f"{query.method} has the wrong number of values")


def _attribute(query: Query, known: frozenset[str] | None) -> str:
    if known is not None and query.attribute not in known:
        raise ArgumentInvalid("queries", f"Attribute not found in schema: {query.attribute[:64]}")
    return query.attribute


def _number(query: Query, *, least: int) -> int:
    if len(query.values) != 1 or type(query.values[0]) is not int or not least <= query.values[0] < 2**31:
        raise ArgumentInvalid("queries", f"{query.method} must be an integer of at least {least}")
    return int(query.values[0])
