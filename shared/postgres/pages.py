"""Pages of lists: conditions, order, cursor and count, as a list's query asks for them."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeVar

import asyncpg
import msgspec

from shared.kernel.errors import ErrorType, Refusal
from shared.kernel.page import Page
from shared.postgres.conditions import condition
from shared.postgres.pool import Connection
from shared.queries.lists import ListQuery
from shared.queries.search import is_phrase
from shared.queries.tree import Shape

T = TypeVar("T")

MOST_TOTAL = 5_000
MOST_COMPILED = 256
"""Shapes of queries whose SQL is kept."""


_FOLDED = 'normalize(lower(({}) COLLATE "default"), NFC)'
"""The form in which texts are searched. Ids are of the collation "C", whose lower case knows ASCII alone."""

_WORDS = f"(' ' || btrim(regexp_replace({_FOLDED}, '[^[:alnum:]_]+', ' ', 'g')) || ' ')"
"""The words of a text, each between spaces: what phrases are searched in."""


class _Order(NamedTuple):
    """An order by a column. Rows without a value come first in ascending order and last in descending order."""

    column: str
    is_up: bool
    may_be_null: bool = True

    def sql(self) -> str:
        """Return the order as SQL."""
        nulls = (" NULLS FIRST" if self.is_up else " NULLS LAST") if self.may_be_null else ""
        return f"{self.column} {'ASC' if self.is_up else 'DESC'}{nulls}"

    def beyond(self, value: str) -> str:
        """Return what is true of the rows that come after a value, which is not null."""
        if self.is_up:
            return f"{self.column} > {value}"
        return f"({self.column} < {value} OR {self.column} IS NULL)" if self.may_be_null else f"{self.column} < {value}"


class Listing(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A list: the columns and tables of a row, what is true of its rows, what is searched, and its table's name.

    `where` has `$1` and so on for the values of each call; `table` has the columns `id` and
    `sequence`. `attributes` has the SQL of each field that queries may name.
    """

    columns: str
    tables: str
    where: str
    searched: str
    table: str
    attributes: Mapping[str, str]

    async def page(
        self, connection: Connection, query: ListQuery, values: Sequence[object], read: Callable[[asyncpg.Record], T]
    ) -> Page[T]:
        """Return the page, of rows that `read` turns into values; its total is 0 unless the query wants it counted.

        `values` are those of `where`. The count ends at MOST_TOTAL.

        Raises `Refusal(GENERAL_CURSOR_NOT_FOUND)`, `Refusal(DATABASE_QUERY_ORDER_NULL)`.
        """
        page = query.query
        where, orders, by = _compiled(self, page.shape, len(values) + 1)
        arguments = [*values, *page.values]
        if query.search:
            arguments.append(query.search)
            form = _WORDS if is_phrase(query.search) else _FOLDED
            where += f" AND strpos({form.format(self.searched)}, {form.format(f'${len(arguments)}::text')}) > 0"
        total = 0
        if query.total:
            counted = f"SELECT FROM {self.tables} WHERE {where} LIMIT {MOST_TOTAL}"
            total = await connection.fetchval(f"SELECT count(*) FROM ({counted}) AS matching", *arguments)
        if page.cursor:
            where += f" AND {await self._beyond(connection, page.cursor, orders, values, arguments)}"
        rows = await connection.fetch(
            f"SELECT {self.columns} FROM {self.tables} WHERE {where}"
            f" ORDER BY {by} LIMIT {page.limit} OFFSET {page.offset}",
            *arguments,
        )
        items = [read(row) for row in rows]
        return Page(total, items[::-1] if page.shape.cursor == "cursorBefore" else items)

    async def _beyond(
        self,
        connection: Connection,
        cursor: str,
        orders: tuple[_Order, ...],
        base_values: Sequence[object],
        values: list[object],
    ) -> str:
        """Return what is true of the rows after the cursor's, or before it, in this order."""
        columns = ", ".join(order.column for order in orders)
        row = await connection.fetchrow(
            f"SELECT {columns} FROM {self.tables} WHERE {self.where} AND {self.table}.id = ${len(base_values) + 1}",
            *base_values,
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
            cases.append(" AND ".join([*same, order.beyond(f"${len(values)}")]))
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
    orders.append(_Order(f"{listing.table}.sequence", not is_before, may_be_null=False))
    return " AND ".join(where), tuple(orders), ", ".join(order.sql() for order in orders)
