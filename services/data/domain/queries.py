"""Queries over rows: what is asked of a table, read and checked; SQL is made of it in `store.statements`."""

import msgspec

from services.data.domain.catalogue import SYSTEM_COLUMNS, Column, Columns
from services.data.domain.filters import Filter, FilterParser, Joined, Values
from services.data.domain.query_strings import Query, UnfitQuery, decode, query_invalid
from shared.kernel.ids import is_id

MOST_NUMBER = 2**31 - 1
DEFAULT_LIMIT = 25
MOST_ORDERS = 32
"""As many columns as an index has. A condition on rows beyond a cursor grows by the square of their number."""
CURSORS = frozenset({"cursorAfter", "cursorBefore"})


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

    What is wrong whatever the columns are is told first, and by `UnfitQuery` then what they do not bear.
    `searchable` are the keys of columns with a full-text index of their own; `limit` is that of who sets none.
    """
    parser = FilterParser(columns, searchable)
    filters: list[Filter | Joined] = []
    ordered: list[Query] = []
    selected: list[str] | None = None
    is_random = False
    page: dict[str, Query] = {}
    for query in decode(texts):
        match query.method:
            case "limit" | "offset":
                page.setdefault(query.method, query)
            case method if method in CURSORS:
                page.setdefault("cursor", query)
            case "orderAsc" | "orderDesc":
                ordered.append(query)
            case "orderRandom":
                is_random = True
            case "select":
                selected = [*(selected or []), *_keys(query)]
            case _:
                filters.append(parser.parse(query))
    if is_random and "cursor" in page:
        raise query_invalid("orderRandom cannot be combined with a cursor")
    numbers = {
        "limit": _number(page["limit"], least=1) if "limit" in page else limit,
        "offset": _number(page["offset"], least=0) if "offset" in page else 0,
    }
    cursor = _cursor(page["cursor"]) if "cursor" in page else ""
    if parser.unfit:
        raise parser.unfit
    orders = _orders(ordered, columns)
    return RowQuery(
        shape=Shape(
            filters=tuple(filters),
            orders=() if is_random else orders,
            is_random=is_random,
            cursor=page["cursor"].method if "cursor" in page else "",
            selected=None if selected is None else _selected(selected, columns),
        ),
        values=parser.values,
        cursor=cursor,
        **numbers,
    )


def has_cursor(texts: list[str]) -> bool:
    """Say whether a list begins at a cursor, whatever else is asked; raises `Refusal` of what is no query."""
    return any(query.method in CURSORS for query in decode(texts))


def parse_selection(texts: list[str], columns: Columns) -> tuple[Column, ...] | None:
    """Read the queries of a single row, which may only select; raises as `parse_row_queries`."""
    selected: list[str] | None = None
    for query in decode(texts):
        if query.method != "select":
            raise query_invalid(f"Query method {query.method[:64]} is not supported here")
        selected = [*(selected or []), *_keys(query)]
    return None if selected is None else _selected(selected, columns)


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


def _orders(ordered: list[Query], columns: Columns) -> tuple[Order, ...]:
    """Return the orders, the first of each column."""
    if len(ordered) > MOST_ORDERS:
        raise query_invalid(f"at most {MOST_ORDERS} orders are allowed")
    orders: dict[str, Order] = {}
    for query in ordered:
        order = _order(query, columns)
        orders.setdefault(order.column, order)
    return tuple(orders.values())


def _order(query: Query, columns: Columns) -> Order:
    return Order(column=_order_column(query.attribute, columns), descending=query.method == "orderDesc")


def _order_column(key: str, columns: Columns) -> str:
    if not key:
        return "seq"
    if key in SYSTEM_COLUMNS:
        return SYSTEM_COLUMNS[key]
    column = columns.get(key)
    if column is None or column.array:
        raise _unknown(key)
    return column.name


def _keys(query: Query) -> list[str]:
    keys = query.values
    if not keys or not all(isinstance(key, str) for key in keys) or len(set(keys)) != len(keys):
        raise query_invalid("select needs different column keys")
    return keys


def _selected(keys: list[str], columns: Columns) -> tuple[Column, ...]:
    found: list[Column] = []
    for key in keys:
        if key == "*":
            found += columns.values()
        elif key in columns:
            found.append(columns[key])
        elif key not in SYSTEM_COLUMNS and key not in {"$permissions", "$databaseId", "$tableId", "$collectionId"}:
            raise _unknown(key)
    return tuple({column.n: column for column in found}.values())


def _unknown(key: str) -> UnfitQuery:
    return UnfitQuery(f"Attribute not found in schema: {key[:64]}")
