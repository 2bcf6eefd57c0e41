"""Health of what the services tell each other."""

from redis.asyncio import Redis

from shared.contracts.dead_letters import ListDeadLetters
from shared.guard.feed_reader import LEASE_S
from shared.messaging import names
from shared.messaging.wire import open_client
from tests.eventually import eventually
from tests.integration.auth.conftest import Hurried, World, open_world
from tests.parts import Database, Parts


async def test_dead_letters_are_shown_by_health_and_by_the_command_line(limited: World, redis: Redis) -> None:
    before = (await limited.key.call("GET", "/health/dead-letters")).json
    await redis.xadd(names.dead_letters("data"), {"_stream": "events:x", "_id": "7-0", "entry": b"\x81\xa4type\xa1t"})
    after = (await limited.key.call("GET", "/health/dead-letters")).json
    listed = (await limited.bus.ask(ListDeadLetters())).dead_letters

    assert (before["status"], before["size"]) == ("pass", 0)
    assert (after["status"], after["size"]) == ("fail", 1)
    assert [(one.service, one.stream, one.entry, one.type) for one in listed] == [("data", "events:x", "7-0", "t")]


async def test_the_health_of_revocation_says_how_far_who_is(world: World) -> None:
    user = await world.sign_up("healthy@example.org")
    found = await world.key.call("GET", "/health/revocation")
    await world.key.call("POST", f"/users/{user}/sessions")
    receipt = (await world.key.call("DELETE", f"/users/{user}/sessions")).headers["Daypass-Receipt"]
    after = await world.key.call("GET", "/health/revocation")

    number = int(receipt.split(",")[0].removeprefix("n="))
    assert found.status == after.status == 200
    assert (after.json["name"], after.json["status"], after.json["fenced"]) == ("revocation", "pass", False)
    assert 0 < after.json["leaseSeconds"] <= LEASE_S
    assert after.json["position"] == after.json["tail"] == number > found.json["position"]
    assert after.json["lag"] == after.json["pendingBarriers"] == 0

    async def registered() -> list[tuple[str, str, int]]:
        answer = await world.key.call("GET", "/health/revocation")
        return [(one["service"], one["name"], one["position"]) for one in answer.json["replicas"]]

    await eventually(registered, [("auth", world.guard.reader.name, number)])


async def test_an_unconfirmed_revocation_is_counted(world: World, hurried: Hurried) -> None:
    user = await world.sign_up("unconfirmed@example.org")
    redis = open_client(world.redis_url, name="tests")
    silent = "silent:0:1"
    await redis.zadd(names.registry("data"), {silent: 0})
    assert (await hurried(world.key).call("DELETE", f"/users/{user}")).error == (503, "revocation_unconfirmed")
    found = (await world.key.call("GET", "/health/revocation")).json
    await redis.zrem(names.registry("data"), silent)
    await redis.aclose()

    assert found["pendingReceipts"] == 1
    assert {"service": "data", "name": "silent", "position": 0} in found["replicas"]

    async def pending() -> int:
        return int((await world.key.call("GET", "/health/revocation")).json["pendingReceipts"])

    await eventually(pending, 0)


async def test_the_health_of_revocation_is_for_keys(world: World) -> None:
    user = await world.session(await world.sign_up("curious@example.org"))
    for caller in (world.guest, user, await world.jwt(user)):
        assert (await caller.call("GET", "/health/revocation")).error == (401, "general_unauthorized_scope")


async def test_a_fenced_process_says_so_and_refuses_what_it_cannot_check(database: Database, parts: Parts) -> None:
    async with parts.valkey() as valkey, open_world(database, valkey, rate_limits=False) as world:
        caller = await world.session(await world.sign_up())
        assert (await caller.call("GET", "/account")).status == 200
        world.clock.ahead_s = LEASE_S  # each word from the feed comes too late

        fenced = await world.key.call("GET", "/health/revocation")
        assert (fenced.status, fenced.json["status"], fenced.json["fenced"]) == (503, "fail", True)
        assert fenced.headers["Retry-After"] == "1"
        assert (fenced.json["leaseSeconds"], len(fenced.json["replicas"])) == (0, 1)

        async def account() -> int:
            return (await caller.call("GET", "/account")).status

        await eventually(account, 200)  # auth can be asked

        await valkey.stop()
        for unchecked in (await caller.call("GET", "/account"), await world.key.call("GET", "/health/revocation")):
            assert unchecked.error == (503, "principal_unavailable")
            assert unchecked.headers["Retry-After"] == "1"
        url = f"http://127.0.0.1:{world.guest.port}/readyz"
        async with world.guest.http.get(url) as answer:
            assert answer.status == 503
            assert (await answer.json())["checks"]["feed"] == "LookupError"
