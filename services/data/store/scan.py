"""A query's way through the rows of a table, without rights: its conditions, its order, its cursor's row."""

from collections.abc import Iterator

from services.data.domain.catalogue import Table
from services.data.store.conditions import after_cursor, in_rows, names_of, order_by, orders_of, reversed_orders
from shared.postgres.conditions import condition
from shared.queries.tree import Condition, Shape


class Scan:
    """The SQL of such a way. `numbers` are those of its parameters: cursor, limit and offset, values of filters.

    `limit` is the length of a page from the start, where that stands in the text: None has both as parameters.
    """

    def __init__(self, table: Table, shape: Shape, *, limit: int | None, numbers: Iterator[int]) -> None:
        self.table = table
        self.shape = shape
        self.names = names_of(table)
        self.columns = in_rows(self.names) if shape.filters else {}
        self.orders = orders_of(self.names, shape.orders)
        self.scanned = reversed_orders(self.orders) if shape.cursor == "cursorBefore" else self.orders
        self.cursor = f"${next(numbers)}" if shape.cursor else ""
        self.limit, self.offset = str(limit), "0"
        if limit is None:
            self.limit, self.offset = f"${next(numbers)}::bigint", f"${next(numbers)}::bigint"
        self.first = next(numbers)

    def cursor_row(self, *conditions: str) -> str:
        """Return the query of the cursor's row, if it meets these conditions too."""
        columns = ", ".join(f"t.{column}" for column in dict.fromkeys(order.column for order in self.orders))
        return f"SELECT {columns} FROM {self.table.rows} AS t{where_of([f't.id = {self.cursor}', *conditions])}"

    def filters(self) -> list[str]:
        """Return the conditions of all filters."""
        return [self.condition(one) for one in self.shape.filters]

    def condition(self, one: Condition) -> str:
        """Return a condition on a row `t`."""
        return condition(one, self.columns, self.first)

    def after(self) -> list[str]:
        """Return the condition on rows after the cursor's; none without a cursor."""
        return [after_cursor(self.scanned)] if self.cursor else []

    def page(self) -> str:
        """Return the order, and the stretch of the rows in it."""
        order = "random()" if self.shape.is_random else order_by(self.scanned)
        return f"ORDER BY {order} LIMIT {self.limit} OFFSET {self.offset}"


def where_of(conditions: list[str]) -> str:
    """Return the clause of conditions that all must hold; nothing where there is none."""
    return " WHERE " + " AND ".join(conditions) if conditions else ""
