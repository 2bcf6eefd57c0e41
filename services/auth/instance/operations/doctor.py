"""The doctor: looks at what the promise rests on in a deployment, and says in words what is not as it must be."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.exceptions import NoPermissionError

from services.auth.deps import Deployment
from services.auth.instance.store.roles import (
    find_server_time,
    find_server_version,
    list_open_databases,
    list_other_search_paths,
    list_overreaching,
    list_rights,
    list_schemas_named_as_roles,
    list_unlimited,
)
from shared.contracts.findings import Finding, Verdict
from shared.guard.feed_reader import REGISTRATION_S
from shared.guard.registrations import list_registrations
from shared.kernel.clock import boot_clock
from shared.kernel.hosts import PublicUrls
from shared.kernel.settings import Secret
from shared.messaging.names import SERVICES
from shared.messaging.preflight import examine_limits_redis, examine_redis_settings, info, redis_finding
from shared.messaging.wire import REDIS_ERRORS, open_client
from shared.postgres.errors import DATABASE_ERRORS
from shared.postgres.pool import SEARCH_PATH, Connection, Pool
from shared.postgres.preflight import database_finding, examine_database_settings

OK, WARN, FAIL = Verdict.OK, Verdict.WARN, Verdict.FAIL

REDIS_MAJOR = 7
POSTGRESQL_MAJOR = 15
STEP_S = 5.0
"""How far wall clocks may be apart: as much as JWTs are forgiven."""

ACL = "deploy/redis/users.acl.template"
ROLES = "deploy/postgres/roles.sql"


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorTiming:
    """For how long the doctor looks, in seconds: at the boot clock, and at registrations, again after `reread_s`."""

    sample_s: float = 0.1
    registration_s: float = REGISTRATION_S
    reread_s: float = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """The clocks of this process: `wall` in Unix seconds, and the one that leases are measured on."""

    wall: Callable[[], float] = time.time
    boot: Callable[[], float] = boot_clock


DOCTOR_TIMING = DoctorTiming()
CLOCKS = Clocks()


async def examine_deployment(
    pool: Pool,
    redis: Redis,
    deployment: Deployment,
    *,
    timing: DoctorTiming = DOCTOR_TIMING,
    clocks: Clocks = CLOCKS,
) -> list[Finding]:
    """Look at everything; what cannot be looked at is a finding too. Takes as long as a registration lives."""
    parts = (
        ("redis", _redis_settings(redis)),
        ("redis", _copies(redis, deployment.copies)),
        ("redis", _rights(redis, deployment.redis_url)),
        ("limits", _limits(redis, deployment.limits_redis_url, has_limits=deployment.has_limits)),
        ("postgresql", _postgresql(pool)),
        ("clocks", _clocks(pool, redis, clocks, timing.sample_s)),
        ("registry", _registry(redis, timing)),
    )
    by_part = await asyncio.gather(*(_looked_at(part, look) for part, look in parts))
    own = [_barrier(has_barrier=deployment.has_barrier), examine_address(deployment)]
    return [*own, *(finding for findings in by_part for finding in findings)]


def examine_address(deployment: Deployment) -> Finding:
    """Return whether sessions are made over plain HTTP under an address that is reached from outside."""
    urls = PublicUrls(deployment.public_url)
    plain = sorted({*urls.plain, *deployment.plain_hosts})
    if plain:
        verdict = FAIL
        message = (
            f"sessions are created over http under {', '.join(plain)}, where others can read them: put TLS in front,"
            " and name the https:// URL in DAYPASS_PUBLIC_URL"
        )
    elif urls:
        verdict, message = OK, f"sessions are created under {', '.join(deployment.public_url)}"
    else:
        verdict, message = OK, "no session was created under a public address; DAYPASS_PUBLIC_URL is not set"
    return Finding(verdict=verdict, part="auth", check="address", message=message)


async def _looked_at(part: str, look: Awaitable[list[Finding]]) -> list[Finding]:
    try:
        return await look
    except NoPermissionError:
        message = f"auth's user may not read this: render {ACL} again"
        return [Finding(verdict=WARN, part=part, check="rights", message=message)]
    except (*REDIS_ERRORS, *DATABASE_ERRORS) as error:
        message = f"cannot be reached: {type(error).__name__}"
        return [Finding(verdict=FAIL, part=part, check="reachable", message=message)]


def _barrier(*, has_barrier: bool) -> Finding:
    message = "waits for all replicas" if has_barrier else "is off: a revocation is answered before it is in force"
    return Finding(verdict=OK if has_barrier else FAIL, part="auth", check="barrier", message=message)


async def _redis_settings(redis: Redis) -> list[Finding]:
    version = (await info(redis, "server")).get("redis_version", "0")
    is_new = int(version.split(".")[0]) >= REDIS_MAJOR
    message = f"is {version}" if is_new else f"is {version}: rights such as those of {ACL} need {REDIS_MAJOR}"
    return [*await examine_redis_settings(redis), redis_finding(OK if is_new else FAIL, "version", message)]


async def _copies(redis: Redis, expected: int) -> list[Finding]:
    replication = await info(redis, "replication")
    connected = int(replication.get("connected_slaves", "0"))
    if replication.get("role") != "master":
        verdict, message = FAIL, "are not visible: DAYPASS_REDIS_URL leads to a copy, where no replica can register"
    elif connected < expected:
        verdict, message = FAIL, f"{connected} of {expected} are connected: no replica gets a lease until all are"
    elif connected > expected:
        verdict = WARN
        message = f"{connected} are connected, DAYPASS_REDIS_COPIES is {expected}: none of the others may be promoted"
    else:
        verdict, message = OK, f"{connected} are connected, as expected"
    return [redis_finding(verdict, "copies", message)]


async def _rights(redis: Redis, url: Secret) -> list[Finding]:
    is_open, may_manage = await _answers_to_anybody(url), await _may_manage(redis)
    default = (FAIL, "needs no password: disable the default user") if is_open else (OK, "is off")
    own = (
        (FAIL, f"may manage Redis: use the users of {ACL}") if may_manage else (OK, "has only the rights that it needs")
    )
    findings = [redis_finding(default[0], "default user", default[1]), redis_finding(own[0], "auth's user", own[1])]
    return [*findings, await _users(redis)]


async def _users(redis: Redis) -> Finding:
    known = {name.decode() for name in await redis.execute_command("ACL", "USERS")}  # type: ignore[no-untyped-call] # the client's own
    missing = [service for service in SERVICES if service not in known]
    if missing:
        message = f"{', '.join(missing)} missing: create one user for each service, see {ACL}"
        return redis_finding(WARN, "users", message)
    return redis_finding(OK, "users", "each service has its own")


async def _may_manage(redis: Redis) -> bool:
    try:
        await redis.config_get("maxmemory")
    except NoPermissionError:
        return False
    return True


async def _answers_to_anybody(url: Secret) -> bool:
    parts = urlsplit(url.reveal())
    client = open_client(parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl(), name="daypass-doctor")
    try:
        await client.ping()
    except REDIS_ERRORS:
        return False
    finally:
        await client.aclose()
    return True


async def _limits(redis: Redis, url: Secret, *, has_limits: bool) -> list[Finding]:
    if not has_limits:
        message = "are off: passwords can be guessed without a pause; remove DAYPASS_RATE_LIMITS=off"
        return [Finding(verdict=WARN, part="limits", check="counts", message=message)]
    if not url:
        counted = Counter(one.service for one in await list_registrations(redis))
        several = sorted(service for service, replicas in counted.items() if replicas > 1)
        if several:
            message = f"each replica of {', '.join(several)} counts calls on its own: set DAYPASS_LIMITS_REDIS_URL"
            return [Finding(verdict=WARN, part="limits", check="counts", message=message)]
        return [Finding(verdict=OK, part="limits", check="counts", message="are kept in the memory of each process")]
    limits = open_client(url.reveal(), name="daypass-doctor")
    try:
        return await examine_limits_redis(limits, redis)
    finally:
        await limits.aclose()


async def _postgresql(pool: Pool) -> list[Finding]:
    async with pool.acquire() as connection:
        settings = await examine_database_settings(connection)
        version = await find_server_version(connection) // 10_000
        overreaching = await list_overreaching(connection)
        walls = await _walls(connection)
    is_new = version >= POSTGRESQL_MAJOR
    newness = f"is {version}" if is_new else f"is {version}: Daypass needs {POSTGRESQL_MAJOR}"
    seen = "; ".join(f"that of {service} sees {sees}" for service, sees in overreaching)
    roles = (FAIL, f"{seen}: run {ROLES} again") if seen else (OK, "each service sees only its own schemas")
    return [
        *settings,
        database_finding(OK if is_new else FAIL, "version", newness),
        database_finding(roles[0], "roles", roles[1]),
        *walls,
    ]


async def _walls(connection: Connection) -> list[Finding]:
    """Look at what keeps the role of one service away from the others."""
    rights = [f"that of {fault.service} {fault.what}" for fault in await list_rights(connection)]
    paths = [f"of {fault.service} is {fault.what}" for fault in await list_other_search_paths(connection)]
    named = [f"{name} has the name of a role: drop it" for name in await list_schemas_named_as_roles(connection)]
    unlimited = [f"{service} may take all of them" for service in await list_unlimited(connection)]
    entered = [f"every role may connect to {name}" for name in await list_open_databases(connection)]
    again = f": run {ROLES} again"
    return [
        _wall(FAIL, "rights", rights, again, "no role holds more than it needs"),
        _wall(FAIL, "search_path", paths, again, f"is {SEARCH_PATH} for each service"),
        _wall(FAIL, "schemas", named, "", "none has the name of a role"),
        _wall(WARN, "connections", unlimited, again, "are limited for each service"),
        _wall(WARN, "databases", entered, ": REVOKE CONNECT … FROM PUBLIC", "no other database accepts every role"),
    ]


def _wall(verdict: Verdict, check: str, faults: list[str], remedy: str, well: str) -> Finding:
    if not faults:
        return database_finding(OK, check, well)
    return database_finding(verdict, check, "; ".join(faults) + remedy)


async def _clocks(pool: Pool, redis: Redis, clocks: Clocks, sample_s: float) -> list[Finding]:
    async def redis_time() -> float:
        seconds, microseconds = await redis.time()
        return float(seconds) + float(microseconds) / 1e6

    async def database_time() -> float:
        async with pool.acquire() as connection:
            return await find_server_time(connection)

    return [
        await _wall_clock("Redis's", redis_time, clocks.wall),
        await _wall_clock("PostgreSQL's", database_time, clocks.wall),
        await _boot_clock(clocks.boot, sample_s),
    ]


async def _wall_clock(whose: str, read: Callable[[], Awaitable[float]], clock: Callable[[], float]) -> Finding:
    before = clock()
    there = await read()
    after = clock()
    apart_s = max(there - after, before - there, 0.0)
    verdict = WARN if apart_s > STEP_S else OK
    message = (
        f"differs from auth's by {apart_s:.0f} s: synchronize both (NTP)" if apart_s > STEP_S else "agrees with auth's"
    )
    return Finding(verdict=verdict, part="clocks", check=f"{whose} wall clock", message=message)


async def _boot_clock(clock: Callable[[], float], sample_s: float) -> Finding:
    before, since = clock(), time.perf_counter()
    await asyncio.sleep(sample_s)
    passed, expected = clock() - before, time.perf_counter() - since
    verdict, message = OK, "keeps running"
    if not hasattr(time, "CLOCK_BOOTTIME"):
        verdict, message = WARN, "has no CLOCK_BOOTTIME: a lease may outlive a suspension of the machine"
    elif abs(passed - expected) > sample_s / 2:
        verdict = FAIL
        message = f"advanced by {passed:.2f} s in {expected:.2f} s: leases are measured on it (is it faked?)"
    return Finding(verdict=verdict, part="clocks", check="boot clock", message=message)


async def _registry(redis: Redis, timing: DoctorTiming) -> list[Finding]:
    """A live replica registers again and again, at the latest when its lease is over."""
    first = await list_registrations(redis)
    silent = set(first)
    deadline = boot_clock() + timing.registration_s
    while silent and boot_clock() < deadline:
        await asyncio.sleep(timing.reread_s)
        silent &= set(await list_registrations(redis))
    counts = ", ".join(f"{sum(one.service == service for one in first)} of {service}" for service in SERVICES)
    if silent:
        names = ", ".join(sorted(one.name for one in silent))
        message = f"{names} died or hangs: the next revocation waits until it is struck"
        return [Finding(verdict=WARN, part="registry", check="replicas", message=message)]
    return [Finding(verdict=OK, part="registry", check="replicas", message=f"all have registered recently: {counts}")]
