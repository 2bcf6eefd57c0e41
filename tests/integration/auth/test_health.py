"""Health of what the services tell each other."""

from redis.asyncio import Redis

from shared.contracts.dead_letters import ListDeadLetters
from shared.messaging import names
from tests.integration.auth.conftest import World


async def test_what_was_given_up_is_told_by_health_and_by_the_command_line(limited: World, redis: Redis) -> None:
    before = (await limited.key.call("GET", "/health/dead-letters")).json
    await redis.xadd(names.dead_letters("data"), {"_stream": "events:x", "_id": "7-0", "entry": b"\x81\xa4type\xa1t"})
    after = (await limited.key.call("GET", "/health/dead-letters")).json
    listed = (await limited.bus.ask(ListDeadLetters())).dead_letters

    assert (before["status"], before["size"]) == ("pass", 0)
    assert (after["status"], after["size"]) == ("fail", 1)
    assert [(one.service, one.stream, one.entry, one.type) for one in listed] == [("data", "events:x", "7-0", "t")]
