"""The doctor names what is not as the promise needs it, and nothing else."""

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from services.auth.instance.operations.doctor import CLOCKS, Clocks, Deployment, DoctorTiming, examine_deployment
from services.embedded.postgres import SUPERUSER
from services.embedded.valkey import ADMIN, Valkey
from shared.contracts.findings import ExamineDeployment, Finding, Verdict
from shared.kernel.settings import Secret
from shared.messaging import names
from shared.messaging.wire import open_client
from shared.postgres.pool import Pool, open_pool
from tests.e2e.processes import free_port
from tests.eventually import eventually
from tests.integration.auth.conftest import World
from tests.parts import PASSWORDS, Database, Parts

TIMING = DoctorTiming(registration_s=0.3, reread_s=0.05)
OK, WARN, FAIL = Verdict.OK, Verdict.WARN, Verdict.FAIL

CHECKS = [
    ("auth", "barrier"),
    ("auth", "address"),
    ("redis", "maxmemory-policy"),
    ("redis", "appendonly"),
    ("redis", "version"),
    ("redis", "copies"),
    ("redis", "default user"),
    ("redis", "auth's user"),
    ("redis", "users"),
    ("limits", "counts"),
    ("postgresql", "fsync"),
    ("postgresql", "full_page_writes"),
    ("postgresql", "synchronous_commit"),
    ("postgresql", "version"),
    ("postgresql", "roles"),
    ("postgresql", "rights"),
    ("postgresql", "search_path"),
    ("postgresql", "schemas"),
    ("postgresql", "connections"),
    ("postgresql", "databases"),
    ("clocks", "Redis's wall clock"),
    ("clocks", "PostgreSQL's wall clock"),
    ("clocks", "boot clock"),
    ("registry", "replicas"),
    ("permissions", "grantees"),
]


class Clinic:
    """Parts to spoil, and a doctor who looks at them as auth."""

    def __init__(self, pool: Pool, redis: Redis, admin: Redis, database: Database, valkey: Valkey) -> None:
        self.pool = pool
        self.redis = redis
        self.admin = admin
        self.database = database
        self.valkey = valkey

    async def complaints(
        self,
        *,
        copies: int = 0,
        has_barrier: bool = True,
        has_limits: bool = True,
        limits_url: str = "",
        clocks: Clocks = CLOCKS,
    ) -> list[tuple[Verdict, str, str]]:
        """What is not ok: verdict, check, message."""
        url = Secret(self.valkey.url("auth"))
        deployment = Deployment(
            redis_url=url,
            limits_redis_url=Secret(limits_url),
            copies=copies,
            has_barrier=has_barrier,
            has_limits=has_limits,
        )
        found = await examine_deployment(self.pool, self.redis, deployment, timing=TIMING, clocks=clocks)
        return [(one.verdict, one.check, one.message) for one in found if one.verdict is not OK]

    async def as_superuser(self, *statements: str) -> None:
        connection = await asyncpg.connect(self.database.dsn(SUPERUSER))
        for statement in statements:
            await connection.execute(statement)
        await connection.close()


@pytest.fixture
async def clinic(database: Database, valkey: Valkey, redis: Redis) -> AsyncIterator[Clinic]:
    own = open_client(valkey.url("auth"), name="tests")
    pool = await open_pool(database.dsn("auth"), name="tests")
    yield Clinic(pool, own, redis, database, valkey)
    await pool.close()
    await own.aclose()


@pytest.fixture
async def copy(clinic: Clinic, parts: Parts) -> AsyncIterator[Redis]:
    """A client, as auth, of a copy of the Valkey, which is connected."""
    port = free_port()
    for name, value in (("bind", "127.0.0.1"), ("port", port)):
        await clinic.admin.config_set(name, value)
    async with parts.valkey() as valkey:
        admin, own = (open_client(valkey.url(user), name="tests") for user in (ADMIN, "auth"))
        for name, value in (("primaryuser", ADMIN), ("primaryauth", PASSWORDS[ADMIN].reveal())):
            await admin.config_set(name, value)
        await admin.replicaof("127.0.0.1", port)

        async def connected() -> int:
            return int((await clinic.admin.info("replication"))["connected_slaves"])

        await eventually(connected, 1)
        yield own
        await own.aclose()
        await admin.aclose()
    await eventually(connected, 0)
    await clinic.admin.config_set("port", 0)


async def test_sound_parts_are_all_looked_at_and_all_well(world: World) -> None:
    found: tuple[Finding, ...] = (await world.bus.ask(ExamineDeployment(), timeout_s=15)).findings

    assert {one.message for one in found if one.verdict is not OK} == set()
    assert [(one.part, one.check) for one in found] == CHECKS
    assert found[-2].message == "all have registered recently: 1 of auth, 0 of token, 0 of data, 0 of storage"


async def test_permissions_that_name_nobody_are_a_warning(world: World) -> None:
    async def grantees() -> tuple[Verdict, str]:
        found = (await world.bus.ask(ExamineDeployment(), timeout_s=15)).findings[-1]
        assert (found.part, found.check) == ("permissions", "grantees")
        return found.verdict, found.message.partition(". ")[0]

    world.named.update(f"ghosts-{n}" for n in range(7))
    named = ", ".join(f"team:ghosts-{n} in project library" for n in range(5))
    assert await grantees() == (WARN, f"7 that permissions name do not exist: {named} and 2 more")

    for n in range(7):
        assert (await world.key.call("POST", "/teams", teamId=f"ghosts-{n}", name="Ghosts")).status == 201

    assert await grantees() == (OK, "all users, teams and memberships that permissions name exist")
    world.named.clear()


async def test_the_command_line_ends_with_an_error_where_something_fails(world: World) -> None:
    url = world.redis_url
    well = await daypass_doctor(url)
    admin = open_client(url.replace("auth:auth-password", f"{ADMIN}:{ADMIN}-password"), name="tests")
    await admin.config_set("maxmemory-policy", "allkeys-lru")
    ill, as_json = await daypass_doctor(url), await daypass_doctor(url, "--json")
    await admin.config_set("maxmemory-policy", "noeviction")
    await admin.aclose()

    assert (well[0], ill[0], as_json[0]) == (0, 1, 1)
    assert len(well[1].splitlines()) == len(CHECKS)
    assert all(line.startswith("ok ") for line in well[1].splitlines())
    (line,) = (line for line in ill[1].splitlines() if not line.startswith("ok "))
    assert line.split()[:5] == ["fail", "redis", "maxmemory-policy", "is", "allkeys-lru:"]
    verdicts = {(one["part"], one["check"]): one["verdict"] for one in json.loads(as_json[1])}
    assert verdicts == dict.fromkeys(CHECKS, "ok") | {("redis", "maxmemory-policy"): "fail"}


async def daypass_doctor(url: str, *options: str) -> tuple[int | None, str]:
    """Run the command; return its exit code and what it said."""
    command = Path(sys.executable).with_name("daypass")
    process = await asyncio.create_subprocess_exec(
        command, "doctor", *options, env=os.environ | {"DAYPASS_REDIS_URL": url}, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


async def test_a_barrier_that_is_off_fails(clinic: Clinic) -> None:
    (complaint,) = await clinic.complaints(has_barrier=False)
    assert complaint[:2] == (FAIL, "barrier")


@pytest.mark.parametrize(
    ("name", "bad", "good", "expected"),
    [
        ("maxmemory-policy", "volatile-lru", "noeviction", FAIL),
        ("appendonly", "no", "yes", WARN),
    ],
)
async def test_a_redis_that_forgets(clinic: Clinic, name: str, bad: str, good: str, expected: Verdict) -> None:
    await clinic.admin.config_set(name, bad)
    try:
        (complaint,) = await clinic.complaints()
    finally:
        await clinic.admin.config_set(name, good)

    assert complaint[:2] == (expected, name)
    assert complaint[2].endswith(f"Set {name} {good}")


async def test_copies_that_are_missing_or_too_many(clinic: Clinic, copy: Redis) -> None:
    assert await clinic.complaints(copies=1) == []
    (missing,) = await clinic.complaints(copies=2)
    (surplus,) = await clinic.complaints(copies=0)
    clinic.redis, redis = copy, clinic.redis
    as_copy = await clinic.complaints()
    clinic.redis = redis

    assert missing[:2] == (FAIL, "copies")
    assert missing[2].startswith("1 of 2 are connected")
    assert surplus[:2] == (WARN, "copies")
    assert (
        FAIL,
        "copies",
        "are not visible: DAYPASS_REDIS_URL leads to a copy, where no replica can register",
    ) in as_copy


async def test_a_redis_that_is_open_to_anybody(clinic: Clinic) -> None:
    async with acl(clinic.admin, ("default", "on nopass +@all ~* &*"), ("default", "reset")):
        (complaint,) = await clinic.complaints()

    assert complaint[:2] == (FAIL, "default user")


async def test_a_user_that_may_manage_redis(clinic: Clinic) -> None:
    async with acl(clinic.admin, ("auth", "+config"), ("auth", "-config")):
        (complaint,) = await clinic.complaints()

    assert complaint[:2] == (FAIL, "auth's user")


async def test_users_that_are_missing(clinic: Clinic) -> None:
    rules = next(line for line in await clinic.admin.acl_list() if line.startswith("user data "))
    await clinic.admin.acl_deluser("data")
    try:
        (complaint,) = await clinic.complaints()
    finally:
        await clinic.admin.execute_command("ACL", "SETUSER", *_words(rules)[1:])  # type: ignore[no-untyped-call] # the client's own

    assert complaint[:2] == (WARN, "users")
    assert complaint[2].startswith("data missing:")


async def test_rights_that_may_not_be_looked_at_are_a_warning(clinic: Clinic) -> None:
    async with acl(clinic.admin, ("auth", "-acl"), ("auth", "+acl|users")):
        (complaint,) = await clinic.complaints()

    assert complaint[:2] == (WARN, "rights")


async def test_commits_that_a_crash_undoes(clinic: Clinic) -> None:
    role = f"ALTER ROLE daypass_auth IN DATABASE {clinic.database.name}"
    await clinic.as_superuser(f"{role} SET synchronous_commit = off")
    await clinic.pool.expire_connections()  # those that are open know nothing of that
    (complaint,) = await clinic.complaints()
    await clinic.as_superuser(f"{role} RESET ALL")

    assert complaint[:2] == (FAIL, "synchronous_commit")


@pytest.mark.parametrize(
    ("grant", "seen"),
    [
        ("GRANT USAGE ON SCHEMA token TO daypass_data", "that of data sees token"),
        (
            "GRANT USAGE ON SCHEMA auth TO PUBLIC",
            "that of data sees auth; that of storage sees auth; that of token sees auth",
        ),
        ("GRANT USAGE ON SCHEMA feed TO daypass_data", "that of data sees feed"),
    ],
)
async def test_roles_that_see_what_is_another_s(clinic: Clinic, grant: str, seen: str) -> None:
    assert await clinic.complaints() == []
    await clinic.as_superuser(grant)
    (complaint,) = await clinic.complaints()

    assert complaint == (FAIL, "roles", f"{seen}: run deploy/postgres/roles.sql again")


AGAIN = "run deploy/postgres/roles.sql again"


@pytest.mark.parametrize(
    ("harm", "mending", "expected"),
    [
        (
            "GRANT CREATE ON DATABASE {name} TO daypass_data",
            "REVOKE CREATE ON DATABASE {name} FROM daypass_data",
            (FAIL, "rights", f"that of data may create schemas: {AGAIN}"),
        ),
        (
            "GRANT TEMP ON DATABASE {name} TO daypass_token",
            "REVOKE TEMP ON DATABASE {name} FROM daypass_token",
            (FAIL, "rights", f"that of token may create temporary tables: {AGAIN}"),
        ),
        (
            "ALTER ROLE daypass_data CREATEROLE",
            "ALTER ROLE daypass_data NOCREATEROLE",
            (FAIL, "rights", f"that of data may manage roles, databases or replication: {AGAIN}"),
        ),
        (
            "GRANT pg_read_all_stats TO daypass_data",
            "REVOKE pg_read_all_stats FROM daypass_data",
            (FAIL, "rights", f"that of data is a member of pg_read_all_stats: {AGAIN}"),
        ),
        (
            "ALTER ROLE daypass_token IN DATABASE {name} SET search_path = token, public",
            "ALTER ROLE daypass_token IN DATABASE {name} RESET search_path",
            (FAIL, "search_path", f"of token is token, public: {AGAIN}"),
        ),
        (
            "CREATE SCHEMA daypass_auth",
            "DROP SCHEMA daypass_auth",
            (FAIL, "schemas", "daypass_auth has the name of a role: drop it"),
        ),
        (
            "ALTER ROLE daypass_data CONNECTION LIMIT -1",
            "ALTER ROLE daypass_data CONNECTION LIMIT 90",
            (WARN, "connections", f"data may take all of them: {AGAIN}"),
        ),
        (
            "GRANT CONNECT ON DATABASE template1 TO PUBLIC",
            "REVOKE CONNECT ON DATABASE template1 FROM PUBLIC",
            (WARN, "databases", "every role may connect to template1: REVOKE CONNECT … FROM PUBLIC"),
        ),
    ],
)
async def test_walls_between_the_services_that_are_down(
    clinic: Clinic, harm: str, mending: str, expected: tuple[Verdict, str, str]
) -> None:
    await clinic.as_superuser(harm.format(name=clinic.database.name))
    try:
        complaints = await clinic.complaints()
    finally:
        await clinic.as_superuser(mending.format(name=clinic.database.name))

    assert complaints == [expected]


@pytest.mark.parametrize("step_s", [-3600, 3600])
async def test_wall_clocks_that_are_apart(clinic: Clinic, step_s: float) -> None:
    complaints = await clinic.complaints(clocks=Clocks(wall=lambda: time.time() + step_s))

    assert [(verdict, check) for verdict, check, _ in complaints] == [
        (WARN, "Redis's wall clock"),
        (WARN, "PostgreSQL's wall clock"),
    ]
    assert all(message.startswith("differs from auth's by 3600 s") for _, _, message in complaints)


@pytest.mark.parametrize("pace", [0.0, 0.2, 3.0])
async def test_a_boot_clock_that_is_none(clinic: Clinic, pace: float) -> None:
    (complaint,) = await clinic.complaints(clocks=Clocks(boot=lambda: 100 + pace * time.perf_counter()))

    assert complaint[:2] == (FAIL, "boot clock")


async def test_replicas_that_are_silent(clinic: Clinic) -> None:
    await clinic.admin.zadd(names.registry("data"), {"data-dead:7:1": 0})
    (complaint,) = await clinic.complaints()

    assert complaint[:2] == (WARN, "replicas")
    assert complaint[2].startswith("data-dead died or hangs")


async def test_an_unreachable_part_is_a_finding_too(clinic: Clinic) -> None:
    await clinic.pool.close()
    complaints = await clinic.complaints()

    assert {(verdict, check) for verdict, check, _ in complaints} == {(FAIL, "reachable")}


@contextlib.asynccontextmanager
async def acl(admin: Redis, *rules: tuple[str, str]) -> AsyncIterator[None]:
    """Give a user other rights, and take them back."""
    (user, given), (_, taken) = rules
    await admin.execute_command("ACL", "SETUSER", user, *given.split())  # type: ignore[no-untyped-call] # the client's own
    try:
        yield
    finally:
        await admin.execute_command("ACL", "SETUSER", user, *taken.split())  # type: ignore[no-untyped-call] # as above


def _words(rules: str) -> list[str]:
    """Split a user's line as ACL LIST writes it; what stands in brackets holds together."""
    words: list[str] = []
    for word in rules.split():
        if words and words[-1].startswith("(") and not words[-1].endswith(")"):
            words[-1] += f" {word}"
        else:
            words.append(word)
    return words


async def test_counts_in_the_redis_of_the_feed_are_a_fault(clinic: Clinic) -> None:
    (found,) = await clinic.complaints(limits_url=clinic.valkey.url("auth"))

    assert found[:2] == (FAIL, "DAYPASS_LIMITS_REDIS_URL")
    assert "strangers could fill" in found[2]


async def test_counts_may_be_evicted_and_had_better_be(clinic: Clinic, parts: Parts) -> None:
    async with parts.valkey() as limits:
        admin = open_client(limits.url(ADMIN), name="tests")
        unbounded = await clinic.complaints(limits_url=limits.url("auth"))
        await admin.config_set("maxmemory", "64mb")
        await admin.config_set("maxmemory-policy", "allkeys-lfu")
        bounded = await clinic.complaints(limits_url=limits.url("auth"))
        await admin.aclose()

    assert [one[:2] for one in unbounded] == [(WARN, "maxmemory"), (WARN, "maxmemory-policy")]
    assert bounded == []


async def test_rate_limits_that_are_off_are_a_warning(clinic: Clinic) -> None:
    (found,) = await clinic.complaints(has_limits=False)

    assert found[:2] == (WARN, "counts")
    assert "DAYPASS_RATE_LIMITS=off" in found[2]


async def test_replicas_that_count_each_alone_are_named(clinic: Clinic) -> None:
    registering = ["a:0:1", "b:0:1"]
    await clinic.admin.zadd(names.registry("data"), dict.fromkeys(registering, 0))
    found = [message for _, check, message in await clinic.complaints() if check == "counts"]
    await clinic.admin.zrem(names.registry("data"), *registering)

    assert found == ["each replica of data counts calls on its own: set DAYPASS_LIMITS_REDIS_URL"]
