import time
from pathlib import Path
from typing import Any

import pytest

from shared.appwrite.clientinfo import Edge
from shared.kernel.settings import Secret
from shared.web.counts import Counts, MemoryCounts, RedisCounts, open_counts
from shared.web.endpoint import RateLimit
from shared.web.limits import Limiter

JWT = {"X-Appwrite-JWT": "good"}
KEY = {"X-Appwrite-Key": "standard_good"}
SIGN_IN = "/v1/account/sessions/email"
LIMITED = (429, "general_rate_limit_exceeded")
BEHIND_A_PROXY = Edge(trusted_proxies=["127.0.0.1"])
FEW = RateLimit(5, by=("ip",))


@pytest.fixture
async def limited(serve: Any, limiter: Limiter) -> Any:
    return await serve(limiter=limiter, edge=BEHIND_A_PROXY)


def wrong(email: str) -> dict[str, str]:
    return {"email": email, "password": "wrong wrong"}


def right(email: str) -> dict[str, str]:
    return {"email": email, "password": "correct horse"}


async def test_each_call_says_how_many_are_left_and_until_when(limited: Any) -> None:
    first = await limited.call("PUT", "/v1/rows")
    second = await limited.call("PUT", "/v1/rows")
    third = await limited.call("PUT", "/v1/rows")

    assert [first.status, second.status] == [200, 200]
    assert third.error == LIMITED
    assert [a.headers["X-RateLimit-Remaining"] for a in (first, second, third)] == ["1", "0", "0"]
    assert {a.headers["X-RateLimit-Limit"] for a in (first, second, third)} == {"2"}
    ends_at = int(third.headers["X-RateLimit-Reset"])
    assert ends_at % 60 == 0
    assert 0 <= ends_at - time.time() <= 61
    assert 1 <= int(third.headers["Retry-After"]) <= 60


async def test_callers_are_counted_by_address_and_user(limited: Any) -> None:
    for _ in range(3):
        last = await limited.call("PUT", "/v1/rows")

    other_user = await limited.call("PUT", "/v1/rows", headers=JWT)
    other_address = await limited.call("PUT", "/v1/rows", headers={"X-Forwarded-For": "203.0.113.7"})

    assert last.error == LIMITED
    assert (other_user.status, other_address.status) == (200, 200)


async def test_calls_from_this_machine_are_spared_only_where_both_limit_and_application_say_so(
    serve: Any, counts: Counts
) -> None:
    spares = await serve(limiter=Limiter(counts, spares_local=True))
    counted = await serve(limiter=Limiter(counts))

    assert [(await counted.call("POST", "/v1/local")).status for _ in range(2)] == [200, 429]

    spared = [await spares.call("POST", "/v1/local") for _ in range(3)]

    assert [answer.status for answer in spared] == [200, 200, 200]
    assert spared[-1].headers["X-RateLimit-Remaining"] == "95", "a hundred times as many as others"
    assert [(await spares.call("PUT", "/v1/rows")).status for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize("header", ["Forwarded", "Via", "x-forwarded-for", "X-Real-IP"])
async def test_calls_that_a_proxy_on_this_machine_passes_on_are_counted(
    serve: Any, counts: Counts, header: str
) -> None:
    spares = await serve(limiter=Limiter(counts, spares_local=True))
    found = [await spares.call("POST", "/v1/local", headers={header: "203.0.113.7"}) for _ in range(2)]

    assert [answer.status for answer in found] == [200, 429]


async def test_keys_are_not_counted(limited: Any) -> None:
    for _ in range(4):
        answer = await limited.call("PUT", "/v1/rows", headers=KEY)

    assert answer.status == 200
    assert "X-RateLimit-Limit" not in answer.headers


async def test_sign_ins_are_counted_by_address_of_mail_even_where_the_password_is_right_at_last(limited: Any) -> None:
    statuses = [(await limited.call("POST", SIGN_IN, json=wrong("a@b.test"))).status for _ in range(3)]

    assert statuses == [401, 401, 401]
    assert (await limited.call("POST", SIGN_IN, json=right("A@B.test"))).error == LIMITED
    assert (await limited.call("POST", SIGN_IN, json=right("other@b.test"))).status == 201


async def test_a_success_clears_the_count(limited: Any) -> None:
    for email in ["a@b.test"] * 2:
        await limited.call("POST", SIGN_IN, json=wrong(email))

    assert (await limited.call("POST", SIGN_IN, json=right("a@b.test"))).status == 201
    assert (await limited.call("POST", SIGN_IN, json=wrong("a@b.test"))).headers["X-RateLimit-Remaining"] == "2"


async def test_a_sign_in_that_cannot_be_read_is_not_counted(limited: Any) -> None:
    for _ in range(4):
        refused = await limited.call("POST", SIGN_IN, json={"email": ["no text"]})

    assert refused.error == (400, "general_argument_invalid")
    assert "X-RateLimit-Limit" not in refused.headers


async def test_an_address_makes_only_so_many_counts_of_names_that_it_thinks_of(serve: Any, counts: Counts) -> None:
    limited = await serve(limiter=Limiter(counts, failures=FEW), edge=BEHIND_A_PROXY)
    answers = [await limited.call("POST", SIGN_IN, json=wrong(f"u{number}@b.test")) for number in range(7)]

    assert [answer.status for answer in answers] == [401] * 5 + [429] * 2
    assert {answer.headers["X-RateLimit-Limit"] for answer in answers[5:]} == {"5"}
    elsewhere = {"X-Forwarded-For": "203.0.113.7"}
    assert (await limited.call("POST", SIGN_IN, json=right("u1@b.test"), headers=elsewhere)).status == 201


async def test_only_failures_of_an_address_are_counted(serve: Any, counts: Counts) -> None:
    limited = await serve(limiter=Limiter(counts, failures=FEW), edge=BEHIND_A_PROXY)
    for number in range(10):
        assert (await limited.call("POST", SIGN_IN, json=right(f"u{number}@b.test"))).status == 201


async def test_all_addresses_of_a_network_of_ipv6_count_as_one(limited: Any) -> None:
    for number in range(3):
        last = await limited.call("PUT", "/v1/rows", headers={"X-Forwarded-For": f"2001:db8:0:1::{number}"})
    elsewhere = await limited.call("PUT", "/v1/rows", headers={"X-Forwarded-For": "2001:db8:0:2::1"})

    assert last.error == LIMITED
    assert elsewhere.status == 200


async def test_counts_in_memory_have_an_end() -> None:
    counts = MemoryCounts(most=10)
    for number in range(100):
        await counts.add("often", 1, lifetime_s=60)
        await counts.add(f"once {number}", 1, lifetime_s=60)

    assert len(counts) == 10
    assert await counts.add("often", 1, lifetime_s=60) == 101
    assert await counts.add("once 1", 1, lifetime_s=60) == 1


async def test_a_count_in_memory_lives_as_long_as_it_is_told() -> None:
    now = 1000.0
    counts = MemoryCounts(steady=lambda: now)
    await counts.add("a", 5, lifetime_s=60)
    now += 59
    assert await counts.add("a", 1, lifetime_s=60) == 6
    now += 1
    assert await counts.add("a", 1, lifetime_s=60) == 1


async def test_without_redis_rows_are_open_and_sign_ins_are_shut(serve: Any, tmp_path: Path) -> None:
    alone = Limiter(RedisCounts(f"unix://{tmp_path}/nobody.sock", service="demo"))
    client = await serve(limiter=alone)

    row = await client.call("PUT", "/v1/rows")
    sign_in = await client.call("POST", SIGN_IN, json=right("a@b.test"))

    assert row.status == 200
    assert sign_in.error == (503, "general_busy")
    assert sign_in.headers["Retry-After"] == "1"
    await alone.close()


async def test_limits_may_be_switched_off(client: Any) -> None:
    for _ in range(4):
        answer = await client.call("PUT", "/v1/rows")

    assert answer.status == 200


@pytest.mark.parametrize("url", ["redis://127.0.0.1", "redis://user:pass@127.0.0.1:6379/0", "unix:///x?db=0"])
async def test_urls_of_every_kind_are_taken(url: str) -> None:
    await open_counts(Secret(url), service="demo").close()
