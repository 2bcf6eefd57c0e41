"""Rows: read by callers whom the permissions allow.

Rights are checked first, and queries after them. `services.data.domain.rights` has the rules.
"""

from collections.abc import AsyncGenerator
from typing import NamedTuple

from services.data.domain.catalogue import RowKey, Table, TableKey
from services.data.domain.queries import parse_row_queries, parse_selection
from services.data.domain.rights import roles_for
from services.data.operations.deps import DataDeps
from services.data.operations.explanations import check_explainable, list_explained, row_explained
from services.data.operations.opening import opened
from services.data.store import rows as store
from services.data.store.errors import StaleTable
from services.data.store.rows import JsonPage
from shared.contracts.principal import Principal
from shared.kernel.errors import ErrorType, Refusal, Unavailable
from shared.postgres.pool import Connection
from shared.queries.errors import UnfitQuery
from shared.queries.parser import has_cursor
from shared.queries.tree import Query

LONGEST_PAGE = 1_000
"""Rows that are read at once; a longer page is sent in parts."""

FIRST_PART = 100
PART_BYTES = 1024 * 1024
"""How many rows the first part of a page has, and about how many bytes each other."""


class PageInParts(NamedTuple):
    """A long page: the first part of its JSON, and the rest."""

    first: bytes
    rest: AsyncGenerator[bytes, None]


class AllowedQuery(NamedTuple):
    """A query of a table, and the roles by which its rows may be read (None: all may)."""

    query: Query
    roles: list[str] | None


async def get_row(
    deps: DataDeps,
    principal: Principal,
    *,
    row_key: RowKey,
    queries: list[str],
    explained: Principal | None = None,
) -> bytes:
    """Return a row as JSON; what is not there and what may not be read are the same: `Refusal(ROW_NOT_FOUND)`.

    `explained`: whose access is explained beside it.
    """

    async def work(connection: Connection, table: Table) -> bytes:
        roles = roles_for(table, "read", principal)
        if roles == []:
            raise Refusal(ErrorType.ROW_NOT_FOUND)
        try:
            selected = parse_selection(queries, table.by_key) if queries else None
        except UnfitQuery:
            await store.get_row(
                connection, table, row_key.row, selected=(), roles=roles
            )  # only a caller who may read the row learns why
            raise
        row = (
            await opened(table, await store.get_row(connection, table, row_key.row, selected=selected, roles=roles))
        ).encode()
        return row if explained is None else row_explained(table, row, explained)

    return await deps.catalogue.read(row_key.table, principal, work)


async def list_rows(
    deps: DataDeps,
    principal: Principal,
    *,
    table_key: TableKey,
    queries: list[str],
    with_total: bool,
    explained: Principal | None = None,
) -> bytes | PageInParts:
    """Return a page of the rows that may be read, as JSON. Raises `Refusal(USER_UNAUTHORIZED)` where none can be.

    To a caller who may read no row at all, a table is empty, whatever the queries are.
    `explained`: whose access is explained beside each.
    """

    async def work(connection: Connection, table: Table) -> bytes | None:
        allowed = await _allowed(connection, table, principal, queries)
        if allowed is None:
            return page_json(table, JsonPage("", 0))
        query, roles = allowed
        if explained is not None:
            check_explainable(query.limit)
        if query.limit > LONGEST_PAGE:
            return None
        page = await store.list_rows(connection, table, query, roles=roles, with_total=with_total)
        if explained is not None:
            return list_explained(table, await opened(table, page.rows), page.total, explained)
        return await open_page(table, page)

    page = await deps.catalogue.read(table_key, principal, work)
    if page is not None:
        return page
    parts = _list_in_parts(deps, principal, table_key=table_key, queries=queries, with_total=with_total)
    return PageInParts(await anext(parts), parts)


async def _list_in_parts(
    deps: DataDeps, principal: Principal, *, table_key: TableKey, queries: list[str], with_total: bool
) -> AsyncGenerator[bytes, None]:
    """Yield a page of any length in parts, of rows as they are now, while its caller still stands."""

    async def begin(connection: Connection, table: Table) -> tuple[bytes, Table]:
        allowed = await _allowed(connection, table, principal, queries)
        if allowed is None:
            raise StaleTable
        query, roles = allowed
        total = await store.open_rows(connection, table, query, roles=roles, with_total=with_total)
        return f'{{"total":{total},"{table.naming.word("rows")}":['.encode(), table

    async with deps.catalogue.lend(principal) as connection:
        try:
            before, table = await deps.catalogue.read_on(connection, table_key, principal, begin)
            count = FIRST_PART
            while rows := await store.next_rows(connection, count):
                deps.catalogue.check(principal)
                part = (await opened(table, ",".join(rows))).encode()
                yield before + part
                before = b","
                count = max(1, min(LONGEST_PAGE, PART_BYTES * len(rows) // len(part)))
            yield (b"" if before == b"," else before) + b"]}"
            await store.close_rows(connection)
        except BaseException:
            # Whatever the list left behind goes with the connection.
            connection.terminate()
            raise


async def _allowed(
    connection: Connection, table: Table, principal: Principal, queries: list[str]
) -> AllowedQuery | None:
    """Return the query of a table; None where the caller may learn of no row that it could match."""
    roles = roles_for(table, "read", principal)
    if roles == []:
        raise Refusal(ErrorType.USER_UNAUTHORIZED)
    try:
        query = parse_row_queries(queries, table.by_key, searchable=table.searchable)
    except UnfitQuery:
        if roles is None or await store.reads_any(connection, table, roles):
            raise
    else:
        # A page in parts looks other than an empty one: it would tell that its queries fit the columns.
        if roles is None or query.limit <= LONGEST_PAGE or await store.reads_any(connection, table, roles):
            return AllowedQuery(query, roles)
    if has_cursor(queries):
        raise store.cursor_not_found()
    return None


async def may_write(deps: DataDeps, principal: Principal, *, table_key: TableKey, actions: tuple[str, ...]) -> bool:
    """Say whether one of these actions is open to the principal, on the table or on some row; not where it is unseen.

    Each write is checked by itself: this spares reading a large body that cannot be written.
    """

    async def work(connection: Connection, table: Table) -> bool:
        await store.require_current(connection, table)
        opened = [roles_for(table, action, principal) for action in actions]
        rows = [action for action, roles in zip(actions, opened, strict=True) if roles and action != "create"]
        if None in opened or not rows:
            return None in opened
        return await store.is_granted(connection, table, rows, list(principal.roles))

    try:
        return await deps.catalogue.read(table_key, principal, work)
    except Unavailable:
        raise
    except Refusal:
        return False


async def open_page(table: Table, page: JsonPage) -> bytes:
    """Return the JSON of a page of rows with their values opened, in the words of the table's naming."""
    return page_json(table, JsonPage(await opened(table, page.rows), page.total))


def page_json(table: Table, page: JsonPage) -> bytes:
    """Return the JSON of a page of rows, in the words of the table's naming."""
    return f'{{"total":{page.total},"{table.naming.word("rows")}":[{page.rows}]}}'.encode()
