"""What PostgreSQL writes into its log of statements that fail."""

import contextlib

import asyncpg
import pytest

from services.embedded.postgres import SUPERUSER
from shared.messaging.names import SERVICES
from tests.parts import Database, Parts

FAILING = [
    "INSERT INTO {schema}.people VALUES ('ada@example.org')",
    "SELECT 'iban-{role}'::integer",
    "DO $$BEGIN RAISE EXCEPTION 'pin-{role}'; END$$",
]


@pytest.mark.parametrize("role", SERVICES)
async def test_the_values_of_a_failed_statement_are_not_in_the_log(parts: Parts, database: Database, role: str) -> None:
    connection = await asyncpg.connect(database.dsn(role))
    await connection.execute(f"CREATE TABLE {role}.people (email text UNIQUE, CHECK (email = 'ada@example.org'))")
    await connection.execute(f"INSERT INTO {role}.people VALUES ('ada@example.org')")
    for statement in FAILING:
        with contextlib.suppress(asyncpg.PostgresError):
            await connection.execute(statement.format(schema=role, role=role))
    await connection.close()
    log = (parts.folder / "postgres.log").read_text()

    assert "ada@example.org" not in log
    assert f"iban-{role}" not in log
    assert f"pin-{role}" not in log


async def test_the_log_has_only_the_error_of_a_superuser_s_statement(parts: Parts, database: Database) -> None:
    connection = await asyncpg.connect(database.dsn(SUPERUSER))
    await connection.execute("CREATE TABLE public.people (email text UNIQUE)")
    for _ in range(2):
        with contextlib.suppress(asyncpg.UniqueViolationError):
            await connection.execute("INSERT INTO public.people VALUES ('grace@example.org')")
    await connection.close()
    log = (parts.folder / "postgres.log").read_text()

    assert "duplicate key value" in log
    assert "grace@example.org" not in log
