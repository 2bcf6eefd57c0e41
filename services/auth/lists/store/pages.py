"""Pages of lists: conditions, order, cursor and count, as a list's query asks for them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import asyncpg
import msgspec

from services.auth.mail.domain.emails import composed
from shared.kernel.errors import ErrorType, Refusal
from shared.postgres.conditions import condition
from shared.postgres.pool import Connection
from shared.queries.lists import ListQuery

MOST_TOTAL = 5_000


class _Order(NamedTuple):
    column: str
    sign: str
    direction: str


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """A list: the columns and tables of a row, what is true of its rows, what is searched, and its table's name.

    `where` has `$1` and so on for values that are given with each question; `table` has the columns `id` and
    `sequence`. `attributes` has the SQL of each field that queries may name.
    """

    columns: str
    tables: str
    where: str
    searched: str
    table: str
    attributes: Mapping[str, str]

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
        page = query.query
        is_before = page.shape.cursor == "cursorBefore"
        orders = self._orders(query, is_before=is_before)
        if page.cursor:
            where += f" AND {await self._beyond(connection, page.cursor, orders, given, values)}"
        by = ", ".join(f"{order.column} {order.direction}" for order in orders)
        rows = await connection.fetch(
            f"SELECT {self.columns} FROM {self.tables} WHERE {where}"
            f" ORDER BY {by} LIMIT {page.limit} OFFSET {page.offset}",
            *values,
        )
        return total, rows[::-1] if is_before else rows

    def _conditions(self, query: ListQuery, values: list[object]) -> str:
        parts = [self.where]
        parts += [condition(one, self.attributes, len(values) + 1) for one in query.query.shape.filters]
        values += query.query.values
        if query.search:
            values.append(composed(query.search))
            parts.append(f"strpos(normalize(lower({self.searched}), NFC), ${len(values)}) > 0")
        return " AND ".join(parts)

    def _orders(self, query: ListQuery, *, is_before: bool) -> list[_Order]:
        """Return the orders in which the rows are read: a page before a cursor is read from its end."""
        orders = [(self.attributes[one.key], one.descending) for one in query.query.shape.orders]
        return [
            _Order(column, "<", "DESC") if descending != is_before else _Order(column, ">", "ASC")
            for column, descending in [*orders, (f"{self.table}.sequence", False)]
        ]

    async def _beyond(
        self,
        connection: Connection,
        cursor: str,
        orders: list[_Order],
        given: Sequence[object],
        values: list[object],
    ) -> str:
        """Return what is true of the rows after the cursor's, or before it, in this order."""
        columns = ", ".join(order.column for order in orders)
        row = await connection.fetchrow(
            f"SELECT {columns} FROM {self.tables} WHERE {self.where} AND {self.table}.id = ${len(given) + 1}",
            *given,
            cursor,
        )
        if row is None:
            raise Refusal(ErrorType.GENERAL_CURSOR_NOT_FOUND)
        if None in row.values():
            raise Refusal(ErrorType.DATABASE_QUERY_ORDER_NULL)
        cases = []
        same: list[str] = []
        for order, value in zip(orders, row.values(), strict=True):
            values.append(value)
            cases.append(" AND ".join([*same, f"{order.column} {order.sign} ${len(values)}"]))
            same.append(f"{order.column} = ${len(values)}")
        return f"({' OR '.join(f'({case})' for case in cases)})"
