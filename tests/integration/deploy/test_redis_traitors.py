"""A traitor in a service, with that service's own Redis user: users are signed out all the same, and nobody else is.

What it may not do is refused by Redis; what it may do costs at most the life of a registration. All of it is tried in
the background while a user signs out.
"""

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, ResponseError

from services.embedded.valkey import ADMIN, Valkey
from shared.contracts.dead_letters import RetryDeadLetters
from shared.guard.guard import Guard
from shared.guard.resolver import BusResolver
from shared.kernel.loops import running
from shared.messaging import names
from shared.messaging.bus import Bus
from shared.messaging.wire import REDIS_ERRORS, heed_cancellation, open_client
from tests.eventually import eventually
from tests.integration.auth.conftest import World, open_world
from tests.parts import Database, Parts

SERVICES = ("token", "data")
BOUND_S = 9.0
"""A registration lives for 4 s; the rest is for a busy machine. A barrier gives up after 10 s."""

JUNK = (b"garbage", b"\xff\xfe", b"", b":", b"a:b:c", b"x:" + b"9" * 5000, b"-1:-1", b"\x00" * 300_000)

Play = Callable[["Traitor"], Awaitable[None]]


class Traitor:
    """A service's Redis user, for one test."""

    def __init__(self, redis: Redis, service: str, suffix: str) -> None:
        self.redis = redis
        self.service = service
        self.suffix = suffix
        self.turns = itertools.count()

    async def try_(self, *command: str | bytes | int) -> object:
        """Execute a command; what Redis refuses is refused."""
        with contextlib.suppress(NoPermissionError, ResponseError):
            heed_cancellation()
            done: object = await self.redis.execute_command(*command)  # type: ignore[no-untyped-call] # the client's own
            return done
        return None

    async def flood(self, *command: str | bytes | int, times: int = 500) -> None:
        """Execute a command many times at once."""
        async with self.redis.pipeline(transaction=False) as pipeline:
            for _ in range(times):
                pipeline.execute_command(*command)  # type: ignore[no-untyped-call] # the client's own
            await pipeline.execute(raise_on_error=False)


async def announces_junk(it: Traitor) -> None:
    for junk in JUNK:
        await it.try_("PUBLISH", f"announce:{it.service}", junk)


async def announces_what_nobody_is(it: Traitor) -> None:
    for number in range(200):
        await it.try_("PUBLISH", f"announce:{it.service}", f"ghost-{next(it.turns)}:{number * 10**12}")


async def floods_the_announcements(it: Traitor) -> None:
    await it.flood("PUBLISH", f"announce:{it.service}", "ghost:1")


async def floods_the_relay(it: Traitor) -> None:
    await it.flood("PUBLISH", "relay", b"x" * 100)


async def registers_junk(it: Traitor) -> None:
    for junk in JUNK:
        await it.try_("ZADD", f"replicas:{it.service}", 0, junk)
        await it.try_("HSET", f"registry:{it.service}", b"replica:x", junk)


async def registers_ghosts_that_stay_alive(it: Traitor) -> None:
    turn = next(it.turns)
    for ghost in range(20):
        await it.try_("ZADD", f"replicas:{it.service}", 0, f"ghost-{ghost}:0:{turn + 1}")
        await it.try_("ZREM", f"replicas:{it.service}", f"ghost-{ghost}:0:{turn}")
        await it.try_("HSET", f"registry:{it.service}", f"replica:ghost-{ghost}", f"0:{turn}")


async def registers_thousands(it: Traitor) -> None:
    ghosts = [f"ghost-{next(it.turns)}:0:1" for _ in range(3000)]
    await it.try_("ZADD", f"replicas:{it.service}", *(part for ghost in ghosts for part in (0, ghost)))


async def takes_the_mark_away(it: Traitor) -> None:
    mark = await it.try_("HMGET", "identity", it.service)
    if isinstance(mark, list) and mark[0]:
        await it.try_("ZREM", f"replicas:{it.service}", b"mark:" + mark[0])
    await it.try_("ZADD", f"replicas:{it.service}", 0, f"mark:{next(it.turns)}")


async def names_another_instance(it: Traitor) -> None:
    epoch = it.suffix.partition("-")[2]
    for stream in (b"\xff", f"9-{epoch}".encode(), b"9-another"):
        for key in ("identity", f"registry:{it.service}", f"identity:{it.service}"):
            await it.try_("HSET", key, "stream", stream)
    await it.try_("HSET", "identity", "id", "another")


async def takes_keys_away(it: Traitor) -> None:
    kinds = ("identity", f"replicas:{it.service}", "replicas:auth", f"feed:{it.suffix}", f"events:{it.suffix}")
    for key in kinds:
        for command in (
            ("DEL", key),
            ("UNLINK", key),
            ("SET", key, "1"),
            ("HSET", key, "a", "1"),
            ("RENAME", key, "a"),
        ):
            await it.try_(*command)
    await it.try_("ZREM", "replicas:auth", *(f"{name}:0:1" for name in ("a", "b")))


async def runs_scripts(it: Traitor) -> None:
    for command in (
        ("EVAL", "while true do end", 1, "limits:x"),
        ("EVAL", "while true do end", 0),
        ("FUNCTION", "LOAD", "#!lua name=x\nredis.register_function('x', function() while true do end end)"),
        ("FCALL", "x", 0),
        ("SCRIPT", "LOAD", "return 1"),
        ("CLIENT", "PAUSE", 5000),
        ("DEBUG", "SLEEP", 5),
    ):
        await it.try_(*command)


async def asks_junk(it: Traitor) -> None:
    for lane in ("principal", "general"):
        for junk in JUNK:
            await it.try_("XADD", f"req:auth:{lane}:{it.service}", "*", "request", junk)
            await it.try_("XADD", f"req:auth:{lane}:{it.service}", "*", junk or b"x", junk)


async def floods_the_requests(it: Traitor) -> None:
    await it.flood("XADD", f"req:auth:principal:{it.service}", "*", "request", b"\xff")


async def answers_junk(it: Traitor) -> None:
    for asker in ("auth:x", "cli:x", "token:x"):
        for junk in JUNK:
            await it.try_("XADD", f"reply:{it.service}:{asker}", "*", "reply", junk)


async def disturbs_the_streams(it: Traitor) -> None:
    for stream in (f"events:{it.suffix}", f"feed:{it.suffix}"):
        await it.try_("XGROUP", "CREATE", stream, f"{it.service}-{next(it.turns)}", "0", "MKSTREAM")
        await it.try_("XADD", stream, "*", "id", "x")
        await it.try_("XDEL", stream, "1-0")
        await it.try_("XTRIM", stream, "MAXLEN", 0)
        await it.try_("XSETID", stream, "99999-0")


async def sends_messages_that_unpack_to_many_times_their_size(it: Traitor) -> None:
    count = 3_000_000
    bomb = b"\x81\xa1a\xdd" + count.to_bytes(4, "big") + b"\x90" * count
    await it.try_("XADD", f"req:auth:principal:{it.service}", "*", "request", bomb)
    await it.try_("XADD", f"req:token:principal:{it.service}", "*", "request", bomb)


async def sends_messages_of_40_megabytes(it: Traitor) -> None:
    for fields in (("request", b"x" * 40_000_000), ("request", b"x" * 8_000_000) * 5):
        with contextlib.suppress(*REDIS_ERRORS):  # Redis ends a connection that sends too long a value
            await it.try_("XADD", f"req:auth:principal:{it.service}", "*", *fields)


async def registers_40_megabytes(it: Traitor) -> None:
    turn = b"%d" % next(it.turns)
    with contextlib.suppress(*REDIS_ERRORS):  # as above
        await it.try_("ZADD", f"replicas:{it.service}", 0, b"x" * 40_000_000 + turn)
    parts = [(0, b"x" * 8_000_000 + b"%d:" % part + turn) for part in range(5)]
    await it.try_("ZADD", f"replicas:{it.service}", *itertools.chain.from_iterable(parts))


async def uses_up_the_ids(it: Traitor) -> None:
    for stream in ("req:auth:principal", "req:token:principal", "req:auth:general"):
        await it.try_("XADD", f"{stream}:{it.service}", f"{2**64 - 1}-{2**64 - 1}", "a", "b")
    await it.try_("XADD", f"dead:{it.service}", f"{2**64 - 1}-{2**64 - 1}", "a", "b")


PLAYS: tuple[Play, ...] = (
    announces_junk,
    announces_what_nobody_is,
    floods_the_announcements,
    floods_the_relay,
    registers_junk,
    registers_ghosts_that_stay_alive,
    registers_thousands,
    takes_the_mark_away,
    names_another_instance,
    takes_keys_away,
    runs_scripts,
    asks_junk,
    floods_the_requests,
    answers_junk,
    disturbs_the_streams,
    sends_messages_that_unpack_to_many_times_their_size,
    sends_messages_of_40_megabytes,
    registers_40_megabytes,
    uses_up_the_ids,
)


@contextlib.asynccontextmanager
async def playing(play: Play, it: Traitor) -> AsyncIterator[None]:
    """Let a traitor play again and again while inside, and at least once before."""
    played = 0

    async def again() -> None:
        nonlocal played
        while True:
            heed_cancellation()
            await play(it)
            played += 1
            await asyncio.sleep(0.05)

    async with running([again()]):
        await eventually(lambda: played > 0, True)
        yield


@pytest.fixture(scope="module")
def valkeys() -> list[Valkey]:
    return []


@pytest.fixture(scope="module")
async def world(parts: Parts, valkeys: list[Valkey]) -> AsyncIterator[World]:
    """auth and token, and beside them a replica of data that is no traitor."""
    database = await parts.new_database()
    async with parts.valkey() as valkey, open_world(database, valkey, rate_limits=False) as world:
        valkeys.append(valkey)
        async with replica_of_data(valkey):
            yield world


@contextlib.asynccontextmanager
async def replica_of_data(valkey: Valkey) -> AsyncIterator[Guard]:
    redis = open_client(valkey.url("data"), name="tests")
    bus = Bus(redis=redis, service="data")
    guard = Guard(service="data", redis_url=valkey.url("data"), resolver=BusResolver(bus))
    async with running([guard.run()]):
        await guard.reader.until_leased(20)
        yield guard
    await bus.close()
    await redis.aclose()


@contextlib.asynccontextmanager
async def traitor(world: World, valkey: Valkey, service: str) -> AsyncIterator[Traitor]:
    redis = open_client(valkey.url(service), name="tests")
    yield Traitor(redis, service, world.guard.reader.suffix)
    await redis.aclose()


async def sign_out(world: World, user: str) -> float:
    """Sign a user in and out; return the seconds that the sign-out took."""
    caller = await world.session(user)
    assert (await caller.call("GET", "/account")).status == 200
    started = time.monotonic()
    answer = await caller.call("DELETE", "/account/sessions/current")
    elapsed_s = time.monotonic() - started
    assert answer.status == 204, answer.json
    assert answer.headers["Daypass-Receipt"].startswith("n=")
    assert (await caller.call("GET", "/account")).status == 401
    return elapsed_s


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("play", PLAYS, ids=[play.__name__ for play in PLAYS])
async def test_users_are_signed_out_whatever_a_traitor_does(
    world: World, valkeys: list[Valkey], service: str, play: Play
) -> None:
    user = await world.sign_up(f"{play.__name__}-{service}@example.org")
    other = await world.session(user)
    async with traitor(world, valkeys[0], service) as it, playing(play, it):
        elapsed_s = await sign_out(world, user)

        assert (await other.call("GET", "/account")).status == 200, "nobody else was signed out"
    assert elapsed_s < BOUND_S


async def test_entries_that_traitors_leave_behind_are_gone_after_the_first_sign_out(
    database: Database, parts: Parts
) -> None:
    async with parts.valkey() as valkey, open_world(database, valkey, rate_limits=False) as world:
        user = await world.sign_up("before@example.org")
        for service in SERVICES:
            async with traitor(world, valkey, service) as it:
                for play in PLAYS:
                    await play(it)
        assert await sign_out(world, user) < BOUND_S
        await eventually(lambda: is_quick(world, user), True)


async def is_quick(world: World, user: str) -> bool:
    return await sign_out(world, user) < 1.0


async def test_a_dead_letter_of_a_traitor_asks_nobody_but_itself(world: World, valkeys: list[Valkey]) -> None:
    admin = open_client(valkeys[0].url(ADMIN), name="tests")
    for service in SERVICES:
        async with traitor(world, valkeys[0], service) as it:
            for stream in ("req:auth:admin:cli", "identity", f"feed:{it.suffix}", "req:data:../auth:admin:cli"):
                await it.try_("XADD", f"dead:{service}", "*", "_stream", stream, "_id", "1-0", "request", b"\xff")
    length = await admin.xlen(f"feed:{world.guard.reader.suffix}")
    await world.bus.ask(RetryDeadLetters(), timeout_s=15)

    assert await admin.xlen(f"feed:{world.guard.reader.suffix}") == length
    assert await admin.type(names.IDENTITY) == b"hash"
    assert (await world.key.call("GET", "/health/dead-letters")).status == 200
    await admin.aclose()
