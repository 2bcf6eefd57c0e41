"""What counting calls costs, and where it is done."""

from redis.asyncio import Redis

from services.embedded.valkey import Valkey
from shared.messaging.wire import open_client
from tests.integration.auth.conftest import World


async def test_counts_of_calls_are_kept_out_of_the_redis_that_carries_the_feed(limited: World, valkey: Valkey) -> None:
    client: Redis = open_client(valkey.url("admin"), name="tests")
    try:
        for number in range(20):
            await limited.guest.call("POST", "/account/sessions/email", email=f"u{number}@x.test", password="short")
            await limited.guest.call("POST", "/account/sessions/token", userId=f"u{number}", secret="ab")

        assert [key async for key in client.scan_iter("limits:*")] == []
    finally:
        await client.aclose()
