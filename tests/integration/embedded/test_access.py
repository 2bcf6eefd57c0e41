"""Rights in the parts: passwords always, and each service no more than its own."""

import asyncpg
import pytest
from redis.exceptions import NoPermissionError, RedisError

from services.embedded.postgres import ROLES_FILE, SUPERUSER
from services.embedded.valkey import Valkey
from shared.messaging import names
from shared.messaging.names import SERVICES
from shared.messaging.wire import open_client
from tests.parts import PASSWORDS, Database

SCHEMAS = {
    "auth": {"auth", "feed"},
    "token": {"token", "feed"},
    "data": {"data", "privileged"},
    "storage": {"storage"},
}
CREATES_IN = {"auth": {"auth", "feed"}, "token": {"token"}, "data": {"data"}, "storage": {"storage"}}

_ALLOWED = """
    SELECT nspname FROM pg_namespace
    WHERE has_schema_privilege(nspname, $1) AND nspname !~ '^pg_' AND nspname <> 'information_schema'
"""


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_sees_only_its_own_schemas(database: Database, service: str) -> None:
    connection = await asyncpg.connect(database.dsn(service))
    try:
        assert {row[0] for row in await connection.fetch(_ALLOWED, "USAGE")} == SCHEMAS[service]
        assert {row[0] for row in await connection.fetch(_ALLOWED, "CREATE")} == CREATES_IN[service]
        assert not await connection.fetchval("SELECT has_database_privilege(current_database(), 'CREATE')")
        assert not await connection.fetchval("SELECT has_database_privilege(current_database(), 'TEMP')")
    finally:
        await connection.close()


@pytest.mark.parametrize("user", [SUPERUSER, *SERVICES])
async def test_postgresql_trusts_nobody(database: Database, user: str) -> None:
    wrong = database.dsn(user).replace(PASSWORDS[user].reveal(), "guess")

    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(wrong)


async def test_roles_can_be_made_again_and_given_other_passwords(database: Database) -> None:
    connection = await asyncpg.connect(database.dsn(SUPERUSER))
    try:
        for _ in range(2):
            async with connection.transaction():
                for service in SERVICES:
                    password = PASSWORDS[service].reveal()
                    await connection.execute("SELECT set_config($1, $2, true)", f"daypass.{service}_password", password)
                await connection.execute(ROLES_FILE.read_text())
        is_scram = "SELECT bool_and(rolpassword LIKE 'SCRAM-SHA-256$%') FROM pg_authid WHERE rolname LIKE 'daypass%'"
        assert await connection.fetchval(is_scram)
    finally:
        await connection.close()


async def test_roles_are_not_made_without_passwords(database: Database) -> None:
    connection = await asyncpg.connect(database.dsn(SUPERUSER))
    try:
        with pytest.raises(asyncpg.RaiseError, match=r"daypass\.auth_password is not set"):
            await connection.execute(ROLES_FILE.read_text())
    finally:
        await connection.close()


async def test_valkey_knows_nobody_without_a_password(valkey: Valkey) -> None:
    anonymous = open_client("unix://" + valkey.url("auth").split("@", 1)[1], name="test")
    guessing = open_client(valkey.url("auth").replace(PASSWORDS["auth"].reveal(), "guess"), name="test")
    try:
        with pytest.raises(RedisError, match="Authentication required"):
            await anonymous.ping()
        with pytest.raises(RedisError, match="invalid username-password pair"):
            await guessing.ping()
    finally:
        await anonymous.aclose()
        await guessing.aclose()


@pytest.mark.parametrize("user", ["token", "data", "storage", "cli"])
async def test_only_auth_appends_to_the_feed(valkey: Valkey, user: str) -> None:
    client = open_client(valkey.url(user), name="test")
    try:
        with pytest.raises(NoPermissionError):
            await client.xadd(names.stream("feed", "x"), {"entry": b""})
    finally:
        await client.aclose()
    auth = open_client(valkey.url("auth"), name="test")
    assert await auth.xadd(names.stream("feed", "x"), {"entry": b""})
    await auth.aclose()
