"""What a pool's connections keep."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from services.embedded.postgres import SUPERUSER
from shared.postgres import pool as postgres
from shared.postgres.pool import Pool, connect, open_pool
from tests.parts import Database, Parts

KIB = 1024


@pytest.fixture
async def pool(parts: Parts) -> AsyncIterator[Pool]:
    """A pool of one connection."""
    opened = await open_pool((await parts.new_database()).dsn("data"), name="tests", most=1)
    yield opened
    await opened.close()


def statement(number: int, size: int) -> str:
    return f"SELECT {number} AS n".ljust(size)


async def kept(pool: Pool) -> list[str]:
    """Return the texts of what is prepared."""
    return [row["statement"] for row in await pool.fetch("SELECT statement FROM pg_prepared_statements")]


async def test_prepared_statements_are_bounded_in_bytes(pool: Pool) -> None:
    for number in range(200):
        await pool.fetchval(statement(number, 8 * KIB))
        await pool.fetchval(statement(-1, 100))

    texts = await kept(pool)

    assert 0 < sum(len(text) for text in texts) <= postgres.STATEMENT_BYTES + 8 * KIB
    assert {statement(-1, 100), statement(199, 8 * KIB)} <= set(texts)
    assert statement(0, 8 * KIB) not in texts


async def test_a_statement_that_is_too_long_is_not_kept(pool: Pool) -> None:
    assert await pool.fetchval(statement(7, 65 * KIB)) == 7

    assert statement(7, 65 * KIB) not in await kept(pool)


Opening = Callable[[str], Awaitable[Any]]

OPENINGS: dict[str, Opening] = {
    "a connection": connect,
    "a pool": lambda dsn: open_pool(dsn, name="tests"),
}


async def allow(database: Database, connections: int) -> None:
    """Let the services have no more than so many connections to a database."""
    superuser = await asyncpg.connect(database.dsn(SUPERUSER))
    await superuser.execute(f"ALTER DATABASE {database.name} CONNECTION LIMIT {connections}")
    await superuser.close()


@pytest.mark.parametrize("opening", OPENINGS.values(), ids=OPENINGS)
async def test_a_service_that_starts_waits_until_a_connection_is_free(parts: Parts, opening: Opening) -> None:
    database = await parts.new_database()
    await allow(database, 1)
    taken = await asyncpg.connect(database.dsn("token"))
    starting = asyncio.ensure_future(opening(database.dsn("auth")))
    ended, _ = await asyncio.wait([starting], timeout=2 * postgres.AGAIN_S)
    assert ended == set(), starting.exception()

    await taken.close()

    async with asyncio.timeout(10):
        await (await starting).close()


async def test_waiting_for_a_connection_has_an_end(parts: Parts) -> None:
    database = await parts.new_database()
    await allow(database, 0)
    with pytest.raises(asyncpg.TooManyConnectionsError):
        await connect(database.dsn("auth"), patience_s=0)


async def test_a_pool_works_with_what_it_opened_where_others_have_taken_the_rest(parts: Parts) -> None:
    database = await parts.new_database()
    pool = await open_pool(database.dsn("auth"), name="tests", least=4)
    await allow(database, 0)

    assert await asyncio.gather(*(pool.fetchval("SELECT 1 FROM pg_sleep(0.1)") for _ in range(4))) == [1] * 4
    await pool.close()
