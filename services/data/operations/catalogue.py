"""The definitions of tables, remembered by each process until a statement finds them changed."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from services.data.domain.catalogue import Table
from services.data.domain.naming import Naming
from services.data.domain.rights import closed_table, is_closed
from services.data.store import catalogue as store
from services.data.store.rows import StaleTable
from shared.contracts.principal import Kind, Principal
from shared.guard.guard import Guard
from shared.kernel.errors import ErrorType, Refusal, Unavailable
from shared.postgres.pool import Connection, Pool

T = TypeVar("T")
Work = Callable[[Connection, Table], Awaitable[T]]

MOST_TABLES = 10_000

Key = tuple[int, str, str]
"""The project's incarnation, the database, the table."""


class Catalogue:
    """Hands out definitions, each to work that it is current for.

    Nothing tells a process that a table has changed elsewhere. A statement that reads carries the version it was made
    for, and finds nothing in another; whoever writes holds the definition first. So no answer is made by an old one.

    `naming` is how the rows of its tables are shown.
    """

    def __init__(self, pool: Pool, guard: Guard, naming: Naming = Naming.TABLES_DB) -> None:
        self.naming = naming
        self._pool = pool
        self._guard = guard
        self._known: dict[Key, Table] = {}

    async def read(self, key: Key, principal: Principal, work: "Work[T]") -> T:
        """Do work of one statement that carries the table's version; where it was made in vain, hold the table for it.

        Raises `Refusal(DATABASE_NOT_FOUND)` or `Refusal(TABLE_NOT_FOUND)`: to keys for what is not there, to clients
        for what they could use if it were enabled. To a client, a table that is not there is one that grants nothing.
        """
        table = self._known.get(key)
        if table is not None:
            async with self._pool.acquire() as connection:
                try:
                    _check_enabled(table, principal)
                    return await work(connection, table)
                except StaleTable:
                    pass
                except Refusal:
                    # It may be an old definition that refuses, before any statement could say that it is old.
                    if await store.find_version(connection, table.n) == table.version:
                        raise
        return await self._held(key, principal, work)

    async def write(self, key: Key, principal: Principal, work: "Work[T]") -> T:
        """Do work in a transaction in which the table's definition is held, and commit it for who may still do it.

        Raises as `read` does, and `Unavailable` where that has changed, or cannot be said.
        """

        async def checked(connection: Connection, table: Table) -> T:
            result = await work(connection, table)
            self._guard.check(principal)
            return result

        return await self._held(key, principal, checked)

    async def _held(self, key: Key, principal: Principal, work: "Work[T]") -> T:
        async with self._pool.acquire() as connection, connection.transaction():
            table = await self._hold(connection, key, principal)
            _check_enabled(table, principal)
            try:
                return await work(connection, table)
            except StaleTable as error:
                raise Unavailable("The table is being changed. Try again.", type=ErrorType.GENERAL_BUSY) from error

    async def _hold(self, connection: Connection, key: Key, principal: Principal) -> Table:
        table = self._known.get(key)
        if table is not None and await store.hold_version(connection, table.n) == table.version:
            return table
        self._known.pop(key, None)
        try:
            found = await store.hold_table(connection, *key)
        except Refusal:
            if principal.kind is Kind.KEY:
                raise
            return closed_table(self.naming)
        table = msgspec.structs.replace(found, naming=self.naming)
        if len(self._known) >= MOST_TABLES:
            self._known.clear()
        self._known[key] = table
        return table


def _check_enabled(table: Table, principal: Principal) -> None:
    if principal.kind is Kind.KEY or is_closed(table, principal):
        return
    if not table.database.enabled:
        raise Refusal(ErrorType.DATABASE_NOT_FOUND, "Database with the requested ID could not be found.")
    if not table.enabled:
        raise Refusal(ErrorType.TABLE_NOT_FOUND, "Table with the requested ID could not be found.")
