"""A list that takes too long: PostgreSQL ends its statement, and the caller is told so."""

import asyncio

import pytest

from services.data.domain.catalogue import Table
from services.data.domain.queries import parse_row_queries
from services.data.store.rows import list_rows
from shared.kernel.errors import ErrorType, Refusal
from shared.postgres.pool import Connection
from tests.eventually import eventually
from tests.integration.data.api import Api, TableApi

_END_WAITING = """
    SELECT bool_or(pg_cancel_backend(pid)) FROM pg_locks WHERE relation = $1::text::regclass AND NOT granted
"""

LIST = parse_row_queries([], {})


async def _held(api: Api, made: TableApi, connection: Connection) -> Table:
    """Hold a table until the transaction of the connection ends, so that every list of it waits."""
    table = await made.definition()
    await connection.execute(f"LOCK TABLE {table.rows} IN ACCESS EXCLUSIVE MODE")
    return table


async def test_a_statement_ends_with_its_time(api: Api) -> None:
    made = await api.new_table()
    async with api.pool.acquire() as holder, holder.transaction(), api.pool.acquire() as reader, reader.transaction():
        table = await _held(api, made, holder)
        await reader.execute("SET LOCAL statement_timeout = '20ms'")
        with pytest.raises(Refusal) as refused:
            await list_rows(reader, table, LIST, roles=None, with_total=True)

    assert refused.value.type is ErrorType.DATABASE_TIMEOUT


async def test_a_list_whose_statement_was_ended_is_answered_with_408(api: Api) -> None:
    """The statement is ended from outside, as PostgreSQL ends it after 15 s."""
    made = await api.new_table()
    async with api.pool.acquire() as holder, holder.transaction():
        table = await _held(api, made, holder)
        listing = asyncio.create_task(made.list())
        await eventually(lambda: holder.fetchval(_END_WAITING, table.rows), expected=True)
        answer = await listing

    assert answer.said == (408, "database_timeout")
