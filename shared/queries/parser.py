"""The queries of a list: its filters, orders, page and selection, read and checked."""

from shared.kernel.ids import is_id
from shared.queries.errors import QueryInvalid
from shared.queries.fields import SEQUENCE, FieldOf
from shared.queries.filters import FilterParser, encrypted, unknown
from shared.queries.grammar import Clause, decode
from shared.queries.limits import DEFAULT_LIMIT, MOST_NUMBER, MOST_ORDERS, TOO_GREAT
from shared.queries.tree import Condition, Order, Query, Shape

CURSORS = frozenset({"cursorAfter", "cursorBefore"})
EVERYTHING = "*"
"""What selects every field."""

EVERY = Shape()
"""The query of a list without queries."""


def parse_query(
    texts: list[str], field_of: FieldOf, *, shown: frozenset[str] = frozenset(), limit: int = DEFAULT_LIMIT
) -> Query:
    """Return what query strings ask for; raises `QueryInvalid`, or `ArgumentInvalid("queries")` for their size.

    What is wrong whatever the fields are is raised first, and then `UnfitQuery`. Of several limits, offsets or cursors
    the first counts, and so does the first order by each field. `shown` are keys that can be selected, and nothing
    else; `limit` holds where no query sets one.
    """
    return _parse(decode(texts), field_of, shown, limit) if texts else Query(shape=EVERY, limit=limit)


def _parse(clauses: list[Clause], field_of: FieldOf, shown: frozenset[str], limit: int) -> Query:
    parser = FilterParser(field_of)
    filters: list[Condition] = []
    ordered: list[Clause] = []
    selected: list[str] | None = None
    is_random = False
    page: dict[str, Clause] = {}
    for clause in clauses:
        match clause.method:
            case "limit" | "offset":
                page.setdefault(clause.method, clause)
            case method if method in CURSORS:
                page.setdefault("cursor", clause)
            case "orderAsc" | "orderDesc":
                ordered.append(clause)
            case "orderRandom":
                is_random = True
            case "select":
                selected = [*(selected or []), *_keys(clause)]
            case _:
                filters.append(parser.parse(clause))
    if is_random and "cursor" in page:
        raise QueryInvalid("orderRandom cannot be combined with a cursor")
    if len(ordered) > MOST_ORDERS:
        raise QueryInvalid(f"at most {MOST_ORDERS} orders are allowed")
    limit = _number(page["limit"], least=1) if "limit" in page else limit
    offset = _number(page["offset"], least=0) if "offset" in page else 0
    cursor = _cursor(page["cursor"]) if "cursor" in page else ""
    if parser.unfit:
        raise parser.unfit
    orders = _orders(ordered, field_of)
    return Query(
        shape=Shape(
            filters=tuple(filters),
            orders=() if is_random else orders,
            is_random=is_random,
            cursor=page["cursor"].method if "cursor" in page else "",
            selected=None if selected is None else _selected(selected, field_of, shown),
        ),
        values=parser.values,
        limit=limit,
        offset=offset,
        cursor=cursor,
    )


def has_cursor(texts: list[str]) -> bool:
    """Say whether a list begins at a cursor, whatever its other queries are; raises `Refusal` of what is no query."""
    return any(clause.method in CURSORS for clause in decode(texts))


def parse_selection(
    texts: list[str], field_of: FieldOf, *, shown: frozenset[str] = frozenset()
) -> tuple[str, ...] | None:
    """Return what the queries of a single row select, which they may do alone; raises as `parse_query`."""
    selected: list[str] | None = None
    for clause in decode(texts):
        if clause.method != "select":
            raise QueryInvalid(f"Query method {clause.method[:64]} is not supported here")
        selected = [*(selected or []), *_keys(clause)]
    return None if selected is None else _selected(selected, field_of, shown)


def _number(clause: Clause, *, least: int) -> int:
    value = clause.values[0] if len(clause.values) == 1 else None
    if type(value) is not int or value < least:
        raise QueryInvalid(f"{clause.method} must be an integer of at least {least}")
    if value >= TOO_GREAT:
        raise QueryInvalid(f"{clause.method} must be a 64-bit integer")
    return min(value, MOST_NUMBER)


def _cursor(clause: Clause) -> str:
    value = clause.values[0] if len(clause.values) == 1 else None
    if not isinstance(value, str) or not is_id(value):
        raise QueryInvalid("the cursor must be a valid id")
    return value


def _orders(ordered: list[Clause], field_of: FieldOf) -> tuple[Order, ...]:
    orders: dict[str, Order] = {}
    for clause in ordered:
        key = clause.attribute or SEQUENCE
        field = field_of(key)
        if field is not None and field.is_encrypted:
            raise encrypted(key)
        if field is None or not field.is_sortable:
            raise unknown(key)
        orders.setdefault(key, Order(key=key, descending=clause.method == "orderDesc"))
    return tuple(orders.values())


def _keys(clause: Clause) -> list[str]:
    keys = clause.values
    if not keys or not all(isinstance(key, str) for key in keys) or len(set(keys)) != len(keys):
        raise QueryInvalid("select needs different column keys")
    return keys


def _selected(keys: list[str], field_of: FieldOf, shown: frozenset[str]) -> tuple[str, ...]:
    """Return those of the keys that a row does not have anyway."""
    selected: dict[str, None] = {}
    for key in keys:
        field = field_of(key)
        if key == EVERYTHING or (field is not None and not field.is_fixed):
            selected[key] = None
        elif field is None and key not in shown:
            raise unknown(key)
    return tuple(selected)
