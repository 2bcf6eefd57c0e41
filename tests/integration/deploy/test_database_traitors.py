"""With the database password of one service alone, nobody reads or writes what is another's, or holds the others up.

What remains to a traitor in each service is told in docs/architecture.md.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest

import shared.messaging
from services import auth, data, token
from services.data.store.incarnations import INCARNATIONS
from services.embedded.postgres import ROLES_FILE, SUPERUSER
from shared.contracts.events import PrincipalsChanged, ProjectDeleted
from shared.kernel.clock import now
from shared.messaging.names import SERVICES
from shared.messaging.outbox import Answered, entry_bytes, keep_answers, publish
from shared.postgres.migrations import MigrationError, migrate
from shared.postgres.pool import open_pool
from tests.parts import PASSWORDS, Database, Parts

FOLDERS = {
    "feed": Path(shared.messaging.__file__).parent / "migrations",
    **{
        module.__name__.rpartition(".")[2]: Path(module.__file__).parent / "migrations"
        for module in (auth, token, data)
    },
}
OWNERS = {"feed": "auth", "auth": "auth", "token": "token", "data": "data"}
PINNED = "pg_catalog, pg_temp"

Connection = asyncpg.Connection
Connect = Callable[[str], Awaitable[Connection]]


@pytest.fixture(scope="module")
async def instance(parts: Parts) -> Database:
    """A database as the services leave it."""
    database = await parts.new_database()
    for schema, folder in FOLDERS.items():
        await migrate(database.dsn(OWNERS[schema]), schema=schema, folder=folder)
    return database


@pytest.fixture
async def connect(instance: Database) -> AsyncIterator[Connect]:
    """Connects as a service, or the superuser, with nothing but its password."""
    async with contextlib.AsyncExitStack() as stack:

        async def connected(role: str) -> Connection:
            connection = await asyncpg.connect(instance.dsn(role))
            stack.push_async_callback(connection.close)
            return connection

        yield connected


MAKING_THINGS = [
    "CREATE SCHEMA daypass_auth",
    "CREATE SCHEMA daypass",
    "CREATE SCHEMA db_1",
    "CREATE PUBLICATION p",
    "CREATE TEMP TABLE users (id text)",
    "CREATE TABLE public.users (id text)",
    "CREATE FUNCTION pg_temp.format(text, text) RETURNS text LANGUAGE sql AS 'SELECT $1'",
    "CREATE FUNCTION pg_catalog.format(text, text) RETURNS text LANGUAGE sql AS 'SELECT $1'",
    "CREATE CAST (text AS integer) WITH INOUT AS IMPLICIT",
    "CREATE EVENT TRIGGER t ON ddl_command_end EXECUTE FUNCTION pg_catalog.suppress_redundant_updates_trigger()",
    "CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw",
]
MANAGING = [
    "CREATE ROLE other",
    "CREATE DATABASE other",
    "ALTER SYSTEM SET fsync = off",
    f"ALTER ROLE {SUPERUSER} PASSWORD 'x'",
    f"ALTER ROLE {SUPERUSER} SET search_path = evil",
    "ALTER ROLE daypass_{service} CONNECTION LIMIT -1",
    "ALTER ROLE daypass_{service} SUPERUSER",
    "ALTER ROLE daypass_{service} SET log_min_messages = info",
    f"SET ROLE {SUPERUSER}",
    "SET ROLE pg_read_all_data",
    "SET log_min_error_statement = error",
    f"SET SESSION AUTHORIZATION {SUPERUSER}",
    "SELECT * FROM pg_authid",
    "SELECT pg_reload_conf()",
    "SELECT pg_read_file('PG_VERSION')",
    "SELECT pg_ls_dir('.')",
    "SELECT lo_import('/etc/passwd')",
    "COPY (SELECT 1) TO PROGRAM 'id'",
    "COPY (SELECT 1) TO '/tmp/daypass-traitor'",
    "ALTER SCHEMA privileged RENAME TO other",
    "DROP FUNCTION privileged.create_database_schema(bigint)",
    "CREATE TABLE privileged.t ()",
]
REACHING_FOR_OTHERS = {
    "auth": [
        "SELECT * FROM token.signing_keys",
        "SELECT * FROM data.databases",
        "SELECT privileged.create_database_schema(1)",
        "ALTER ROLE daypass_data PASSWORD 'x'",
        "SET ROLE daypass_token",
    ],
    "token": [
        "SELECT * FROM auth.users",
        "SELECT * FROM data.databases",
        "SELECT entry FROM feed.outbox",
        "SELECT trusted FROM feed.instance",
        "INSERT INTO feed.outbox (id, stream, entry) VALUES (gen_random_uuid(), 'events', 'x')",
        "INSERT INTO feed.outbox (id, stream, entry) VALUES (gen_random_uuid(), 'feed', 'x')",
        "UPDATE feed.outbox SET answered_at = now(), acked = 1, fenced = 0, milliseconds = 1",
        "DELETE FROM feed.outbox",
        "SELECT * FROM feed.give_numbers('feed', 1)",
        "BEGIN; LOCK TABLE feed.outbox IN ACCESS SHARE MODE",
        "SELECT number FROM feed.heads FOR KEY SHARE",
        "CREATE FUNCTION feed.evil() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "SELECT privileged.create_database_schema(1)",
        "SET ROLE daypass_auth",
    ],
    "data": [
        "SELECT * FROM auth.users",
        "SELECT * FROM token.signing_keys",
        "SELECT * FROM feed.outbox",
        "SELECT feed.publish_signing_keys('{signing_keys}', 'signing_key.rotated')",
        "SELECT feed.position()",
        "BEGIN; LOCK TABLE auth.users IN ACCESS SHARE MODE",
        "SET ROLE daypass_auth",
    ],
}
FORBIDDEN = [
    *((service, statement) for service in SERVICES for statement in (*MAKING_THINGS, *MANAGING)),
    *((service, statement) for service, statements in REACHING_FOR_OTHERS.items() for statement in statements),
]
REFUSED = (
    asyncpg.InsufficientPrivilegeError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.UndefinedObjectError,  # there is no such extension, language or foreign data wrapper to be had
    asyncpg.UndefinedFileError,
)


@pytest.mark.parametrize(("service", "statement"), FORBIDDEN)
async def test_a_service_may_not(connect: Connect, service: str, statement: str) -> None:
    traitor = await connect(service)
    with pytest.raises(REFUSED):
        await traitor.execute(statement.replace("{service}", service))


async def test_data_finds_nothing_to_hide_another_s_function_behind(connect: Connect) -> None:
    traitor = await connect("data")
    with contextlib.suppress(asyncpg.InsufficientPrivilegeError):
        await traitor.execute("CREATE SCHEMA daypass_auth")
        await traitor.execute("GRANT ALL ON SCHEMA daypass_auth TO PUBLIC")
        await traitor.execute(
            "CREATE FUNCTION daypass_auth.to_timestamp(bigint) RETURNS timestamptz LANGUAGE sql"
            " AS $$SELECT 'epoch'::timestamptz$$"
        )
    victim = await connect("auth")

    assert await victim.fetchval("SELECT extract(year FROM to_timestamp($1::bigint))", 2_000_000_000) == 2033


@pytest.mark.parametrize("service", [*SERVICES, SUPERUSER])
async def test_every_role_looks_for_names_where_no_service_can_write(
    instance: Database, connect: Connect, service: str
) -> None:
    connection = await connect(service)
    pool = await open_pool(instance.dsn(service), name="tests")

    assert await connection.fetchval("SHOW search_path") == PINNED
    assert await pool.fetchval("SHOW search_path") == PINNED
    await pool.close()


async def test_a_role_that_loses_its_search_path_is_still_safe(instance: Database, connect: Connect) -> None:
    traitor = await connect("auth")
    await traitor.execute("ALTER ROLE daypass_auth SET search_path = auth, public")
    pool = await open_pool(instance.dsn("auth"), name="tests")

    assert await pool.fetchval("SHOW search_path") == PINNED
    await pool.close()
    await make_roles(instance)
    assert await (await connect("auth")).fetchval("SHOW search_path") == PINNED


async def test_a_function_that_a_service_makes_is_not_run_when_roles_are_made_again(
    instance: Database, connect: Connect
) -> None:
    traitor = await connect("data")
    for schema in ("daypass", "data"):
        with contextlib.suppress(asyncpg.PostgresError):
            await traitor.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}; GRANT ALL ON SCHEMA {schema} TO PUBLIC")
            await traitor.execute(
                f"CREATE FUNCTION {schema}.format(text, text) RETURNS text LANGUAGE plpgsql AS"
                " $$BEGIN ALTER ROLE daypass_data SUPERUSER; RETURN pg_catalog.format($1, VARIADIC ARRAY[$2]); END$$"
            )
    await make_roles(instance)

    assert not await traitor.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = 'daypass_data'")
    await (await connect(SUPERUSER)).execute("ALTER ROLE daypass_data NOSUPERUSER")


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("name", ["postgres", "template1"])
async def test_a_service_enters_no_other_database(
    connect: Connect, service: str, name: str, instance: Database
) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(instance.dsn(service).replace(f"/{instance.name}?", f"/{name}?"))


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_reads_no_statement_of_another_and_ends_none(connect: Connect, service: str) -> None:
    traitor = await connect(service)
    for other in {*SERVICES, SUPERUSER} - {service}:
        victim = await connect(other)
        await victim.execute("SELECT 'a secret of another'")
        pid = victim.get_server_pid()

        seen = await traitor.fetchval("SELECT query FROM pg_stat_activity WHERE pid = $1", pid)
        assert seen == "<insufficient privilege>"
        for end in ("pg_terminate_backend", "pg_cancel_backend"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await traitor.execute(f"SELECT {end}({pid})")


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_cannot_take_all_connections(connect: Connect, service: str) -> None:
    async def take_all() -> None:
        while True:
            await connect(service)

    with pytest.raises(asyncpg.TooManyConnectionsError):
        await take_all()

    for other in {*SERVICES, SUPERUSER} - {service}:
        await connect(other)


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_cannot_hold_up_the_migrations_of_another(
    instance: Database, connect: Connect, service: str
) -> None:
    traitor = await connect(service)
    for schema in FOLDERS:
        await traitor.execute("SELECT pg_advisory_lock(hashtext($1))", f"daypass migrate {schema}")

    async with asyncio.timeout(10):
        for schema, folder in FOLDERS.items():
            await migrate(instance.dsn(OWNERS[schema]), schema=schema, folder=folder)


async def test_a_migration_that_a_transaction_of_token_holds_up_says_whose_it_is(
    instance: Database, connect: Connect, tmp_path: Path
) -> None:
    (tmp_path / "9000_another.sql").write_text("ALTER TABLE feed.outbox ADD COLUMN another text")
    traitor = await connect("token")
    async with traitor.transaction():
        await traitor.execute("SELECT feed.publish_signing_keys($1, $2)", ["signing_keys"], "signing_key.rotated")

        with pytest.raises(MigrationError, match="schema feed cannot be migrated: daypass_token has held its tables"):
            await migrate(instance.dsn("auth"), schema="feed", folder=tmp_path, lock_timeout_ms=200)


async def test_no_lock_that_token_can_take_holds_up_the_making_of_a_database(connect: Connect) -> None:
    victim, traitor = await connect("data"), await connect("token")
    await traitor.execute("SELECT pg_advisory_lock(hashtextextended('daypass incarnation', 7))")

    async with asyncio.timeout(5), victim.transaction():
        assert await INCARNATIONS.hold(victim, 7)


async def test_a_project_is_noted_as_deleted_when_no_database_is_being_made_in_it(connect: Connect) -> None:
    maker, purge = await connect("data"), await connect("data")
    async with maker.transaction():
        assert await INCARNATIONS.hold(maker, 8)
        await INCARNATIONS.note_death(purge, 9)
        await purge.execute("SET lock_timeout = 200")
        with pytest.raises(asyncpg.LockNotAvailableError):
            await INCARNATIONS.note_death(purge, 8)
    await INCARNATIONS.note_death(purge, 8)
    await INCARNATIONS.note_death(purge, 8)

    assert not await INCARNATIONS.hold(maker, 8)


def test_the_code_takes_no_advisory_lock_which_any_role_could_hold() -> None:
    root = Path(auth.__file__).parents[2]
    files = [
        path for kind in ("py", "sql") for part in ("shared", "services") for path in (root / part).rglob(f"*.{kind}")
    ]

    assert [path for path in files if "pg_advisory" in path.read_text(encoding="utf-8")] == []


@pytest.mark.parametrize("number", [0, -1])
async def test_data_makes_schemas_for_databases_only(connect: Connect, number: int) -> None:
    traitor = await connect("data")
    await traitor.execute("SELECT privileged.create_database_schema(7)")
    await traitor.execute("CREATE TABLE db_7.t (a int); DROP SCHEMA db_7 CASCADE")

    with pytest.raises(asyncpg.RaiseError, match="numbers of databases begin with 1"):
        await traitor.execute(f"SELECT privileged.create_database_schema({number})")
    with pytest.raises(asyncpg.InvalidTextRepresentationError):
        await traitor.execute("SELECT privileged.create_database_schema('7 AUTHORIZATION daypass_auth')")


EVENTS = [
    (["user:shop/ada"], "signing_key.retired"),
    (["project:shop"], "signing_key.retired"),
    (["signing_key:a", "jwt:b"], "signing_key.retired"),
    (["signing_key:"], "signing_key.retired"),
    (["signing_key:a\nuser:shop/ada"], "signing_key.retired"),
    (["signing_key:a", None], "signing_key.retired"),
    ([], "signing_key.retired"),
    (["signing_key:a"] * 101, "signing_key.retired"),
    ([["signing_key:a", "user:shop/ada"], ["signing_key:a", "signing_key:b"]], "signing_key.retired"),
    (["signing_keys"], "session.deleted"),
    (["signing_keys"], ""),
    (None, "signing_key.retired"),
]


@pytest.mark.parametrize(("subjects", "reason"), EVENTS)
async def test_token_tells_the_feed_of_nothing_but_signing_keys(
    connect: Connect, subjects: list[str] | None, reason: str
) -> None:
    traitor = await connect("token")
    with pytest.raises(asyncpg.RaiseError):
        await traitor.execute("SELECT feed.publish_signing_keys($1, $2)", subjects, reason)


@pytest.mark.parametrize("count", [1, 15, 16, 100])
async def test_an_event_that_token_publishes_is_what_auth_would_have_written(connect: Connect, count: int) -> None:
    subjects = ("signing_keys", *(f"signing_key:{'k' * (n % 36 + 1)}" for n in range(count - 1)))
    event = PrincipalsChanged(subjects=subjects, reason="signing_key.rotated")
    ticket = await (await connect("token")).fetchval(
        "SELECT feed.publish_signing_keys($1, $2)", list(subjects), event.reason
    )
    row = await (await connect("auth")).fetchrow("SELECT * FROM feed.outbox WHERE id = $1", ticket)

    assert row is not None
    assert (row["stream"], row["subjects"], row["reason"], row["asked_by"]) == (
        "feed",
        list(subjects),
        "signing_key.rotated",
        "cli",
    )
    assert row["entry"] == entry_bytes(event)


async def test_token_cannot_fill_the_feed(connect: Connect) -> None:
    traitor, another, victim = await connect("token"), await connect("token"), await connect("auth")
    await victim.execute("DELETE FROM feed.outbox; UPDATE feed.signing_key_entries SET since = '-infinity'")
    flood = "SELECT feed.publish_signing_keys('{signing_keys}', 'signing_key.rotated') FROM generate_series(1, $1)"
    await another.execute(flood, 60)
    for role in (traitor, another):
        with pytest.raises(asyncpg.ConfigurationLimitExceededError, match="no more than 100 entries"):
            await role.execute(flood, 41)
    await traitor.execute(flood, 40)
    with pytest.raises(asyncpg.ConfigurationLimitExceededError):
        await another.execute(flood, 1)

    assert await victim.fetchval("SELECT count(*) FROM feed.outbox") == 100

    await victim.execute("UPDATE feed.signing_key_entries SET since = since - interval '61 seconds'")
    await another.execute(flood, 1)


async def test_token_confirms_only_what_it_waits_for(connect: Connect) -> None:
    victim, traitor = await connect("auth"), await connect("token")
    await victim.execute("DELETE FROM feed.outbox")
    events = [
        PrincipalsChanged(subjects=("user:shop/ada",), reason="user.blocked"),
        PrincipalsChanged(subjects=("jwt:a", "user:shop/ada"), reason="user.blocked"),
        PrincipalsChanged(subjects=("session:shop/jwt:a",), reason="session.deleted"),
        ProjectDeleted(project_id="shop"),
    ]
    tickets = [await publish(victim, event, asked_by="user ada") for event in events]
    jwt = await publish(victim, PrincipalsChanged(subjects=("jwt:a",), reason="jwt.revoked"), asked_by="user ada")
    unnumbered = await publish(
        victim, PrincipalsChanged(subjects=("jwt:a",), reason="jwt.revoked"), asked_by="user ada"
    )
    for number, ticket in enumerate([*tickets, jwt]):
        await victim.execute("UPDATE feed.outbox SET number = $1 WHERE id = $2", number + 1, ticket)
    for ticket in (*tickets, jwt, unnumbered):
        await traitor.execute("SELECT feed.confirm($1, now(), 1, 0, 1.0)", ticket)

    confirmed = await victim.fetch("SELECT id FROM feed.outbox WHERE answered_at IS NOT NULL")
    assert [row["id"] for row in confirmed] == [jwt]


async def test_an_open_transaction_of_token_holds_no_number_up(instance: Database, connect: Connect) -> None:
    victim, traitor = await connect("auth"), await connect("token")
    await victim.execute("DELETE FROM feed.outbox")
    pool = await open_pool(instance.dsn("auth"), name="tests")
    told = await traitor.fetchval("SELECT feed.publish_signing_keys($1, $2)", ["signing_keys"], "signing_key.rotated")
    await victim.execute("SELECT FROM feed.give_numbers('feed', 10)")
    async with traitor.transaction():
        await traitor.execute("SELECT feed.publish_signing_keys($1, $2)", ["signing_keys"], "signing_key.rotated")
        await traitor.execute("SELECT feed.confirm($1, now(), 1, 0, 1.0)", told)
        await publish(victim, PrincipalsChanged(subjects=("user:shop/ada",), reason="user.blocked"), asked_by="a")
        await victim.execute("SET lock_timeout = 2000")
        numbered = await victim.fetch("SELECT number FROM feed.give_numbers('feed', 10)")

        async with asyncio.timeout(2):
            await keep_answers(pool, [Answered(told, now(), 1, 0, 1.0)])

    await pool.close()
    assert len(numbered) == 1


async def make_roles(database: Database) -> None:
    """Run roles.sql, as each start of the embedded topology does."""
    connection = await asyncpg.connect(database.dsn(SUPERUSER))
    for service in SERVICES:
        password = PASSWORDS[service].reveal()
        await connection.execute("SELECT set_config($1, $2, false)", f"daypass.{service}_password", password)
    await connection.execute(ROLES_FILE.read_text(encoding="utf-8"))
    await connection.close()
