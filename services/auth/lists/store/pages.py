"""Pages of lists: conditions, order, cursor and count, as a list's query asks for them."""

from collections.abc import Sequence

import asyncpg
import msgspec

from services.auth.lists.domain.list_queries import ListQuery, Order
from services.auth.mail.domain.emails import composed
from shared.kernel.errors import ErrorType, Refusal
from shared.postgres.pool import Connection

MOST_TOTAL = 5_000


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """A list: the columns and tables of a row, what is true of its rows, what is searched, and its table's name.

    `where` has `$1` and so on for values that are given with each question; `table` has the columns `id` and
    `sequence`.
    """

    columns: str
    tables: str
    where: str
    searched: str
    table: str

    async def page(
        self, connection: Connection, query: ListQuery, given: Sequence[object]
    ) -> tuple[int, list[asyncpg.Record]]:
        """Return how many rows match (0 where nobody asked, at most MOST_TOTAL), and those of the page.

        Raises `Refusal(GENERAL_CURSOR_NOT_FOUND)`, `Refusal(DATABASE_QUERY_ORDER_NULL)`.
        """
        values = list(given)
        where = self._conditions(query, values)
        total = 0
        if query.total:
            counted = f"SELECT FROM {self.tables} WHERE {where} LIMIT {MOST_TOTAL}"
            total = await connection.fetchval(f"SELECT count(*) FROM ({counted}) AS found", *values)
        orders = [*query.orders, Order(f"{self.table}.sequence", is_descending=False)]
        if query.cursor:
            where += f" AND {await self._beyond(connection, query, orders, given, values)}"
        by = ", ".join(f"{one.column} {'DESC' if one.is_descending != query.is_before else 'ASC'}" for one in orders)
        rows = await connection.fetch(
            f"SELECT {self.columns} FROM {self.tables} WHERE {where}"
            f" ORDER BY {by} LIMIT {query.limit} OFFSET {query.offset}",
            *values,
        )
        return total, rows[::-1] if query.is_before else rows

    def _conditions(self, query: ListQuery, values: list[object]) -> str:
        parts = [self.where]
        for template, own in query.conditions:
            parts.append(template.format(*[f"${len(values) + place}" for place in range(1, len(own) + 1)]))
            values += own
        if query.search:
            values.append(composed(query.search))
            parts.append(f"strpos(normalize(lower({self.searched}), NFC), ${len(values)}) > 0")
        return " AND ".join(parts)

    async def _beyond(
        self,
        connection: Connection,
        query: ListQuery,
        orders: list[Order],
        given: Sequence[object],
        values: list[object],
    ) -> str:
        """Return what is true of the rows after the cursor's, or before it, in this order."""
        columns = ", ".join(order.column for order in orders)
        row = await connection.fetchrow(
            f"SELECT {columns} FROM {self.tables} WHERE {self.where} AND {self.table}.id = ${len(given) + 1}",
            *given,
            query.cursor,
        )
        if row is None:
            raise Refusal(ErrorType.GENERAL_CURSOR_NOT_FOUND)
        if None in row.values():
            raise Refusal(ErrorType.DATABASE_QUERY_ORDER_NULL)
        cases = []
        same: list[str] = []
        for order, value in zip(orders, row.values(), strict=True):
            values.append(value)
            sign = "<" if order.is_descending != query.is_before else ">"
            cases.append(" AND ".join([*same, f"{order.column} {sign} ${len(values)}"]))
            same.append(f"{order.column} = ${len(values)}")
        return f"({' OR '.join(f'({case})' for case in cases)})"
