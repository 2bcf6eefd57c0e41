"""Answers that are sent in parts."""

import asyncio
from typing import Any

import aiohttp
import msgspec
import pytest

from shared.web.timing import WebTiming
from tests.eventually import eventually
from tests.integration.web.conftest import Deps

KIB = 1024
ASKED = b"GET /v1/parts?%b HTTP/%b\r\nHost: x\r\nX-Appwrite-Project: demo\r\nConnection: close\r\n\r\n"


async def test_parts_join_to_one_answer(client: Any) -> None:
    answer = await client.call("GET", "/v1/parts?count=5&size=100000")

    assert answer.status == 200
    assert answer.json == ["x" * 100_000] * 5
    assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"
    assert answer.headers["Cache-Control"] == "no-store"


async def test_a_failure_before_the_first_part_is_an_error_like_any_other(client: Any) -> None:
    assert (await client.call("GET", "/v1/parts?fails_at=0")).error == (400, "general_query_invalid")


async def test_a_later_failure_breaks_the_answer_off(serve: Any, deps: Deps) -> None:
    own = await serve(deps)

    with pytest.raises(aiohttp.ClientPayloadError):
        await own.call("GET", "/v1/parts?count=9&fails_at=2")
    assert deps.released.is_set()
    assert (await own.call("GET", "/v1/parts")).status == 200


@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
async def test_no_part_of_an_answer_that_is_broken_off_reads_like_the_whole(client: Any, version: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(ASKED % (b"count=9&fails_at=2", version))
    try:
        received = await reader.read()
    except ConnectionResetError:
        received = b""
    writer.close()

    assert not received.endswith((b"]", b"0\r\n\r\n"))


async def test_a_head_takes_no_part(serve: Any, deps: Deps) -> None:
    own = await serve(deps)

    headed = await own.call("HEAD", "/v1/parts")

    assert (headed.status, headed.content) == (200, b"")
    assert deps.made == []


async def test_parts_are_made_as_they_are_taken(serve: Any, deps: Deps) -> None:
    own = await serve(deps)
    reader, writer = await asyncio.open_connection("127.0.0.1", own.port, limit=KIB)
    writer.write(ASKED % (b"count=1000&size=100000", b"1.1"))
    await reader.readexactly(KIB)
    made = -1

    async def stands_still() -> bool:
        nonlocal made
        before, made = made, len(deps.made)
        return before == made

    await asyncio.wait_for(eventually(stands_still, True), 30)
    assert made < 500
    writer.transport.abort()

    await asyncio.wait_for(deps.released.wait(), 30)
    assert len(deps.made) < 500


async def test_a_client_that_does_not_take_a_part_is_given_up(serve: Any, deps: Deps) -> None:
    own = await serve(deps, timing=WebTiming(part_s=0.5))
    reader, writer = await asyncio.open_connection("127.0.0.1", own.port, limit=KIB)
    writer.write(ASKED % (b"count=1000&size=100000", b"1.1"))
    await reader.readexactly(KIB)

    await asyncio.wait_for(deps.released.wait(), 30)
    writer.transport.abort()


async def test_a_page_in_parts_is_json(client: Any) -> None:
    answer = await client.call("GET", "/v1/parts?count=1")

    assert msgspec.json.decode(answer.content) == ["x" * 10]


async def test_a_caller_who_has_ended_before_the_first_part_is_told_to_try_again(serve: Any, deps: Deps) -> None:
    own = await serve(deps)
    own.guard.cache.end_lease()

    answer = await own.call("GET", "/v1/parts", headers={"X-Appwrite-JWT": "good"})

    assert answer.error == (503, "principal_unavailable")
    assert answer.headers.getall("Content-Type") == ["application/json; charset=UTF-8"]
    assert deps.made == []
    assert (await own.call("GET", "/v1/parts")).status == 200
