"""SQL of orders, cursors and declarations on rows `t`: names from the catalogue, every value a parameter."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from services.data.domain.catalogue import SYSTEM_COLUMNS, Column, Table
from services.data.domain.columns.kind import Options
from shared.queries import tree

NEVER_NULL = frozenset({"id", "seq", "created_at", "updated_at"})

Names = Mapping[str, str]
"""SQL names of columns, by the keys that callers know."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order by one column, by its SQL name."""

    column: str
    descending: bool


def names_of(table: Table) -> Names:
    """Return the SQL names of a table's columns."""
    return SYSTEM_COLUMNS | {column.key: column.name for column in table.columns}


def in_rows(names: Names) -> Names:
    """Return the columns of a row `t`."""
    return {key: f"t.{name}" for key, name in names.items()}


def orders_of(names: Names, orders: tuple[tree.Order, ...]) -> tuple[Order, ...]:
    """Return orders by the SQL names of their columns, completed: the sequence decides last."""
    return complete(tuple(Order(column=names[one.key], descending=one.descending) for one in orders))


def complete(orders: tuple[Order, ...]) -> tuple[Order, ...]:
    """Return orders that leave no two rows equal: the sequence decides last."""
    if any(order.column in {"id", "seq"} for order in orders):
        return orders
    descending = bool(orders) and orders[0].column in {"created_at", "updated_at"} and orders[0].descending
    return (*orders, Order(column="seq", descending=descending))


def reversed_orders(orders: tuple[Order, ...]) -> tuple[Order, ...]:
    """Return the same orders from the other end."""
    return tuple(Order(column=order.column, descending=not order.descending) for order in orders)


def order_by(orders: tuple[Order, ...]) -> str:
    """Return the ORDER BY: nulls first ascending, last descending, as the indexes have them."""
    return ", ".join(f"t.{order.column} {direction(order)}" for order in orders)


def direction(order: Order) -> str:
    """Return what follows a column in an ORDER BY, and in an index."""
    if order.column in NEVER_NULL:
        return "DESC" if order.descending else "ASC"
    return "DESC NULLS LAST" if order.descending else "ASC NULLS FIRST"


def after_cursor(orders: tuple[Order, ...]) -> str:
    """Return the condition that a row comes strictly after the cursor's row, `cursor_row`.

    The cursor's row has no nulls in these orders, and nulls come first where they ascend: so what ascends, or never is
    null and descends, is compared as a row, which an index can begin at.
    """
    descending = {order.descending for order in orders}
    if descending == {False} or (descending == {True} and {order.column for order in orders} <= NEVER_NULL):
        own = ", ".join(f"t.{order.column}" for order in orders)
        its = ", ".join(_cursor_value(order) for order in orders)
        return f"({own}) {'<' if orders[0].descending else '>'} ({its})"
    alternatives = []
    for place, order in enumerate(orders):
        own, its = f"t.{order.column}", _cursor_value(order)
        # Nulls stand at the low end: beyond every value where the order goes down.
        step = f"({own} < {its} OR {own} IS NULL)" if order.descending else f"{own} > {its}"
        equal = [f"t.{one.column} = {_cursor_value(one)}" for one in orders[:place]]
        alternatives.append(" AND ".join([*equal, step]))
    beyond_it = "(" + " OR ".join(alternatives) + ")"
    # An index can begin at what is said of one column alone, but for nulls at the far end.
    first = orders[0]
    if first.descending and first.column not in NEVER_NULL:
        return beyond_it
    return f"t.{first.column} {'<=' if first.descending else '>='} {_cursor_value(first)} AND {beyond_it}"


def unfit_column(columns: Iterable[Column], arguments: list[object]) -> str:
    """Return the SQL of the key of the first column whose value is none that it takes, or null.

    That is a value which was good when it was written; what else the column takes cannot have changed under it. The
    values that this needs are added to the statement's arguments.
    """
    cases = [f"WHEN {fault} THEN '{column.key}'" for column in columns for fault in _faults(column, arguments)]
    return f"CASE {' '.join(cases)} END" if cases else "NULL"


def _faults(column: Column, arguments: list[object]) -> Iterator[str]:
    value, options, kind = f"t.{column.name}", column.options, column.kind
    if column.required:
        yield f"{value} IS NULL"
    if options.elements:
        arguments.append(list(options.elements))
        elements = f"${len(arguments)}::text[]"
        yield f"NOT array_remove({value}, NULL) <@ {elements}" if column.array else f"{value} <> ALL({elements})"
    elif options.min is not None and options != kind.options(Options()):
        arguments += [options.min, options.max]
        low, high = (f"${len(arguments) + place}::{kind.postgres}" for place in (-1, 0))
        values = f"ALL({value})" if column.array else value
        yield f"NOT ({low} <= {values} AND {high} >= {values})"


def _cursor_value(order: Order) -> str:
    return f"(SELECT {order.column} FROM cursor_row)"
