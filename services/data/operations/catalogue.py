"""The definitions of tables, remembered by each process until a statement finds them changed."""

import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import msgspec

from services.data.domain.catalogue import Table, TableKey
from services.data.domain.naming import Naming
from services.data.domain.rights import closed_table, is_closed
from services.data.domain.seal import Seal
from services.data.operations.shares import Shares
from services.data.store import catalogue as store
from services.data.store.errors import StaleTable
from shared.contracts.principal import Kind, Principal
from shared.guard.guard import Guard
from shared.kernel.errors import ErrorType, Refusal, Unavailable
from shared.postgres.pool import Connection, Pool

T = TypeVar("T")
Work = Callable[[Connection, Table], Awaitable[T]]

MAX_TABLES = 10_000
MAX_LENT = {Kind.GUEST: 2, Kind.SESSION: 4, Kind.JWT: 4, Kind.KEY: 4}
"""Long lists that are sent at once to callers of each kind."""
MAX_LENT_PER_CALLER = 2
"""Long lists that are sent at once to one user, or one key."""
MAX_READS = 16
"""Connections on which a project's guests together, or one user, may wait for what they read. A pool has more."""


class Catalogue:
    """Hands out definitions, each to work that it is current for.

    Nothing tells a process that a table has changed elsewhere. A statement that reads carries the version it was made
    for, and returns nothing in another; a writer locks the definition first. So no answer is made by an old one.

    `naming` is how the rows of its tables are shown, `seal` is what their encrypted values are sealed with.
    """

    def __init__(self, pool: Pool, guard: Guard, seal: Seal, naming: Naming = Naming.TABLES_DB) -> None:
        self.naming = naming
        self._seal = seal
        self._pool = pool
        self._guard = guard
        self._known: dict[TableKey, Table] = {}
        self._lent = Counter[str]()
        self._reads = Shares(MAX_READS)

    async def read(self, key: TableKey, principal: Principal, work: "Work[T]") -> T:
        """Return the result of work of one statement that carries the table's version.

        The work is a function because it may run twice: where the definition was an old one, the table is held, and it
        runs again.

        Raises `Refusal(DATABASE_NOT_FOUND)` or `Refusal(TABLE_NOT_FOUND)`: to keys for what is not there, to clients
        for what they could use if it were enabled. To a client, a table that is not there is one that grants nothing.
        """
        if principal.kind is Kind.KEY:
            async with self._pool.acquire() as connection:
                return await self.read_on(connection, key, principal, work)
        # Slow questions of one client may keep that client waiting, but not everybody.
        reader = (principal.project_id, principal.user_id)
        if not self._reads.take(reader):
            await self._reads.wait(reader)
        try:
            async with self._pool.acquire() as connection:
                return await self.read_on(connection, key, principal, work)
        finally:
            self._reads.give_back(reader)

    async def read_on(self, connection: Connection, key: TableKey, principal: Principal, work: "Work[T]") -> T:
        """Return the same, by a connection that is there already."""
        table = self._known.get(key)
        if table is not None:
            try:
                _check_enabled(table, principal)
                return await work(connection, table)
            except StaleTable:
                pass
            except Refusal:
                # It may be an old definition that refuses, before any statement could say that it is old.
                if await store.find_version(connection, table.n) == table.version:
                    raise
        async with self._held(connection, key, principal) as held:
            return await work(connection, held)

    @contextlib.asynccontextmanager
    async def lend(self, principal: Principal) -> AsyncIterator[Connection]:
        """Lend a connection for as long as a client takes its answer: to few at once, so that enough are left.

        Raises `Unavailable`.
        """
        bounds = {f"of {principal.kind}": MAX_LENT[principal.kind]}
        if principal.kind is not Kind.GUEST:
            bounds[principal.who] = MAX_LENT_PER_CALLER
        if any(self._lent[name] >= limit for name, limit in bounds.items()):
            raise Unavailable("Too many long lists are being sent. Try again.", type=ErrorType.GENERAL_BUSY)
        self._lent.update(bounds.keys())
        try:
            async with self._pool.acquire() as connection:
                yield connection
        finally:
            self._lent.subtract(bounds.keys())
            self._lent = +self._lent

    def check(self, principal: Principal) -> None:
        """Raise `Unavailable` where a principal may not stand any more."""
        self._guard.check(principal)

    @contextlib.asynccontextmanager
    async def writing(self, key: TableKey, principal: Principal) -> AsyncIterator[tuple[Connection, Table]]:
        """Open a transaction in which the table's definition is held; commit it if the principal may still write.

        Raises as `read` does, and `Unavailable` where the principal has changed, or cannot be vouched for.
        """
        async with self._pool.acquire() as connection, self._held(connection, key, principal) as table:
            yield connection, table
            self._guard.check(principal)

    @contextlib.asynccontextmanager
    async def _held(self, connection: Connection, key: TableKey, principal: Principal) -> AsyncIterator[Table]:
        async with connection.transaction():
            table = await self._hold(connection, key, principal)
            _check_enabled(table, principal)
            try:
                yield table
            except StaleTable as error:
                raise Unavailable("The table is being changed. Try again.", type=ErrorType.GENERAL_BUSY) from error

    async def _hold(self, connection: Connection, key: TableKey, principal: Principal) -> Table:
        table = self._known.get(key)
        if table is not None and await store.hold_version(connection, table.n) == table.version:
            return table
        self._known.pop(key, None)
        try:
            held = await store.hold_table(connection, *key)
        except Refusal:
            if principal.kind is Kind.KEY:
                raise
            return closed_table(self.naming)
        table = msgspec.structs.replace(held, naming=self.naming, seal=self._seal)
        if len(self._known) >= MAX_TABLES:
            self._known.clear()
        self._known[key] = table
        return table


def _check_enabled(table: Table, principal: Principal) -> None:
    if (table.enabled and table.database.enabled) or principal.kind is Kind.KEY or is_closed(table, principal):
        return
    if not table.database.enabled:
        raise Refusal(ErrorType.DATABASE_NOT_FOUND)
    raise Refusal(ErrorType.TABLE_NOT_FOUND)
