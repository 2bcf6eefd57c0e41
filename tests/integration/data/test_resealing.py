"""The column key is changed: values are sealed again in steps, while rows are read and written."""

import asyncio
import contextlib
import json
import os
import sys
from collections import Counter

import asyncpg
import pytest

from services.data.domain.seal import Seal, WrongColumnKey, start_of
from services.data.operations.resealing import check_column_keys, reseal_columns
from shared.contracts.columns import ResealColumns, ResealProgress
from shared.kernel.errors import Refusal
from shared.kernel.settings import Secret
from tests.integration.data.api import Api, TableApi, query
from tests.integration.data.conftest import COLUMN_KEYS
from tests.integration.data.encrypted import put, stored, table_of

FIRST, SECOND = Seal(COLUMN_KEYS).ids


async def step(api: Api, key: str = SECOND) -> ResealProgress:
    return await api.bus.ask(ResealColumns(key=key), timeout_s=15)


async def reseal(api: Api, key: str = SECOND) -> None:
    while (await step(api, key)).remaining:
        pass


async def keys_of(table: TableApi) -> tuple[str, ...]:
    return (await table.definition()).encrypted[0].seal_keys


@pytest.fixture
async def table(api: Api) -> TableApi:
    """A table with sealed values, the only one that is not sealed under the second key."""
    await reseal(api)
    table = await table_of(api, default="the default")
    for number in range(5):
        await table.create({"secret": f"value {number}"}, row_id=f"row-{number}")
    return table


async def test_values_and_defaults_are_sealed_under_the_new_key_and_nothing_is_lost(api: Api, table: TableApi) -> None:
    before, rows = await stored(table), (await table.list()).json

    await reseal(api)

    after = await stored(table)
    assert all(str(value).startswith(start_of(FIRST)) for value in before.values())
    assert all(str(value).startswith(start_of(SECOND)) for value in after.values())
    assert (await keys_of(table), (await table.list()).json) == ((SECOND,), rows)
    assert (await table.call("GET", "/columns/secret")).json["default"] == "the default"
    assert (await step(api)).column is None


async def test_it_goes_on_where_it_was_interrupted_while_rows_are_written(api: Api, table: TableApi) -> None:
    for batch in range(7):
        rows = [{"$id": f"{batch}-{number}", "secret": "old"} for number in range(100)]
        assert (await table.call("POST", "/rows", body={"rows": rows})).status == 201

    first = await reseal_columns(api.pool, Seal(COLUMN_KEYS), key=SECOND, for_s=0)

    assert first.column is not None
    assert (first.remaining, first.column.resealed, first.column.row, first.column.rows) == (1, 500, 500, 705)
    assert await keys_of(table) == (SECOND, FIRST)
    for replica in (0, 1):
        await table.create({"secret": "new"}, row_id=f"new-{replica}", replica=replica)
        await table.update(f"6-{replica}", {"data": {"secret": "changed"}}, replica=replica)
    assert [str(value).startswith(start_of(SECOND)) for value in (await stored(table)).values()].count(False) == 203
    last = await step(api)
    assert last.column is not None
    assert (last.remaining, last.column.resealed, last.column.row) == (0, 203, 707)
    assert await keys_of(table) == (SECOND,)
    shown = await table.found(query("limit", None, 5_000), column="secret")
    assert Counter(shown) == Counter({"old": 698, "changed": 2, "new": 2, **{f"value {n}": 1 for n in range(5)}})


async def test_a_value_that_does_not_open_is_counted_and_left_alone(api: Api, table: TableApi) -> None:
    await put(table, "row-1", "damaged")

    progress = await step(api)

    assert progress.column is not None
    assert (progress.column.resealed, progress.column.unreadable, progress.remaining) == (4, 1, 0)
    assert (await stored(table))["row-1"] == "damaged"


async def test_a_key_that_no_replica_has_is_refused(api: Api) -> None:
    with pytest.raises(Refusal, match="lacks a column key"):
        await step(api, "0123456789")


async def test_a_start_without_a_key_in_use_is_refused(api: Api, table: TableApi) -> None:
    await check_column_keys(api.pool, Seal(COLUMN_KEYS))
    for keys in ("", "another-key-" + "x" * 32):
        with pytest.raises(WrongColumnKey, match="put that key back"):
            await check_column_keys(api.pool, Seal(Secret(keys)))


async def test_the_command_reseals_all_columns_and_names_what_it_could_not_open(api: Api, table: TableApi) -> None:
    await reseal(api)
    await put(table, "row-1", "damaged")
    command = (sys.executable, "-c", "from services.cli import main; main()", "column", "reseal", "--json")
    environ = os.environ | {"DAYPASS_REDIS_URL": api.cli_url}
    process = await asyncio.create_subprocess_exec(
        *command, env=environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )

    out, err = (said.decode() for said in await process.communicate())

    counts = json.loads(out)
    assert (process.returncode, counts["key"]) == (1, FIRST)
    assert f"{counts['unreadable']} values cannot be decrypted" in err
    assert f"{table.database}/{table.table}/secret: row 5 of 5" in err
    assert "columns that remain: 0" in err
    assert await keys_of(table) == (FIRST,)


async def test_nothing_in_the_database_has_a_value_in_the_clear(api: Api, table: TableApi) -> None:
    await table.update("row-1", {"data": {"secret": "needle in a haystack"}})
    await reseal(api)
    async with api.pool.acquire() as connection:
        tables = await connection.fetch(
            "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables"
            " WHERE schemaname = 'data' OR schemaname LIKE 'db\\_%'"
        )
        assert tables
        for one in tables:
            with contextlib.suppress(asyncpg.UndefinedTableError):
                kept = await connection.fetchval(f"SELECT string_agg(t::text, '') FROM {one['name']} AS t")
                assert "needle in a haystack" not in (kept or "")
                assert "the default" not in (kept or "")
