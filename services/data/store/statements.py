"""Statements that read rows: PostgreSQL decides who may see what, and writes the JSON.

Each carries the version of the table that it was made for; where that is no longer the current one, it says so in
`is_current`, and its result is worth nothing.
"""

from services.data.domain.catalogue import Column, Table
from services.data.domain.queries import Order, RowQuery
from services.data.store.conditions import Parameters, beyond, complete, condition, order_by

MOST_TOTAL = 5_000


def row_json(table: Table, selected: list[Column] | None) -> str:
    """Return the SQL of the JSON text of a row `t`, with these columns, or all.

    Ids and keys stand in it as they are: their grammar has no character that SQL or JSON would read as its own.
    """
    columns = table.columns if selected is None else list({one.n: one for one in selected}.values())
    date = """to_char(t.{0} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"+00:00"')"""
    parts = [
        """'{"$id":"' || t.id || '","$sequence":"' || t.seq""",
        f"""'","$createdAt":"' || {date.format("created_at")}""",
        f"""'","$updatedAt":"' || {date.format("updated_at")}""",
        """'","$permissions":' || array_to_json(t.permissions)""",
        f"""',"$databaseId":"{table.database.id}","$tableId":"{table.id}"'""",
        *(f"""',"{column.key}":' || coalesce({column.shown}::text, '{column.unset}')""" for column in columns),
    ]
    return " || ".join([*parts, "'}'"])


def get_row(table: Table, *, selected: list[Column] | None, is_open: bool) -> str:
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
    parameters = Parameters(table.version)
    orders = complete(query.orders)
    merged = roles is not None and not query.filters and is_mergeable(orders)
    if merged and roles is not None:
        held = parameters.add(roles)
        page = _merged_page(table, query, orders, held)
        matching = _merged_all(table, held)
    else:
        where = [condition(one, parameters) for one in query.filters]
        if roles is not None:
            where.append(f"t.permissions && {parameters.add([_read(role) for role in roles])}::text[]")
        page = _checked_page(table, query, orders, where)
        matching = f"SELECT FROM {table.rows} AS t{_where(where)} LIMIT {MOST_TOTAL}"
    at, cursor = _cursor(table, query, orders, parameters)
    total = f"(SELECT count(*) FROM ({matching}) AS matching)" if with_total else "0"
    text = f"""
        WITH {at}page AS MATERIALIZED ({page})
        SELECT (SELECT version FROM data.tables WHERE n = {table.n}) = $1 AS is_current, {cursor},
            {total} AS total,
            (SELECT string_agg({row_json(table, query.selected)}, ',' ORDER BY {order_by(orders)})
             FROM page JOIN {table.rows} AS t ON t.seq = page.seq) AS rows
    """
    return text, parameters.values


def is_mergeable(orders: list[Order]) -> bool:
    """Say whether the permissions' indexes have these orders."""
    columns = [order.column for order in orders]
    return columns == ["seq"] or (columns == ["created_at", "seq"] and orders[0].descending == orders[1].descending)


def _merged_page(table: Table, query: RowQuery, orders: list[Order], held: str) -> str:
    columns = ", ".join(f"t.{order.column}" for order in orders)
    after = f" AND {beyond(orders, before=query.is_before)}" if query.cursor else ""
    order = order_by(orders, backwards=query.is_before).replace(" NULLS LAST", "").replace(" NULLS FIRST", "")
    return f"""
        SELECT DISTINCT {columns} FROM unnest({held}::text[]) AS held (role) CROSS JOIN LATERAL (
            SELECT t.created_at, t.seq FROM {table.grants} AS t
            WHERE t.action = 'read' AND t.role = held.role{after}
            ORDER BY {order} LIMIT {query.limit + query.offset}
        ) AS t ORDER BY {order} LIMIT {query.limit} OFFSET {query.offset}
    """


def _merged_all(table: Table, held: str) -> str:
    return f"""
        SELECT DISTINCT t.seq FROM unnest({held}::text[]) AS held (role) CROSS JOIN LATERAL (
            SELECT seq FROM {table.grants} WHERE action = 'read' AND role = held.role ORDER BY seq LIMIT {MOST_TOTAL}
        ) AS t LIMIT {MOST_TOTAL}
    """


def _checked_page(table: Table, query: RowQuery, orders: list[Order], where: list[str]) -> str:
    after = [beyond(orders, before=query.is_before)] if query.cursor else []
    order = order_by(orders, backwards=query.is_before)
    return f"""
        SELECT t.seq FROM {table.rows} AS t{_where([*where, *after])}
        ORDER BY {order} LIMIT {query.limit} OFFSET {query.offset}
    """


def _cursor(table: Table, query: RowQuery, orders: list[Order], parameters: Parameters) -> tuple[str, str]:
    """Return the part that finds the cursor's row, whoever may see it, and what to tell of it."""
    if not query.cursor:
        return "", "true AS has_cursor, false AS cursor_is_null"
    place = parameters.add(query.cursor)
    columns = ", ".join(dict.fromkeys(order.column for order in orders))
    nulls = " OR ".join(f"{order.column} IS NULL" for order in orders)
    at = f"at AS MATERIALIZED (SELECT {columns} FROM {table.rows} WHERE id = {place}), "
    return at, f"EXISTS (SELECT FROM at) AS has_cursor, EXISTS (SELECT FROM at WHERE {nulls}) AS cursor_is_null"


def _where(conditions: list[str]) -> str:
    return " WHERE " + " AND ".join(conditions) if conditions else ""


def _read(role: str) -> str:
    return f'read("{role}")'
