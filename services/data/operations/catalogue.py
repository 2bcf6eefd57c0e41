"""The definitions of tables, remembered by each process until a statement finds them changed."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from services.data.domain.catalogue import Table
from services.data.store import catalogue as store
from services.data.store.rows import StaleTable
from shared.contracts.principal import Kind, Principal
from shared.kernel.errors import ErrorType, Refusal, Unavailable
from shared.postgres.pool import Pool

T = TypeVar("T")

ATTEMPTS = 5
MOST_TABLES = 10_000

Key = tuple[str, str, str]
"""Project, database, table."""


class Catalogue:
    """Hands out definitions, and has work repeated with a fresh one where an old one was used.

    Nothing tells a process that a table has changed elsewhere: each statement carries the version that it was made
    for, and PostgreSQL answers a wrong one with nothing. So no answer is ever made with an old definition.
    """

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self._known: dict[Key, Table] = {}

    async def with_table(self, key: Key, principal: Principal, work: Callable[[Table], Awaitable[T]]) -> T:
        """Do some work on a table, again with its new definition where it has changed.

        Raises `Refusal(DATABASE_NOT_FOUND)` or `Refusal(TABLE_NOT_FOUND)`, also for what is disabled, but to keys.
        """
        for _ in range(ATTEMPTS):
            table = self._known.get(key) or await self._read(key)
            try:
                _check_enabled(table, principal)
                return await work(table)
            except StaleTable:
                pass
            except Refusal as refusal:
                # It may be an old definition that refuses, before any statement could say that it is old.
                if isinstance(refusal, Unavailable) or await self._is_current(table):
                    raise
            if self._known.get(key) is table:
                del self._known[key]
        raise Unavailable("The table changes faster than it can be read. Try again.", type=ErrorType.GENERAL_BUSY)

    async def _read(self, key: Key) -> Table:
        project, database_id, table_id = key
        async with self.pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
            database = await store.get_database(connection, project, database_id)
            table = await store.get_table(connection, database, table_id)
        if len(self._known) >= MOST_TABLES:
            self._known.clear()
        self._known[key] = table
        return table

    async def _is_current(self, table: Table) -> bool:
        async with self.pool.acquire() as connection:
            return await store.is_current(connection, table)


def _check_enabled(table: Table, principal: Principal) -> None:
    if principal.kind is Kind.KEY:
        return
    if not table.database.enabled:
        raise Refusal(ErrorType.DATABASE_NOT_FOUND, "Database with the requested ID could not be found.")
    if not table.enabled:
        raise Refusal(ErrorType.TABLE_NOT_FOUND, "Table with the requested ID could not be found.")
