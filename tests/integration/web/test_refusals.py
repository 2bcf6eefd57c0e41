"""What the log says of refused requests."""

from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from shared.web.limits import Limiter
from shared.web.refusals import MOST_LINES, MOST_ORIGINS, WINDOW_S, RefusalLog
from tests.clock import Clock

SECRET = "hunter2"


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as logs:
        yield logs


async def test_a_refusal_is_a_line_with_its_route_and_request(serve: Any, lines: list[Any]) -> None:
    client = await serve(refusals=RefusalLog(logs_all=True))
    answer = await client.call("GET", "/v1/open", headers={"Cookie": SECRET})
    refused = await client.call("GET", f"/v1/account?secret={SECRET}", headers={"X-Request-Id": "r1"})
    lost = await client.call("GET", f"/v1/{SECRET}")

    assert (answer.status, refused.status, lost.status) == (200, 401, 404)
    assert lines[0] == {
        "event": "refused",
        "log_level": "warning",
        "method": "GET",
        "route": "/v1/account",
        "status": 401,
        "type": "general_unauthorized_scope",
        "project": "demo",
        "request_id": "r1",
    }
    assert (lines[1]["route"], lines[1]["type"]) == ("unknown", "general_route_not_found")
    assert SECRET not in str(lines)


async def test_a_limited_call_is_a_line_that_names_the_setting(serve: Any, lines: list[Any], limiter: Limiter) -> None:
    client = await serve(limiter=limiter, refusals=RefusalLog(logs_all=True))
    for _ in range(3):
        last = await client.call("PUT", "/v1/rows")

    assert last.status == 429
    assert "DAYPASS_RATE_LIMITS" in lines[-1]["setting"]


async def test_without_being_asked_for_only_pages_that_may_not_call_are_lines(serve: Any, lines: list[Any]) -> None:
    client = await serve()
    await client.call("GET", "/v1/account")
    for origin in ("https://evil.test", "https://evil.test", "https://other.test"):
        await client.call("GET", "/v1/open", headers={"Origin": origin, "X-Appwrite-JWT": SECRET})

    assert [line["event"] for line in lines] == ["a page may not call"] * 2
    assert "daypass project update demo --add-origin evil.test" in lines[0]["remedy"]
    assert lines[0]["project"] == "demo"
    assert SECRET not in str(lines)


async def test_a_minute_has_an_end_and_so_have_its_lines(serve: Any, lines: list[Any]) -> None:
    clock = Clock()
    client = await serve(refusals=RefusalLog(logs_all=True, clock=clock))
    for number in range(MOST_ORIGINS + 5):
        await client.call("GET", "/v1/open", headers={"Origin": f"https://page{number}.test"})
    for _ in range(MOST_LINES + 5):
        await client.call("GET", "/v1/account")
    assert len(lines) == MOST_ORIGINS + MOST_LINES

    clock.ahead_s += WINDOW_S
    await client.call("GET", "/v1/account")
    await client.call("GET", "/v1/open", headers={"Origin": "https://page0.test"})

    assert lines[-2]["left_out"] == 5
    assert lines[-1]["event"] == "a page may not call"
