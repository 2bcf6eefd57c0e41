"""Statements that read rows: PostgreSQL decides who may see what, and writes the JSON.

Each carries the version of the table that it was made for; where that is no longer the current one, it says so in
`is_current`, and its result is worth nothing. A text is made once for each version of a table and kind of request.
"""

from functools import lru_cache
from itertools import count

from services.data.domain.catalogue import Column, Table
from services.data.domain.queries import RowQuery, Shape
from services.data.store.conditions import backwards, beyond, complete, condition, order_by

MOST_TOTAL = 5_000
MOST_TEXTS = 4_096
LONGEST_FIXED_PAGE = 100
"""A page as long as this or shorter, from the start, has its length in the text: PostgreSQL plans better for it."""

DATE = """to_char(t.{} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"+00:00"')"""


def row_json(table: Table, selected: tuple[Column, ...] | None) -> str:
    """Return the SQL of the JSON text of a row `t`, with these columns, or all.

    Ids and keys stand in it as they are: their grammar has no character that SQL or JSON would read as its own.
    """
    table_id = table.naming.word("$tableId")
    parts = [
        """'{"$id":"' || t.id || '","$sequence":"' || t.seq""",
        f"""'","$createdAt":"' || {DATE.format("created_at")}""",
        f"""'","$updatedAt":"' || {DATE.format("updated_at")}""",
        """'","$permissions":' || array_to_json(t.permissions)""",
        f"""',"$databaseId":"{table.database.id}","{table_id}":"{table.id}"'""",
        *(
            f"""',"{column.key}":' || coalesce({column.shown}::text, '{column.unset}')"""
            for column in (table.columns if selected is None else selected)
        ),
    ]
    return " || ".join([*parts, "'}'"])


@lru_cache(maxsize=MOST_TEXTS)
def get_row(table: Table, selected: tuple[Column, ...] | None, *, is_open: bool) -> str:
    """Return the statement that reads one row: $1 the version, $2 the id, $3 the permissions that let see it.

    `is_open`: who asks may see every row, and $3 is not needed.
    """
    allowed = "" if is_open else " AND t.permissions && $3::text[]"
    return f"""
        SELECT tables.version = $1 AS is_current, found.json
        FROM data.tables LEFT JOIN (
            SELECT {row_json(table, selected)} AS json FROM {table.rows} AS t WHERE t.id = $2{allowed}
        ) AS found ON true
        WHERE tables.n = {table.n}
    """


def list_rows(table: Table, query: RowQuery, *, roles: list[str] | None, with_total: bool) -> tuple[str, list[object]]:
    """Return the statement, and its values, that reads a page of rows and counts all that match.

    `roles` None: who asks may see every row. Lists in order of sequence or creation, without filters, are merged from
    the first rows of each role, at a cost that knows neither the table's size nor the reader's share of it; all others
    check each row that they come by.
    """
    limit = query.limit if query.offset == 0 and query.limit <= LONGEST_FIXED_PAGE else None
    values: list[object] = [table.version]
    if roles is not None:
        values.append(roles if is_merged(query.shape) else [f'read("{role}")' for role in roles])
    if query.cursor:
        values.append(query.cursor)
    if limit is None:
        values += [query.limit, query.offset]
    text = _list(table, query.shape, limit=limit, is_open=roles is None, with_total=with_total)
    return text, [*values, *query.values]


def is_merged(shape: Shape) -> bool:
    """Say whether the permissions' indexes have the order that is asked for, and all that decides."""
    orders = complete(shape.orders)
    columns = [order.column for order in orders]
    in_order = columns == ["seq"] or (columns == ["created_at", "seq"] and len({one.descending for one in orders}) == 1)
    return in_order and not shape.filters and not shape.is_random


@lru_cache(maxsize=MOST_TEXTS)
def _list(table: Table, shape: Shape, *, limit: int | None, is_open: bool, with_total: bool) -> str:
    parts = _ListParts(table, shape, limit=limit, is_open=is_open)
    is_current = f"(SELECT version FROM data.tables WHERE n = {table.n}) = $1"
    total = parts.total() if with_total else "0"
    return f"""
        WITH {", ".join(f"{name} AS MATERIALIZED ({text})" for name, text in parts.named().items())}
        SELECT {is_current} AS is_current, {parts.cursor_found()}, {total} AS total,
            (SELECT string_agg(json, ','{parts.order_of_page()}) FROM page AS t) AS rows
    """


class _ListParts:
    """The parts of a list's statement. Parameters: the version, roles, cursor, limit and offset, values of filters."""

    def __init__(self, table: Table, shape: Shape, *, limit: int | None, is_open: bool) -> None:
        self.table = table
        self.shape = shape
        self.orders = complete(shape.orders)
        self.scanned = backwards(self.orders) if shape.cursor == "cursorBefore" else self.orders
        numbers = count(2)
        self.roles = "" if is_open else f"${next(numbers)}::text[]"
        self.cursor = f"${next(numbers)}" if shape.cursor else ""
        self.limit, self.offset = str(limit), "0"
        if limit is None:
            self.limit, self.offset = f"${next(numbers)}::bigint", f"${next(numbers)}::bigint"
        self.first = next(numbers)
        self.is_merged = bool(self.roles) and is_merged(shape)

    def named(self) -> dict[str, str]:
        """Return the queries that the statement begins with: the cursor's row, whoever may see it; the roles; the page.

        Of the roles only those are held that the table knows: asked in the index's order, or PostgreSQL would look for
        a role that no row names by reading all of them.
        """
        named = {}
        if self.cursor:
            columns = ", ".join(dict.fromkeys(order.column for order in self.orders))
            named["at"] = f"SELECT {columns} FROM {self.table.rows} WHERE id = {self.cursor}"
        if self.is_merged:
            named["held"] = f"""
                SELECT role FROM unnest({self.roles}) AS role CROSS JOIN LATERAL (
                    SELECT FROM {self.table.grants} WHERE action = 'read' AND role = role.role ORDER BY seq LIMIT 1
                ) AS granted
            """
        return named | {"page": self._page()}

    def order_of_page(self) -> str:
        """Return the order of the page's rows; one that comes by chance stays as it came."""
        return "" if self.shape.is_random else f" ORDER BY {order_by(self.orders)}"

    def cursor_found(self) -> str:
        """Return what is told of the cursor's row."""
        if not self.cursor:
            return "true AS has_cursor, false AS cursor_is_null"
        nulls = " OR ".join(f"{order.column} IS NULL" for order in self.orders)
        return f"EXISTS (SELECT FROM at) AS has_cursor, EXISTS (SELECT FROM at WHERE {nulls}) AS cursor_is_null"

    def total(self) -> str:
        """Return the number of rows that match, up to MOST_TOTAL.

        What one role may read is counted without looking for the same row twice.
        """
        if not self.is_merged:
            return _counted(f"SELECT FROM {self.table.rows} AS t{_where(self._conditions())} LIMIT {MOST_TOTAL}")
        granted = f"""
            SELECT seq FROM {self.table.grants}
            WHERE action = 'read' AND role = {{}} ORDER BY seq LIMIT {MOST_TOTAL}
        """
        of_one = granted.format("(SELECT role FROM held)")
        of_each = granted.format("held.role")
        of_all = f"SELECT DISTINCT t.seq FROM held CROSS JOIN LATERAL ({of_each}) AS t LIMIT {MOST_TOTAL}"
        return f"CASE WHEN (SELECT count(*) FROM held) = 1 THEN {_counted(of_one)} ELSE {_counted(of_all)} END"

    def _page(self) -> str:
        keys = ", ".join(f"t.{column}" for column in dict.fromkeys(order.column for order in self.orders))
        shown = f"SELECT {keys}, {row_json(self.table, self.shape.selected)} AS json"
        if self.is_merged:
            return f"{shown} FROM ({self._merged(keys)}) AS found JOIN {self.table.rows} AS t ON t.seq = found.seq"
        where = [*self._conditions(), *self._after()]
        return f"""
            {shown} FROM {self.table.rows} AS t{_where(where)}
            ORDER BY {"random()" if self.shape.is_random else order_by(self.scanned)}
            LIMIT {self.limit} OFFSET {self.offset}
        """

    def _merged(self, keys: str) -> str:
        where = ["t.action = 'read'", "t.role = held.role", *self._after()]
        return f"""
            SELECT DISTINCT {keys} FROM held CROSS JOIN LATERAL (
                SELECT t.created_at, t.seq FROM {self.table.grants} AS t{_where(where)}
                ORDER BY {order_by(self.scanned)} LIMIT {self.limit} + {self.offset}
            ) AS t ORDER BY {order_by(self.scanned)} LIMIT {self.limit} OFFSET {self.offset}
        """

    def _conditions(self) -> list[str]:
        conditions = [condition(one, self.first) for one in self.shape.filters]
        return [*conditions, f"t.permissions && {self.roles}"] if self.roles else conditions

    def _after(self) -> list[str]:
        return [beyond(self.scanned)] if self.cursor else []


def _where(conditions: list[str]) -> str:
    return " WHERE " + " AND ".join(conditions) if conditions else ""


def _counted(query: str) -> str:
    return f"(SELECT count(*) FROM ({query}) AS counted)"
