"""A service does not start on what would break the promise, and says in a line what to do."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import asyncpg
import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from services.embedded.postgres import SUPERUSER
from services.embedded.valkey import ADMIN, Valkey
from shared.kernel.settings import Secret, SettingsError
from shared.messaging.names import SERVICES
from shared.messaging.wire import open_client
from shared.process.preflight import check_limits, check_redis, require_safe_database, require_safe_redis
from tests.e2e.processes import environment, free_port
from tests.eventually import PATIENCE_S, eventually
from tests.parts import Database, Parts, open_parts

FORGETFUL = "redis: maxmemory-policy is allkeys-lru: Redis may drop registrations and the feed."


@contextlib.asynccontextmanager
async def process(
    service: str, port: int, database: Database, valkey: Valkey, **more: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    environ = os.environ | environment(service, port, database, valkey) | more
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"services.{service}", env=environ, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.wait()


async def ended(started: asyncio.subprocess.Process) -> tuple[int | None, str]:
    """Wait for the end of a process; return its exit code and the last line that it said."""
    async with asyncio.timeout(PATIENCE_S):
        _, said = await started.communicate()
    return started.returncode, said.decode().strip().splitlines()[-1]


async def configure(valkey: Valkey, name: str, value: str) -> None:
    client = open_client(valkey.url(ADMIN), name="tests")
    await client.config_set(name, value)
    await client.aclose()


EVICTING = {"maxmemory-policy": "allkeys-lru"}


@contextlib.asynccontextmanager
async def set_on_role(database: Database, role: str, name: str, value: str) -> AsyncIterator[None]:
    """Set something for a role in a database; roles are shared by all tests."""
    connection = await asyncpg.connect(database.dsn(SUPERUSER))
    where = f"ROLE daypass_{role} IN DATABASE {database.name}"
    await connection.execute(f"ALTER {where} SET {name} = '{value}'")
    try:
        yield
    finally:
        await connection.execute(f"ALTER {where} RESET {name}")
        await connection.close()


@pytest.mark.parametrize("service", SERVICES)
async def test_no_service_starts_on_a_redis_that_evicts(parts: Parts, database: Database, service: str) -> None:
    async with parts.valkey() as valkey:
        await configure(valkey, "maxmemory-policy", "allkeys-lru")
        async with process(service, free_port(), database, valkey) as started:
            code, said = await ended(started)

    assert code == 1
    assert said == f"Daypass cannot start: {FORGETFUL} Set maxmemory-policy noeviction"


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "cannot read {}: No such file or directory"), (b"x", "{} is not a database in MaxMind's format (.mmdb)")],
)
async def test_auth_does_not_start_on_what_is_no_database_of_countries(
    database: Database, valkey: Valkey, tmp_path: Path, content: bytes | None, reason: str
) -> None:
    path = tmp_path / "countries.mmdb"
    if content is not None:
        path.write_bytes(content)
    async with process("auth", free_port(), database, valkey, DAYPASS_GEOIP_DATABASE=str(path)) as started:
        code, said = await ended(started)

    assert (code, said) == (1, f"Daypass cannot start: DAYPASS_GEOIP_DATABASE: {reason.format(path)}")


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("value", ["off", "local"])
async def test_no_service_starts_on_commits_that_a_crash_undoes(
    database: Database, valkey: Valkey, service: str, value: str
) -> None:
    async with (
        set_on_role(database, service, "synchronous_commit", value),
        process(service, free_port(), database, valkey) as started,
    ):
        code, said = await ended(started)

    assert code == 1
    assert said.startswith(f"Daypass cannot start: postgresql: synchronous_commit is {value}: ")
    assert said.endswith("Set synchronous_commit on")


async def test_no_service_starts_on_a_postgresql_that_flushes_nothing() -> None:
    async with open_parts(fsync="off", full_page_writes="off") as parts:
        database = await parts.new_database()
        with (
            pytest.raises(SettingsError, match=r"^postgresql: fsync is off: .* Set fsync on$"),
            capture_logs() as logged,
        ):
            await require_safe_database(database.dsn("auth"))

    assert [line["setting"] for line in logged] == ["full_page_writes"]  # a warning: ZFS never tears a page


async def test_sound_parts_are_not_complained_of(database: Database, valkey: Valkey) -> None:
    with capture_logs() as logged:
        for service in SERVICES:
            await require_safe_database(database.dsn(service))
            assert await check_redis(valkey.url(service))

    assert logged == []


async def test_a_redis_without_persistence_is_a_warning(valkey: Valkey) -> None:
    await configure(valkey, "appendonly", "no")
    try:
        with capture_logs() as logged:
            assert await check_redis(valkey.url("auth"))
    finally:
        await configure(valkey, "appendonly", "yes")

    assert [(line["log_level"], line["setting"]) for line in logged] == [("warning", "appendonly")]


async def test_a_service_that_may_not_look_warns_and_starts(valkey: Valkey, redis: Redis) -> None:
    await redis.execute_command("ACL", "SETUSER", "data", "-info")  # type: ignore[no-untyped-call] # the client's own
    try:
        with capture_logs() as logged:
            assert await check_redis(valkey.url("data"))
    finally:
        await redis.execute_command("ACL", "SETUSER", "data", "+info")  # type: ignore[no-untyped-call] # as above

    assert [line["event"] for line in logged] == ["the settings of Redis cannot be read"]


async def test_a_redis_that_is_away_is_looked_at_when_it_comes(parts: Parts) -> None:
    async with parts.valkey() as valkey:
        await valkey.stop()
        assert not await check_redis(valkey.url("auth"))
        looking = asyncio.create_task(require_safe_redis(valkey.url("auth"), again_s=0.05))
        await valkey.start()
        await asyncio.wait_for(looking, PATIENCE_S)

        await valkey.stop()
        looking = asyncio.create_task(require_safe_redis(valkey.url("auth"), again_s=0.05))
        valkey.settings |= EVICTING
        await valkey.start()
        with pytest.raises(SettingsError, match="maxmemory-policy is allkeys-lru"):
            await asyncio.wait_for(looking, PATIENCE_S)


async def test_a_service_starts_without_redis_and_ends_when_one_comes_that_evicts(
    parts: Parts, database: Database
) -> None:
    async with parts.valkey() as valkey, aiohttp.ClientSession() as http:
        await valkey.stop()
        port = free_port()
        async with process("auth", port, database, valkey) as started:

            async def livez() -> int:
                try:
                    async with http.get(f"http://127.0.0.1:{port}/livez") as answer:
                        return answer.status
                except aiohttp.ClientConnectionError:
                    return 0

            await eventually(livez, 200)
            valkey.settings |= EVICTING
            await valkey.start()
            code, said = await ended(started)

    assert (code, said.startswith(f"Daypass cannot start: {FORGETFUL}")) == (1, True)


async def test_no_service_counts_calls_in_the_redis_of_the_feed(valkey: Valkey) -> None:
    with pytest.raises(SettingsError, match="limits: DAYPASS_LIMITS_REDIS_URL leads to the Redis of the feed"):
        await check_limits(Secret(valkey.url("auth")), valkey.url("auth"))


async def test_calls_may_be_counted_in_a_redis_that_evicts(valkey: Valkey, parts: Parts) -> None:
    async with parts.valkey() as limits:
        await configure(limits, "maxmemory-policy", "allkeys-lfu")
        await check_limits(Secret(limits.url("auth")), valkey.url("auth"))
