"""A migration that fails is told in words, leaves no process, and once it can work the next start is a clean one."""

from pathlib import Path

import asyncpg
import pytest

from services.data.composition import MIGRATIONS
from services.embedded.parts import open_parts
from services.embedded.postgres import SUPERUSER
from tests.integration.embedded.daypass import User, processes_in

LAST = max(MIGRATIONS.glob("*.sql")).stem
FORGET = f"DELETE FROM data.migrations WHERE name = '{LAST}'"
REMEMBER = f"INSERT INTO data.migrations (number, name) VALUES ({int(LAST[:4])}, '{LAST}')"
ADVANCE = "INSERT INTO auth.migrations (number, name) VALUES (9999, '9999_of_a_newer_release')"
GO_BACK = "DELETE FROM auth.migrations WHERE number = 9999"


async def execute(data_dir: Path, statement: str) -> None:
    async with open_parts(data_dir) as parts:
        connection = await asyncpg.connect(parts.postgres.dsn(SUPERUSER))
        assert await connection.execute(statement) != "DELETE 0"
        await connection.close()


@pytest.mark.parametrize(
    ("harm", "words", "mending"),
    [
        (FORGET, f"{LAST}.sql failed and was rolled back", REMEMBER),
        (ADVANCE, "start a newer release", GO_BACK),
    ],
    ids=["failed", "newer"],
)
async def test_a_failed_migration(user: User, kept_dir: Path, harm: str, words: str, mending: str) -> None:
    await execute(kept_dir, harm)

    with user.up(kept_dir) as instance:
        code, said = instance.ended()

    assert code == 1
    assert words in said
    assert "Traceback" not in said
    assert processes_in(kept_dir) == []
    await execute(kept_dir, mending)
    with user.up(kept_dir) as instance:
        instance.ready()
