"""Rows as the command line reads them: all rows, and values of encrypted columns as they are stored.

Answers to the command line pass through Redis, where no plaintext of an encrypted column may be.
"""

from services.data.domain.catalogue import Table, TableKey
from services.data.domain.queries import parse_row_queries
from services.data.operations.deps import DataDeps
from services.data.operations.projects import command_line
from services.data.operations.rows import LONGEST_PAGE, page_json
from services.data.store import rows as store
from shared.contracts.ids import ProjectId, RowId
from shared.kernel.errors import ErrorType, Refusal
from shared.postgres.pool import Connection

MAX_BYTES = 4 * 1024 * 1024
"""JSON of one answer: about half of what a message may have."""


async def get_unopened_row(deps: DataDeps, project_id: ProjectId, *, table_key: TableKey, row_id: RowId) -> bytes:
    """Return a row as JSON; raises `Refusal` where any of it is not there."""

    async def work(connection: Connection, table: Table) -> bytes:
        return (await store.get_row(connection, table, row_id, selected=None, roles=None)).encode()

    return _fitting(await deps.catalogue.read(table_key, command_line(project_id), work))


async def list_unopened_rows(
    deps: DataDeps, project_id: ProjectId, *, table_key: TableKey, queries: list[str]
) -> bytes:
    """Return a page of rows as JSON.

    Raises `Refusal` where the table is not there or a query is wrong, and where a page could be too long.
    """

    async def work(connection: Connection, table: Table) -> bytes:
        query = parse_row_queries(queries, table.by_key, searchable=table.searchable)
        if query.limit > LONGEST_PAGE:
            message = f"Invalid query: at most {LONGEST_PAGE:,} rows can be listed at once"
            raise Refusal(ErrorType.GENERAL_QUERY_INVALID, message)
        return page_json(table, await store.list_rows(connection, table, query, roles=None, with_total=True))

    return _fitting(await deps.catalogue.read(table_key, command_line(project_id), work))


def _fitting(json: bytes) -> bytes:
    if len(json) > MAX_BYTES:
        message = f"The answer has more than {MAX_BYTES:,} bytes: ask for fewer rows, or select fewer columns"
        raise Refusal(ErrorType.GENERAL_QUERY_INVALID, message)
    return json
