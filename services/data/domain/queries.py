"""Queries over rows: what is asked of a table, read and checked; SQL is made of it in `store.statements`."""

import msgspec

from services.data.domain.catalogue import SYSTEM_COLUMNS, Column, Columns
from services.data.domain.filters import Filter, FilterParser, Joined, Values
from services.data.domain.query_strings import Query, decode, query_invalid
from shared.kernel.ids import is_id

MOST_NUMBER = 2**31 - 1
DEFAULT_LIMIT = 25


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order by one column, by its SQL name."""

    column: str
    descending: bool


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a table but for values. `cursor` is a method or empty; `selected` None means all columns."""

    filters: tuple[Filter | Joined, ...] = ()
    orders: tuple[Order, ...] = ()
    is_random: bool = False
    cursor: str = ""
    selected: tuple[Column, ...] | None = None


class RowQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a table. `values` are for its filters, ready for the driver; `cursor` is a row's id."""

    shape: Shape
    values: Values
    limit: int = DEFAULT_LIMIT
    offset: int = 0
    cursor: str = ""


def parse_row_queries(
    texts: list[str], columns: Columns, *, searchable: frozenset[str] = frozenset(), limit: int = DEFAULT_LIMIT
) -> RowQuery:
    """Read the queries of a list; raises `Refusal(GENERAL_QUERY_INVALID)`, or of GENERAL_ARGUMENT_INVALID for size.

    `searchable` are the keys of columns with a full-text index of their own; `limit` is that of who sets none.
    """
    parser = FilterParser(columns, searchable)
    filters: list[Filter | Joined] = []
    orders: list[Order] = []
    selected: list[Column] | None = None
    is_random = False
    page: dict[str, Query] = {}
    for query in decode(texts):
        match query.method:
            case "limit" | "offset":
                page.setdefault(query.method, query)
            case "cursorAfter" | "cursorBefore":
                page.setdefault("cursor", query)
            case "orderAsc" | "orderDesc":
                orders.append(Order(column=_order_column(query, columns), descending=query.method == "orderDesc"))
            case "orderRandom":
                is_random = True
            case "select":
                selected = [*(selected or []), *_selected(query, columns)]
            case _:
                filters.append(parser.parse(query))
    if is_random and "cursor" in page:
        raise query_invalid("orderRandom leaves no place for a cursor")
    return RowQuery(
        shape=Shape(
            filters=tuple(filters),
            orders=() if is_random else tuple(orders),
            is_random=is_random,
            cursor=page["cursor"].method if "cursor" in page else "",
            selected=_once(selected),
        ),
        values=parser.values,
        limit=_number(page["limit"], least=1) if "limit" in page else limit,
        offset=_number(page["offset"], least=0) if "offset" in page else 0,
        cursor=_cursor(page["cursor"]) if "cursor" in page else "",
    )


def parse_selection(texts: list[str], columns: Columns) -> tuple[Column, ...] | None:
    """Read the queries of a single row, which may only select; raises `Refusal(GENERAL_QUERY_INVALID)`."""
    selected: list[Column] | None = None
    for query in decode(texts):
        if query.method != "select":
            raise query_invalid(f"Query method {query.method[:64]} is not supported here")
        selected = [*(selected or []), *_selected(query, columns)]
    return _once(selected)


def _once(columns: list[Column] | None) -> tuple[Column, ...] | None:
    return None if columns is None else tuple({column.n: column for column in columns}.values())


def _number(query: Query, *, least: int) -> int:
    value = query.values[0] if len(query.values) == 1 else None
    if type(value) is not int or not least <= value <= MOST_NUMBER:
        raise query_invalid(f"{query.method} must be an integer of at least {least}")
    return int(value)


def _cursor(query: Query) -> str:
    value = query.values[0] if len(query.values) == 1 else None
    if not isinstance(value, str) or not is_id(value):
        raise query_invalid("the cursor must be a valid id")
    return value


def _order_column(query: Query, columns: Columns) -> str:
    if not query.attribute:
        return "seq"
    if query.attribute in SYSTEM_COLUMNS:
        return SYSTEM_COLUMNS[query.attribute]
    column = columns.get(query.attribute)
    if column is None or column.array:
        raise query_invalid(f"Attribute not found in schema: {query.attribute[:64]}")
    return column.name


def _selected(query: Query, columns: Columns) -> list[Column]:
    keys = query.values
    if not keys or not all(isinstance(key, str) for key in keys) or len(set(keys)) != len(keys):
        raise query_invalid("select needs different column keys")
    found: list[Column] = []
    for key in keys:
        if key == "*":
            found += columns.values()
        elif key in columns:
            found.append(columns[key])
        elif key not in SYSTEM_COLUMNS and key not in {"$permissions", "$databaseId", "$tableId", "$collectionId"}:
            raise query_invalid(f"Attribute not found in schema: {key[:64]}")
    return found
