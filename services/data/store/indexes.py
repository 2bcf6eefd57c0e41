"""What the indexes of a table do for a list: they have its order, or hold the rows that its filters let through."""

from typing import NamedTuple

from services.data.domain.catalogue import SYSTEM_COLUMNS, Index, Table
from services.data.store.conditions import Names, Order, reversed_orders
from shared.queries.tree import Condition, Filter

MAX_PARTS = 32
"""PostgreSQL's own limit."""
RANGES = frozenset({"equal", "lessThan", "lessThanEqual", "greaterThan", "greaterThanEqual", "between"})
"""With these, equal to one of several among them, rows of an index fit that stand in its order."""


Stretch = tuple[Order, ...]
"""The order of an index, as far as it holds whole values."""


class Part(NamedTuple):
    """A column in an index, by its SQL name; of a text only so many characters as `length` says, unless it is 0."""

    order: Order
    length: int = 0


class NarrowSource(NamedTuple):
    """Filters that name one stretch of an index, and the order in which the rows stand there."""

    filters: tuple[Filter, ...]
    orders: tuple[Order, ...]

    @property
    def is_one(self) -> bool:
        """Say whether it is one row at most."""
        return not self.orders

    def has(self, orders: tuple[Order, ...]) -> bool:
        """Say whether the rows stand in this order, from one end or the other."""
        return self.is_one or self.orders in {orders, reversed_orders(orders)}


SEQUENCE = Part(Order(column="seq", descending=False))
CREATED = Part(Order(column="created_at", descending=False))
ID = Part(Order(column="id", descending=False))
_USUAL = ((SEQUENCE.order,), (ID.order,), (CREATED.order, SEQUENCE.order))
"""What each table has."""


def parts(table: Table, index: Index) -> list[Part]:
    """Return what an index is made of.

    A key ends in the sequence, as the orders of lists do. Of a text only its first characters count where a length is
    declared, but a unique index takes it whole, or rows would be refused that differ behind that length.
    """
    index_parts, by_key = [], table.by_key
    for place, key in enumerate(index.columns):
        column = by_key.get(key)
        is_cut = column is not None and column.kind.is_text and index.type == "key"
        order = index.orders[place].upper() if place < len(index.orders) else ""
        length = index.lengths[place] if place < len(index.lengths) else None
        name = SYSTEM_COLUMNS[key] if column is None else column.name
        index_parts.append(Part(Order(column=name, descending=order == "DESC"), int(length or 0) if is_cut else 0))
    return [*index_parts, SEQUENCE] if index.type == "key" and len(index_parts) < MAX_PARTS else index_parts


def stretches(table: Table) -> list[Stretch]:
    """Return the orders in which the indexes of a table have its rows."""
    own = [parts(table, index) for index in table.indexes if index.type != "fulltext"]
    return [*_USUAL, *(tuple(part.order for part in _whole(one)) for one in own)]


def leads_index(indexed: list[Stretch], order: Order) -> bool:
    """Say whether one of the indexes begins with the column of an order."""
    return any(stretch and stretch[0].column == order.column for stretch in indexed)


def narrow_source(indexed: list[Stretch], names: Names, filters: tuple[Condition, ...]) -> NarrowSource | None:
    """Return what the best index for these filters does for them; None where none does anything."""
    simple = [(names[one.key], one) for one in filters if isinstance(one, Filter) and not one.is_negated]
    sources = [source for source in (_along(stretch, simple) for stretch in indexed) if source.filters]
    return max(sources, key=_selectivity, default=None)


def _whole(index_parts: list[Part]) -> list[Part]:
    """Return the parts before the first that is cut."""
    return index_parts[: next((place for place, part in enumerate(index_parts) if part.length), len(index_parts))]


def _along(stretch: Stretch, filters: list[tuple[str, Filter]]) -> NarrowSource:
    used: list[Filter] = []
    for place, order in enumerate(stretch):
        on_column = [one for column, one in filters if column == order.column]
        equal = next((one for one in on_column if one.method == "equal" and not one.is_many), None)
        if equal is None:
            ranges = [one for one in on_column if one.method in RANGES]
            return NarrowSource((*used, *ranges), stretch[place:])
        used.append(equal)
    return NarrowSource(tuple(used), ())


def _selectivity(source: NarrowSource) -> tuple[int, int]:
    return sum(condition.method == "equal" for condition in source.filters), len(source.filters)
