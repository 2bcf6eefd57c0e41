"""Pages of lists: conditions, order, cursor and count, as a list's query asks for them."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import asyncpg
import msgspec

from shared.appwrite.emails import composed
from shared.kernel.errors import ErrorType, Refusal
from shared.postgres.conditions import condition
from shared.postgres.pool import Connection
from shared.queries.lists import ListQuery
from shared.queries.tree import Shape

MOST_TOTAL = 5_000
MOST_COMPILED = 256
"""Shapes of queries whose SQL is kept."""


class _Order(NamedTuple):
    column: str
    is_up: bool


class Listing(msgspec.Struct, frozen=True, kw_only=True, eq=False):
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
        page = query.query
        where, orders, by = _compiled(self, page.shape, len(given) + 1)
        values = [*given, *page.values]
        if query.search:
            values.append(composed(query.search))
            where += f" AND strpos(normalize(lower({self.searched}), NFC), ${len(values)}) > 0"
        total = 0
        if query.total:
            counted = f"SELECT FROM {self.tables} WHERE {where} LIMIT {MOST_TOTAL}"
            total = await connection.fetchval(f"SELECT count(*) FROM ({counted}) AS found", *values)
        if page.cursor:
            where += f" AND {await self._beyond(connection, page.cursor, orders, given, values)}"
        rows = await connection.fetch(
            f"SELECT {self.columns} FROM {self.tables} WHERE {where}"
            f" ORDER BY {by} LIMIT {page.limit} OFFSET {page.offset}",
            *values,
        )
        return total, rows[::-1] if page.shape.cursor == "cursorBefore" else rows

    async def _beyond(
        self,
        connection: Connection,
        cursor: str,
        orders: tuple[_Order, ...],
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
            cases.append(" AND ".join([*same, f"{order.column} {'>' if order.is_up else '<'} ${len(values)}"]))
            same.append(f"{order.column} = ${len(values)}")
        return f"({' OR '.join(f'({case})' for case in cases)})"


@lru_cache(maxsize=MOST_COMPILED)
def _compiled(listing: Listing, shape: Shape, first: int) -> tuple[str, tuple[_Order, ...], str]:
    """Return what is true of a shape's rows, their orders, and these as SQL; its values are parameters from `first` on.

    A page before a cursor is read from its end.
    """
    is_before = shape.cursor == "cursorBefore"
    where = [listing.where, *(condition(one, listing.attributes, first) for one in shape.filters)]
    orders = [_Order(listing.attributes[one.key], one.descending == is_before) for one in shape.orders]
    orders.append(_Order(f"{listing.table}.sequence", not is_before))
    by = ", ".join(f"{order.column} {'ASC' if order.is_up else 'DESC'}" for order in orders)
    return " AND ".join(where), tuple(orders), by
