"""Statements that read rows: PostgreSQL decides who may see what, and writes the JSON.

Each carries the version of the table that it was made for; where that is no longer the current one, it says so in
`is_current`, and its result is worth nothing. A text is made once for each version of a table and kind of request.
"""

from functools import lru_cache
from itertools import count

from services.data.domain.catalogue import Column, Table
from services.data.store import indexes
from services.data.store.conditions import Order, order_by
from services.data.store.scan import Scan, where_of
from shared.queries.parser import EVERYTHING
from shared.queries.tree import Query, Shape, conditions_in

MAX_TOTAL = 5_000
MAX_NARROW = 5_000
"""So many rows are looked at one by one, rather than to go through a table in the order of a list."""
MAX_TEXTS = 4_096
MAX_KEPT_CONDITIONS = 16
"""A list with more of them is rarely repeated: its text is built each time."""
MAX_FIXED_PAGE = 100
"""A page as long as this or shorter, from the start, has its length in the text: PostgreSQL plans better for it."""

READABLE = """t.permissions && ARRAY(SELECT 'read("' || role || '")' FROM held)"""
"""That one of the roles `held` may read a row."""

DATE = """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"+00:00"')"""

JSON = {"timestamptz(3)": f"to_json({DATE})"}
"""The SQL that makes JSON of a value, by its type, where PostgreSQL writes it in another way than callers see it."""


def row_json(table: Table, selected: tuple[str, ...] | None) -> str:
    """Return the SQL of the JSON text of a row `t`, with the columns of these keys, or all.

    Ids and keys stand in it as they are: their grammar has no character that SQL or JSON would read as its own.
    """
    columns = [
        f"""',"{column.key}":' || coalesce({_column_json(column)}::text, '{column.unset}')"""
        for column in (table.columns if selected is None else _selected(table, selected))
    ]
    return _json(table, sequence="t.seq", permissions="array_to_json(t.permissions)", columns=columns)


def _column_json(column: Column) -> str:
    value, template = f"t.{column.name}", JSON.get(column.kind.postgres)
    if template is None:
        return f"array_to_json({value})" if column.array and not column.is_encrypted else f"to_json({value})"
    if not column.array:
        return template.format(value)
    elements = f"unnest({value}) WITH ORDINALITY AS element (value, place)"
    return f"(SELECT json_agg({template.format('element.value')} ORDER BY place) FROM {elements})"


def unread_row_json(table: Table) -> str:
    """Return the SQL of what a caller is shown of a row `t` that it may change but not read: its id and its dates."""
    return _json(table, sequence="''", permissions="'[]'", columns=[])


def _json(table: Table, *, sequence: str, permissions: str, columns: list[str]) -> str:
    parts = [
        f"""'{{"$id":"' || t.id || '","$sequence":"' || {sequence}""",
        f"""'","$createdAt":"' || {DATE.format("t.created_at")}""",
        f"""'","$updatedAt":"' || {DATE.format("t.updated_at")}""",
        f"""'","$permissions":' || {permissions}""",
        f"""',"$databaseId":"{table.database.id}","{table.naming.word("$tableId")}":"{table.id}"'""",
        *columns,
    ]
    return " || ".join([*parts, "'}'"])


@lru_cache(maxsize=MAX_TEXTS)
def get_row(table: Table, selected: tuple[str, ...] | None, *, is_open: bool) -> str:
    """Return the statement that reads one row: $1 the version, $2 the id, $3 the permissions that let see it.

    `is_open`: the caller may see every row, and $3 is not needed.
    """
    allowed = "" if is_open else " AND t.permissions && $3::text[]"
    return f"""
        SELECT tables.version = $1 AS is_current, readable.json
        FROM data.tables LEFT JOIN (
            SELECT {row_json(table, selected)} AS json FROM {table.rows} AS t WHERE t.id = $2{allowed}
        ) AS readable ON true
        WHERE tables.n = {table.n}
    """


def reads_any(table: Table) -> str:
    """Return the statement that says whether any row can be read: $1 the version, $2 the roles."""
    return f"""
        SELECT version = $1 AS is_current,
            EXISTS (SELECT FROM {table.grants} WHERE action = 'read' AND role = ANY($2)) AS reads_any
        FROM data.tables WHERE n = {table.n}
    """


def list_rows(
    table: Table, query: Query, *, roles: list[str] | None, with_total: bool, in_parts: bool = False
) -> tuple[str, list[object]]:
    """Return the statement, and its values, that reads a page of rows and counts all that match.

    `in_parts`: its first row tells of the table, the cursor and the total, and each that follows is one of the page.

    `roles` None: the caller may see every row. Lists in order of sequence or creation, without filters, are merged from
    the first rows of each role, at a cost that knows neither the table's size nor the reader's share of it. All others
    look at few rows where the roles or an indexed filter leave few, and else go through the table in the list's order.
    """
    limit = query.limit if query.offset == 0 and query.limit <= MAX_FIXED_PAGE else None
    values: list[object] = [table.version]
    if roles is not None:
        values.append(roles)
    if query.cursor:
        values.append(query.cursor)
    if limit is None:
        values += [query.limit, query.offset]
    make = _list if conditions_in(query.shape.filters) <= MAX_KEPT_CONDITIONS else _list.__wrapped__
    text = make(table, query.shape, limit=limit, is_open=roles is None, with_total=with_total, in_parts=in_parts)
    return text, [*values, *query.values]


def is_merged(shape: Shape, orders: tuple[Order, ...]) -> bool:
    """Say whether the permissions' indexes have the requested order, and nothing else decides."""
    columns = [order.column for order in orders]
    in_order = columns == ["seq"] or (columns == ["created_at", "seq"] and len({one.descending for one in orders}) == 1)
    return in_order and not shape.filters and not shape.is_random


@lru_cache(maxsize=MAX_TEXTS)
def _list(table: Table, shape: Shape, *, limit: int | None, is_open: bool, with_total: bool, in_parts: bool) -> str:
    parts = _ListParts(table, shape, limit=limit, is_open=is_open)
    is_current = f"(SELECT version FROM data.tables WHERE n = {table.n}) = $1"
    total = parts.total() if with_total else "0::bigint"
    named = ", ".join(f"{name} AS MATERIALIZED ({text})" for name, text in parts.named().items())
    head = f"{is_current} AS is_current, {parts.cursor_columns()}, {total} AS total"
    if in_parts:
        rows = f"SELECT NULL, NULL, NULL, NULL, json FROM page AS t{parts.order_of_page()}"
        return f"WITH {named} (SELECT {head}, NULL AS json) UNION ALL ({rows})"
    return f"""
        WITH {named} SELECT {head}, (SELECT string_agg(json, ','{parts.order_of_page()}) FROM page AS t) AS rows
    """


class _ListParts(Scan):
    """The parts of a list's statement. Parameters: the version, roles, and those of `Scan`."""

    def __init__(self, table: Table, shape: Shape, *, limit: int | None, is_open: bool) -> None:
        numbers = count(2)
        self.roles = "" if is_open else f"${next(numbers)}::text[]"
        super().__init__(table, shape, limit=limit, numbers=numbers)
        self.is_merged = bool(self.roles) and is_merged(shape, self.orders)
        self.indexed = indexes.stretches(table)
        self.stretch = indexes.narrow_source(self.indexed, self.names, shape.filters)
        needed = () if shape.is_random else self.orders
        self.is_in_stretch = self.stretch is not None and self.stretch.has(needed)
        self.narrow = self._narrow()

    def named(self) -> dict[str, str]:
        """Return the queries that the statement begins with: the roles; the cursor's row, if it may be read; the page.

        Of the roles only those are held that the table knows: looked up in the index's order, or PostgreSQL would
        look for a role that no row names by reading all of them.
        """
        named = {}
        if self.roles:
            named["held"] = f"""
                SELECT role FROM unnest({self.roles}) AS role CROSS JOIN LATERAL (
                    SELECT FROM {self.table.grants} WHERE action = 'read' AND role = role.role ORDER BY seq LIMIT 1
                ) AS granted
            """
        if self.cursor:
            named["cursor_row"] = self.cursor_row(*([READABLE] if self.roles else []))
        return named | self.narrow | {"page": self._rows()}

    def order_of_page(self) -> str:
        """Return the order of the page's rows; one that comes by chance stays as it came."""
        return "" if self.shape.is_random else f" ORDER BY {order_by(self.orders)}"

    def cursor_columns(self) -> str:
        """Return what a list says of the cursor's row."""
        if not self.cursor:
            return "true AS has_cursor, false AS cursor_is_null"
        nulls = " OR ".join(f"{order.column} IS NULL" for order in self.orders)
        is_null = f"EXISTS (SELECT FROM cursor_row WHERE {nulls})"
        return f"EXISTS (SELECT FROM cursor_row) AS has_cursor, {is_null} AS cursor_is_null"

    def total(self) -> str:
        """Return the number of rows that match, up to MAX_TOTAL.

        What one role may read is counted without looking for the same row twice.
        """
        if not self.roles or self.shape.filters:
            return _counted(self._matching("1", f"LIMIT {MAX_TOTAL}"))
        one = _counted(self._granted_to("(SELECT role FROM held)", MAX_TOTAL))
        each = _counted(self._granted("DISTINCT t.seq", MAX_TOTAL))
        return f"CASE WHEN (SELECT count(*) FROM held) = 1 THEN {one} ELSE {each} END"

    def _rows(self) -> str:
        keys = ", ".join(f"t.{column}" for column in dict.fromkeys(order.column for order in self.orders))
        shown = f"SELECT {keys}, {row_json(self.table, self.shape.selected)} AS json"
        if self.is_merged:
            return f"{shown} FROM ({self._merged(keys)}) AS merged JOIN {self.table.rows} AS t ON t.seq = merged.seq"
        matching = self._matching("t.*", self.page(), *self.after())
        return f"{shown} FROM ({matching}) AS t"

    def _matching(self, columns: str, end: str, *conditions: str) -> str:
        """Return the query of columns of the rows that match.

        Where they may be few, it has two ways to them, of which PostgreSQL goes one: through the few, or all.
        """
        where = [*self.filters(), *conditions]
        if self.roles:
            # That PostgreSQL knows nothing of this condition makes it expect half of the rows, where a plain overlap
            # would make it expect so few that it would rather read and sort all than go through an index.
            where.append(f"coalesce({READABLE}, false)")
        ways: list[list[str]] = [[]]
        if self.narrow:
            seqs = "(SELECT seqs FROM smallest)"
            ways = [[f"{seqs} IS NOT NULL", f"t.seq = ANY({seqs}::bigint[])"], [f"{seqs} IS NULL"]]
        rows = f"SELECT {columns} FROM {self.table.rows} AS t"
        return " UNION ALL ".join(f"({rows}{where_of([*way, *where])} {end})" for way in ways)

    def _narrow(self) -> dict[str, str]:
        """Return the queries by which `smallest` has the sequences of few rows, with all that match, or nothing.

        They are the rows that fit an indexed filter, or the caller's: read up to one more than may be few, and of the
        caller's no more than of the others. Nothing is returned where neither can help.
        """
        sources, limit = {}, "(SELECT n + 1 FROM bound)"
        if self.stretch and not self.is_in_stretch:
            where = where_of([self.condition(one) for one in self.stretch.filters])
            order = order_by(self.stretch.orders)
            sources["by_filter"] = f"SELECT t.seq FROM {self.table.rows} AS t{where} ORDER BY {order} LIMIT {limit}"
            limit = "(SELECT least(n, cardinality(seqs)) + 1 FROM bound, by_filter)"
        if self.roles and not self.is_merged and not (self.stretch and self.stretch.is_one):
            sources["by_grant"] = self._granted("t.seq", limit)
        if not sources:
            return {}
        narrow = " UNION ALL ".join(f"SELECT seqs FROM {name}" for name in sources)
        return {
            "bound": f"SELECT least({self._bound()}, {MAX_NARROW})::bigint AS n",
            **{name: f"SELECT ARRAY({source}) AS seqs" for name, source in sources.items()},
            "smallest": f"""
                SELECT seqs FROM ({narrow}) AS sources, bound
                WHERE cardinality(seqs) <= n ORDER BY cardinality(seqs) LIMIT 1
            """,
        }

    def _bound(self) -> str:
        """Return up to how many rows are few.

        Of a table with an index for the order, a page of p rows among n of m is found after m / n * p rows, which are
        more than n up to the root of m * p. Without such an index all m would be read, and with other filters perhaps.
        """
        rows = f"(SELECT max(seq) FROM {self.table.rows})"
        is_ordered = self.is_in_stretch or (
            not self.shape.is_random and indexes.leads_index(self.indexed, self.orders[0])
        )
        if is_ordered and set(self.shape.filters) <= set(self.stretch.filters if self.stretch else ()):
            return f"sqrt(({self.limit} + {self.offset})::float8 * {rows})"
        return f"{rows} / 4"

    def _granted(self, columns: str, limit: object) -> str:
        """Return the query of the first rows that the roles may read; one that several may is there as often."""
        each = self._granted_to("held.role", limit)
        return f"SELECT {columns} FROM held CROSS JOIN LATERAL ({each}) AS t LIMIT {limit}"

    def _granted_to(self, role: str, limit: object) -> str:
        return f"""
            SELECT seq FROM {self.table.grants} WHERE action = 'read' AND role = {role} ORDER BY seq LIMIT {limit}
        """

    def _merged(self, keys: str) -> str:
        where = ["t.action = 'read'", "t.role = held.role", *self.after()]
        return f"""
            SELECT DISTINCT {keys} FROM held CROSS JOIN LATERAL (
                SELECT t.created_at, t.seq FROM {self.table.grants} AS t{where_of(where)}
                ORDER BY {order_by(self.scanned)} LIMIT {self.limit} + {self.offset}
            ) AS t ORDER BY {order_by(self.scanned)} LIMIT {self.limit} OFFSET {self.offset}
        """


def _selected(table: Table, keys: tuple[str, ...]) -> list[Column]:
    by_key = table.by_key
    columns = [column for key in keys for column in (table.columns if key == EVERYTHING else [by_key[key]])]
    return list(dict.fromkeys(columns))


def _counted(query: str) -> str:
    return f"(SELECT count(*) FROM ({query}) AS counted)"
