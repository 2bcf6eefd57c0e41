"""What must be so before a service starts: a Redis that forgets nothing by itself, a PostgreSQL that loses nothing."""

import asyncio
from collections.abc import Iterable

import structlog
from redis.exceptions import ResponseError

from shared.contracts.findings import Finding, Verdict
from shared.kernel.settings import Secret, SettingsError
from shared.messaging.preflight import examine_limits_redis, examine_redis_settings
from shared.messaging.wire import REDIS_ERRORS, heed_cancellation, open_client
from shared.postgres.pool import connect
from shared.postgres.preflight import examine_database_settings

log = structlog.get_logger()

LOOK_S = 5.0
AGAIN_S = 5.0


async def require_safe_database(dsn: str) -> None:
    """Raise `SettingsError` for a setting of PostgreSQL that would break the promise, or what connecting raises."""
    connection = await connect(dsn)
    try:
        _require(await examine_database_settings(connection))
    finally:
        await connection.close()


async def require_safe_redis(url: str, *, again_s: float = AGAIN_S) -> None:
    """Raise `SettingsError` for a setting of Redis that would break the promise, as soon as Redis can be reached."""
    while not await check_redis(url):
        heed_cancellation()
        await asyncio.sleep(again_s)


async def check_redis(url: str) -> bool:
    """Raise `SettingsError` likewise, but look only once; return False where Redis cannot be reached."""
    redis = open_client(url, name="daypass-start")
    try:
        async with asyncio.timeout(LOOK_S):
            findings = await examine_redis_settings(redis)
        _require(findings)
    except ResponseError as error:  # an answer: this user may not ask
        log.warning("the settings of Redis cannot be read", error=repr(error))
    except REDIS_ERRORS as error:
        log.warning("Redis cannot be checked yet", error=repr(error))
        return False
    finally:
        await redis.aclose()
    return True


async def check_limits(url: Secret, feed_url: str) -> None:
    """Raise `SettingsError` where calls would be counted in the Redis of the feed; without a URL, there is none."""
    if not url:
        return
    limits, feed = open_client(url.reveal(), name="daypass-start"), open_client(feed_url, name="daypass-start")
    try:
        async with asyncio.timeout(LOOK_S):
            findings = await examine_limits_redis(limits, feed)
        _require(findings)
    except REDIS_ERRORS as error:
        log.warning("the Redis of the rate limits cannot be checked", error=type(error).__name__)
    finally:
        await limits.aclose()
        await feed.aclose()


def _require(findings: Iterable[Finding]) -> None:
    faults = []
    for one in findings:
        text = f"{one.part}: {one.check} {one.message}"
        if one.verdict is Verdict.FAIL:
            faults.append(text)
        elif one.verdict is Verdict.WARN:
            log.warning("unsafe setting", setting=one.check, part=one.part, message=one.message)
    if faults:
        raise SettingsError("; ".join(faults))
