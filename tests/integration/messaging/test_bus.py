"""Requests and replies over real streams: answers, refusals, deadlines, dead peers, dead letters."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
import pytest
from redis.asyncio import Redis

from shared.contracts.requests import FindSession, ResolvedSession
from shared.kernel.errors import ErrorType, Refusal, Unavailable
from shared.messaging import names
from shared.messaging.bus import Bus, Envelope
from shared.messaging.codec import Entry, pack, unpack
from shared.messaging.dead_letters import list_dead_letters, retry_dead_letters
from shared.messaging.group import DELIVERIES, GROUP_TIMING, Group, GroupRules, GroupTiming, Handle
from tests.eventually import PATIENCE_S, eventually

QUESTION = FindSession(project_id="p", user_id="u", session_id="recent")
STREAM = names.requests("auth", FindSession.LANE, "data")

Answering = Callable[[FindSession], Awaitable[ResolvedSession]]


@contextlib.asynccontextmanager
async def serving(redis: Redis, handler: Answering) -> AsyncIterator[None]:
    bus = Bus(redis=redis, service="auth")
    task = asyncio.create_task(bus.serve(FindSession.LANE, {FindSession: handler}))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await bus.close()


@pytest.fixture
async def asker(redis: Redis) -> AsyncIterator[Bus]:
    bus = Bus(redis=redis, service="data")
    yield bus
    await bus.close()


async def found(request: FindSession) -> ResolvedSession:
    return ResolvedSession(session_id=f"of {request.user_id}")


async def pending(redis: Redis, stream: str = STREAM, group: str = "auth") -> int:
    return int((await redis.xpending(stream, group))["pending"])


async def test_an_answer_comes_back_and_nothing_stays_pending(redis: Redis, asker: Bus) -> None:
    async with serving(redis, found):
        answers = await asyncio.gather(*(asker.ask(QUESTION, timeout_s=PATIENCE_S) for _ in range(100)))

        assert {answer.session_id for answer in answers} == {"of u"}
        await eventually(lambda: pending(redis), 0)


async def test_a_refusal_comes_back_with_its_type_and_message(redis: Redis, asker: Bus) -> None:
    async def refusing(_: FindSession) -> ResolvedSession:
        raise Refusal(ErrorType.USER_NOT_FOUND, "No such user.")

    async with serving(redis, refusing):
        with pytest.raises(Refusal, match="No such user") as refusal:
            await asker.ask(QUESTION)

    assert refusal.value.type is ErrorType.USER_NOT_FOUND


async def test_an_unexpected_error_says_nothing_of_itself(redis: Redis, asker: Bus) -> None:
    async def failing(_: FindSession) -> ResolvedSession:
        raise RuntimeError("the password is hunter2")

    async with serving(redis, failing):
        with pytest.raises(Refusal) as refusal:
            await asker.ask(QUESTION)

    assert refusal.value.type is ErrorType.GENERAL_SERVER_ERROR
    assert "hunter2" not in str(refusal.value)


async def test_a_service_that_is_away_costs_the_deadline_and_a_retry_after(asker: Bus) -> None:
    with pytest.raises(Unavailable) as refusal:
        await asker.ask(QUESTION, timeout_s=0.2)

    assert refusal.value.retry_after_s


async def test_a_late_request_is_dropped_and_not_left_pending(redis: Redis, asker: Bus) -> None:
    handled: list[FindSession] = []

    async def noting(request: FindSession) -> ResolvedSession:
        handled.append(request)
        return ResolvedSession(session_id="")

    with pytest.raises(Unavailable):
        await asker.ask(QUESTION, timeout_s=0.01)
    late = asyncio.get_running_loop().time() + 0.2
    await eventually(lambda: asyncio.get_running_loop().time() > late, True)
    async with serving(redis, noting):
        await asker.ask(FindSession(project_id="p", user_id="in time", session_id="recent"))
        await eventually(lambda: pending(redis), 0)

    assert [request.user_id for request in handled] == ["in time"]


async def test_two_replicas_share_the_work_and_each_request_is_handled_once(redis: Redis, asker: Bus) -> None:
    handled: list[str] = []

    async def noting(request: FindSession) -> ResolvedSession:
        handled.append(request.user_id)
        return ResolvedSession(session_id="")

    async with serving(redis, noting), serving(redis, noting):
        asked = [FindSession(project_id="p", user_id=f"u{number}", session_id="recent") for number in range(200)]
        await asyncio.gather(*(asker.ask(request, timeout_s=PATIENCE_S) for request in asked))

    assert sorted(handled) == sorted(request.user_id for request in asked)


async def test_a_request_that_a_dead_replica_took_is_answered_by_another(redis: Redis, asker: Bus) -> None:
    await redis.xgroup_create(STREAM, "auth", id="0", mkstream=True)
    asking = asyncio.create_task(asker.ask(QUESTION, timeout_s=20))
    taken = await redis.xreadgroup("auth", "auth:dead", {STREAM: ">"}, block=5000)
    assert taken

    async with serving(redis, found):
        assert (await asking).session_id == "of u"
        await eventually(lambda: pending(redis), 0)


def group(redis: Redis, *, retries_for_ever: bool = False, timing: GroupTiming = GROUP_TIMING) -> Group:
    return Group(
        redis=redis,
        stream="events:x",
        service="data",
        consumer="data:a",
        rules=GroupRules(concurrency=1, retries_for_ever=retries_for_ever),
        timing=timing,
    )


@contextlib.asynccontextmanager
async def handling(group: Group, handle: Handle) -> AsyncIterator[None]:
    task = asyncio.create_task(group.run(handle))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_message_that_fails_five_times_becomes_a_dead_letter(redis: Redis) -> None:
    timing = GroupTiming(idle_ms=10, claim_every_s=0.02)
    tries: list[bytes] = []

    async def failing(fields: dict[bytes, bytes], _: int) -> None:
        tries.append(fields[b"entry"])
        raise RuntimeError("this entry cannot be handled")

    async with handling(group(redis, timing=timing), failing):
        await redis.xadd("events:x", {"entry": b"poison"})
        await eventually(lambda: redis.xlen(names.dead_letters("data")), 1)
        await eventually(lambda: pending(redis, "events:x", "data"), 0)

    assert len(tries) == DELIVERIES
    assert (await redis.xrange(names.dead_letters("data")))[0][1][b"entry"] == b"poison"


async def test_a_message_that_is_retried_for_ever_is_never_given_up(redis: Redis) -> None:
    timing = GroupTiming(idle_ms=1, longest_pause_ms=5, claim_every_s=0.01)
    tries: list[bytes] = []

    async def failing_for_long(fields: dict[bytes, bytes], _: int) -> None:
        tries.append(fields[b"entry"])
        if fields[b"entry"] == b"held up" and tries.count(b"held up") < 3 * DELIVERIES:
            raise RuntimeError("a lock is held")

    async with handling(group(redis, retries_for_ever=True, timing=timing), failing_for_long):
        await redis.xadd("events:x", {"entry": b"held up"})
        await redis.xadd("events:x", {"entry": b"another"})
        await eventually(lambda: tries.count(b"another"), 1)
        await eventually(lambda: pending(redis, "events:x", "data"), 0)

    assert tries.count(b"held up") == 3 * DELIVERIES
    assert await redis.xlen(names.dead_letters("data")) == 0
    assert await redis.xlen("events:x") == 2


def test_pauses_between_retries_grow_to_a_bound() -> None:
    pauses = [GroupTiming().pause_ms(deliveries) for deliveries in (1, 2, 3, 8, 9, 1000)]

    assert pauses == [2_000, 4_000, 8_000, 256_000, 300_000, 300_000]


async def test_an_entry_that_cannot_be_read_is_a_dead_letter_at_once(redis: Redis) -> None:
    async def reading(fields: dict[bytes, bytes], _: int) -> None:
        unpack(fields[b"entry"], Entry)

    async with handling(group(redis, retries_for_ever=True), reading):
        await redis.xadd("events:x", {"entry": b"\xc1"})
        await eventually(lambda: redis.xlen(names.dead_letters("data")), 1)
        await eventually(lambda: pending(redis, "events:x", "data"), 0)


async def test_a_dead_letter_that_is_retried_is_handled_once_more_by_its_own_service_alone(redis: Redis) -> None:
    entries = {
        "data": [
            {"_stream": "events:x", "_id": "7-0", "entry": "event"},
            {"_stream": STREAM, "_id": "8-0", "request": "a"},
        ],
        "auth": [{"_stream": STREAM, "_id": "9-0", "request": "b"}, {"_stream": "feed:x", "_id": "10-0", "entry": "c"}],
    }
    for service, letters in entries.items():
        for letter in letters:
            await redis.xadd(names.dead_letters(service), letter)  # type: ignore[arg-type] # the client's own
    one = await retry_dead_letters(redis, service="data", entry="7-0")
    rest = await retry_dead_letters(redis)

    assert [letter.entry for letter in one.dead_letters] == ["7-0"]
    assert {letter.entry for letter in rest.dead_letters} == {"8-0", "9-0"}
    assert [fields for _, fields in await redis.xrange(names.retries("data"))] == [
        {b"entry": b"event"},
        {b"request": b"a"},
    ]
    assert [fields for _, fields in await redis.xrange(STREAM)] == [{b"request": b"b"}]
    assert [letter.entry for letter in (await list_dead_letters(redis)).dead_letters] == ["10-0"]


async def test_requests_and_replies_are_deleted_once_they_are_read(redis: Redis, asker: Bus) -> None:
    async with serving(redis, found):
        await asyncio.gather(*(asker.ask(QUESTION, timeout_s=PATIENCE_S) for _ in range(20)))

        await eventually(lambda: redis.xlen(STREAM), 0)
        await eventually(lambda: redis.xlen(names.replies("auth", asker.asker)), 0)
        assert (await asker.ask(QUESTION)).session_id == "of u"


@pytest.mark.parametrize("fields", [{"reply": b"\xff"}, {"other": b"x"}, {"reply": pack({"id": "1", "body": 7})}])
async def test_junk_among_replies_is_passed_over(redis: Redis, asker: Bus, fields: dict[str, bytes]) -> None:
    async with serving(redis, found):
        await redis.xadd(names.replies("auth", asker.asker), fields)  # type: ignore[arg-type] # the client's own

        assert (await asker.ask(QUESTION)).session_id == "of u"


async def test_a_reply_goes_to_no_stream_but_a_process_s(redis: Redis, asker: Bus) -> None:
    envelope = {"id": "1", "type": "t", "version": 1, "timeout_ms": 9000, "request_id": "", "body": {}}
    async with serving(redis, found):
        for name in ("token:x", "data", "data:x:y", "data:" + "x" * 1000, "*"):
            await redis.xadd(STREAM, {"request": pack({**envelope, "asker": name})})
        await asker.ask(QUESTION)
        await eventually(lambda: redis.xlen(STREAM), 0)

    assert await redis.keys("reply:*") == [names.replies("auth", asker.asker).encode()]


@pytest.mark.parametrize("junk", [b"", b"\xff", pack({"id": "1"})], ids=["empty", "not msgpack", "no envelope"])
async def test_junk_in_a_request_stream_is_dropped(redis: Redis, asker: Bus, junk: bytes) -> None:
    async with serving(redis, found):
        await redis.xadd(STREAM, {"request": junk})

        assert (await asker.ask(QUESTION)).session_id == "of u"
        await eventually(lambda: pending(redis), 0)


async def test_a_version_that_is_not_known_is_refused_and_does_not_hang(redis: Redis, asker: Bus) -> None:
    class NewerQuestion(FindSession, frozen=True, kw_only=True):
        VERSION = 99

    async with serving(redis, found):
        with pytest.raises(Refusal):
            await asker.ask(NewerQuestion(project_id="p", user_id="u", session_id="recent"))


async def test_a_group_lost_with_redis_s_data_is_made_again(redis: Redis, asker: Bus) -> None:
    async with serving(redis, found):
        await asker.ask(QUESTION)
        await redis.flushall()

        assert (await asker.ask(QUESTION, timeout_s=10)).session_id == "of u"


def test_the_bytes_of_an_envelope_do_not_change() -> None:
    envelope = Envelope(
        id="i", type="t", version=1, asker="data:x", timeout_ms=5, request_id="r", body=msgspec.Raw(pack({"user": "u"}))
    )

    assert pack(envelope).hex() == (
        "87a26964a169a474797065a174a776657273696f6e01a561736b6572a6646174613a78aa74696d656f75745f6d7305"
        "aa726571756573745f6964a172a4626f647981a475736572a175"
    )


async def test_replies_are_heard_from_a_stream_that_begins_anew_with_lower_ids(redis: Redis, asker: Bus) -> None:
    async with serving(redis, found):
        await asker.ask(QUESTION)
        stream = names.replies("auth", asker.asker)
        await redis.xadd(stream, {"reply": b"of another time"}, id="9999999999999-0")
        await redis.delete(stream)  # as where it expired, and Redis's clock went back

        async def is_heard() -> bool:
            with contextlib.suppress(Unavailable):
                return (await asker.ask(QUESTION, timeout_s=0.5)).session_id == "of u"
            return False

        await eventually(is_heard, True)


LAST = f"{2**64 - 1}-{2**64 - 1}"
"""After this id a stream takes no entry."""


async def test_a_stream_of_requests_whose_ids_are_used_up_begins_anew(redis: Redis, asker: Bus) -> None:
    async with serving(redis, found):
        await redis.xadd(STREAM, {"request": b""}, id=LAST)

        assert await eventually_answered(asker)


async def test_a_stream_of_requests_that_is_too_large_to_be_read_begins_anew(redis: Redis, asker: Bus) -> None:
    await redis.xadd(STREAM, {"request": b"x" * 8_000_000})
    await redis.xgroup_create(STREAM, "auth", id="$")
    for _ in range(5):
        await redis.xadd(STREAM, {"request": b"x" * 8_000_000})
    await redis.xreadgroup("auth", "one that died", {STREAM: ">"}, count=5)
    async with serving(redis, found):
        await eventually(lambda: redis.xlen(STREAM), 0)

        assert await eventually_answered(asker)


async def test_a_stream_of_replies_whose_ids_are_used_up_begins_anew(redis: Redis, asker: Bus) -> None:
    async with serving(redis, found):
        await redis.xadd(names.replies("auth", asker.asker), {"reply": b""}, id=LAST)

        assert await eventually_answered(asker)


async def test_dead_letters_whose_ids_are_used_up_are_listed_and_begin_anew(redis: Redis) -> None:
    async def refusing(fields: dict[bytes, bytes], _: int) -> None:
        unpack(fields[b"entry"], Entry)

    letters = names.dead_letters("data")
    await redis.xadd(letters, {"a": "b"}, id=LAST)
    assert len((await list_dead_letters(redis)).dead_letters) == 1
    async with handling(group(redis, retries_for_ever=True), refusing):
        await redis.xadd("events:x", {"entry": b"\xc1"})
        await eventually(lambda: streams_of_dead_letters(redis), ["events:x"])


async def streams_of_dead_letters(redis: Redis) -> list[str]:
    return [letter.stream for letter in (await list_dead_letters(redis)).dead_letters]


async def eventually_answered(asker: Bus) -> bool:
    async def is_answered() -> bool:
        with contextlib.suppress(Unavailable):
            return (await asker.ask(QUESTION, timeout_s=1)).session_id == "of u"
        return False

    await eventually(is_answered, True)
    return True
