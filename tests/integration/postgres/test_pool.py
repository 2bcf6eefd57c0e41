"""What a pool's connections keep."""

from collections.abc import AsyncIterator

import pytest

from shared.postgres import pool as postgres
from shared.postgres.pool import Pool, open_pool
from tests.parts import Parts

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


async def test_what_is_prepared_is_bounded_in_bytes(pool: Pool) -> None:
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
