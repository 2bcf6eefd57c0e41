"""The keys that encrypted columns are sealed under: checked at start, and changed, column by column, in steps.

A column names the keys that its values may be sealed under, and writers hold its table's definition. So once the new
key stands first, nothing more is sealed under another one, whichever replica writes; what was is resealed in the order
of the rows, and the place that was reached is kept beside the column.
"""

import time
from functools import partial

import msgspec

from services.data.domain.catalogue import Column, Table
from services.data.domain.seal import Seal, WrongColumnKey, start_of
from services.data.domain.sealing import DecryptionFailed, open_default, reseal, seal_default
from services.data.operations.opening import logging_failures, turned
from services.data.store import sealed as store
from services.data.store.definitions import changing
from services.data.store.errors import StaleTable
from services.data.store.sealed import ColumnInTable, SealedValue
from shared.contracts.columns import ResealedColumn, ResealProgress
from shared.kernel.errors import ErrorType, Refusal, Unavailable
from shared.postgres.pool import Connection, Pool

STEP_S = 1.0
"""About how long one request works."""


class _Resealed(msgspec.Struct, kw_only=True):
    """The values that a batch gives new seals, and how many it cannot open."""

    values: list[SealedValue]
    unreadable: int


class _Batch(msgspec.Struct, kw_only=True):
    """What one transaction has done: `reached` is the sequence of its last row."""

    table: Table
    column: Column
    is_last: bool = False
    reached: int = 0
    resealed: int = 0
    unreadable: int = 0


async def check_column_keys(pool: Pool, seal: Seal) -> None:
    """Raise `WrongColumnKey` where values are sealed under a key that is not configured."""
    async with pool.acquire() as connection:
        used = await store.keys_in_use(connection)
    missing = [key_id for key_id in used if key_id not in seal.ids]
    if missing:
        raise WrongColumnKey(
            f"DAYPASS_COLUMN_KEY lacks the key with the id {missing[0]}, under which values of encrypted columns are"
            " sealed: put that key back, after a new one if need be. `daypass up` keeps it as column_key in"
            " secrets.json of the data directory; containers, as deploy/secrets/column_key"
        )


async def reseal_columns(pool: Pool, seal: Seal, *, key: str, for_s: float = STEP_S) -> ResealProgress:
    """Seal values of one column again, one batch at least and for about `for_s`, in seconds.

    `key` is the id of the key to seal them under; empty: the first key.
    Values that do not open are logged and left as they are. Raises `Refusal(GENERAL_BAD_REQUEST)` where this process
    lacks a key, `Unavailable` where the column is being changed.
    """
    key_id = key or next(iter(seal.ids), "")
    try:
        async with pool.acquire() as connection:
            used = await store.keys_in_use(connection)
            if not {*used, *([key] if key else [])} <= set(seal.ids):
                raise Refusal(
                    ErrorType.GENERAL_BAD_REQUEST, "A replica of data lacks a column key that is in use: restart it."
                )
            columns = await store.columns_to_reseal(connection, key_id)
            if not columns:
                return ResealProgress(key=key_id, remaining=0)
            await _put_first(seal, connection, columns[0], key_id)
            return await _reseal(seal, connection, columns, key_id, for_s=for_s)
    except StaleTable as error:
        raise Unavailable("The table is being changed. Try again.", type=ErrorType.GENERAL_BUSY) from error


async def _put_first(seal: Seal, connection: Connection, place: ColumnInTable, key_id: str) -> None:
    """Let a key be the one that seals a column from now on."""
    async with changing(connection):
        table, column = await _find(seal, connection, place, lock=True)
        if column.seal_keys[0] == key_id:
            return
        changed = msgspec.structs.replace(
            column, seal_keys=(key_id, *(known for known in column.seal_keys if known != key_id))
        )
        try:
            with logging_failures():
                default = open_default(table, column)
                changed = seal_default(table, msgspec.structs.replace(changed, default=default))
        except DecryptionFailed:
            pass  # it stays as it is, and says so to those who read it
        await store.begin_reseal(connection, table, changed)


async def _reseal(
    seal: Seal, connection: Connection, columns: list[ColumnInTable], key_id: str, *, for_s: float
) -> ResealProgress:
    deadline = time.monotonic() + for_s
    resealed = unreadable = 0
    while True:
        batch = await _reseal_batch(seal, connection, columns[0], key_id)
        resealed += batch.resealed
        unreadable += batch.unreadable
        if batch.is_last or time.monotonic() >= deadline:
            break
    last = await store.last_row(connection, batch.table)
    return ResealProgress(
        key=key_id,
        remaining=len(columns) - batch.is_last,
        column=ResealedColumn(
            database=batch.table.database.id,
            table=batch.table.id,
            column=batch.column.key,
            row=last if batch.is_last else batch.reached,
            rows=last,
            resealed=resealed,
            unreadable=unreadable,
        ),
    )


async def _reseal_batch(seal: Seal, connection: Connection, place: ColumnInTable, key_id: str) -> _Batch:
    async with changing(connection):
        table, column = await _find(seal, connection, place)
        values = await store.hold_next(connection, table, column)
        if not values:
            await store.end_reseal(connection, column, key_id)
            return _Batch(table=table, column=column, is_last=True)
        work = partial(_sealed_again, table, column, values, start=start_of(key_id))
        again = await turned(work, sum(len(one.sealed) for one in values))
        reached = values[-1].seq
        await store.replace_values(connection, table, column, again.values, reached=reached)
        return _Batch(
            table=table, column=column, reached=reached, resealed=len(again.values), unreadable=again.unreadable
        )


async def _find(
    seal: Seal, connection: Connection, place: ColumnInTable, *, lock: bool = False
) -> tuple[Table, Column]:
    """Return a column with its table, held as it is; raises `StaleTable` where it is gone."""
    table = await store.hold_table(connection, place.table_n, lock=lock)
    for column in table.columns:
        if column.n == place.n:
            return msgspec.structs.replace(table, seal=seal), column
    raise StaleTable


def _sealed_again(table: Table, column: Column, values: list[SealedValue], *, start: str) -> _Resealed:
    again = _Resealed(values=[], unreadable=0)
    for value in values:
        if value.sealed.startswith(start):
            continue
        try:
            with logging_failures():
                sealed = reseal(table, column, value.id, value.sealed)
        except DecryptionFailed:
            again.unreadable += 1
        else:
            again.values.append(msgspec.structs.replace(value, sealed=sealed))
    return again
