"""The rights that deploy/redis gives each service suffice to count calls."""

import pytest

from services.embedded.valkey import Valkey
from shared.web.limits import Limiter


@pytest.mark.parametrize("service", ["auth", "token", "data"])
async def test_a_service_may_count_and_forget_calls(valkey: Valkey, service: str) -> None:
    limiter = Limiter(valkey.url(service))
    try:
        assert await limiter._storage.incr("bench/1", 60) == 1
        assert await limiter._storage.incr("bench/1", 60) == 2
        await limiter.reset("bench/1")
        assert await limiter._storage.incr("bench/1", 60) == 1
    finally:
        await limiter.close()
