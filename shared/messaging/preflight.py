"""Redis's settings, as far as the promise rests on them. INFO has them, so no service needs a right to CONFIG.

The Redis of the feed must not forget, and the one in which calls are counted should.
"""

from typing import Any

from redis.asyncio import Redis

from shared.contracts.findings import Finding, Verdict

NOEVICTION = "noeviction"


async def examine_redis_settings(redis: Redis) -> list[Finding]:
    """Look at what Redis may forget; raises one of `REDIS_ERRORS`."""
    memory, persistence = await info(redis, "memory"), await info(redis, "persistence")
    return [_eviction(memory.get("maxmemory_policy")), _persistence(persistence.get("aof_enabled"))]


async def info(redis: Redis, section: str) -> dict[str, str]:
    """Return a section of INFO, as it stands there; raises one of `REDIS_ERRORS`."""
    reply: Any = await redis.execute_command("INFO", section)  # type: ignore[no-untyped-call] # the client's own
    if isinstance(reply, dict):  # the client has parsed it
        return {name: str(value) for name, value in reply.items()}
    lines = [line.partition(":") for line in reply.decode().splitlines() if ":" in line]
    return {name: value.strip() for name, _, value in lines}


async def examine_limits_redis(limits: Redis, feed: Redis) -> list[Finding]:
    """Look at the Redis in which calls are counted, which must be another than the feed's; raises likewise."""
    memory = await info(limits, "memory")
    own, feeds = (await info(limits, "server")).get("run_id"), (await info(feed, "server")).get("run_id")
    if own == feeds:
        message = "leads to the Redis of the feed, which strangers could fill with counts: use a separate Redis"
        return [_limits_finding(Verdict.FAIL, "DAYPASS_LIMITS_REDIS_URL", message)]
    return [_bound(memory.get("maxmemory", "0")), _forgetting(memory.get("maxmemory_policy", NOEVICTION))]


def redis_finding(verdict: Verdict, check: str, message: str) -> Finding:
    """Return a finding about Redis."""
    return Finding(verdict=verdict, part="redis", check=check, message=message)


def _eviction(policy: str | None) -> Finding:
    check = "maxmemory-policy"
    if policy is None:
        return redis_finding(Verdict.WARN, check, f"cannot be read: make sure that it is {NOEVICTION}")
    if policy != NOEVICTION:
        message = f"is {policy}: Redis may drop registrations and the feed. Set maxmemory-policy {NOEVICTION}"
        return redis_finding(Verdict.FAIL, check, message)
    return redis_finding(Verdict.OK, check, f"is {policy}")


def _bound(most: str) -> Finding:
    if most == "0":
        return _limits_finding(Verdict.WARN, "maxmemory", "is 0: counts may fill all of the memory")
    return _limits_finding(Verdict.OK, "maxmemory", f"is {most}")


def _forgetting(policy: str) -> Finding:
    if policy == NOEVICTION:
        message = f"is {policy}: no user can sign in while it is full. Set maxmemory-policy allkeys-lfu"
        return _limits_finding(Verdict.WARN, "maxmemory-policy", message)
    return _limits_finding(Verdict.OK, "maxmemory-policy", f"is {policy}")


def _limits_finding(verdict: Verdict, check: str, message: str) -> Finding:
    return Finding(verdict=verdict, part="limits", check=check, message=message)


def _persistence(is_appended: str | None) -> Finding:
    check = "appendonly"
    if is_appended is None:
        return redis_finding(Verdict.WARN, check, "cannot be read: make sure that it is yes")
    if is_appended != "1":
        message = "is no: after each restart of Redis, revocations wait and replicas forget. Set appendonly yes"
        return redis_finding(Verdict.WARN, check, message)
    return redis_finding(Verdict.OK, check, "is yes")
