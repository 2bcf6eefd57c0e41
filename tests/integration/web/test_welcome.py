"""The page for somebody who opens the endpoint in a browser."""

from typing import Any

import pytest

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/"])
async def test_a_browser_gets_a_page_that_may_load_nothing(client: Any, path: str) -> None:
    answer = await client.call("GET", path, project=None, headers=BROWSER)

    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=UTF-8"
    assert "default-src 'none'; style-src 'sha256-" in answer.headers["Content-Security-Policy"]
    assert f"<code>http://127.0.0.1:{client.port}/v1</code>" in answer.content.decode()
    assert b"<script" not in answer.content


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/"])
@pytest.mark.parametrize("accept", ["application/json", "*/*"])
async def test_others_hear_that_there_is_nothing(client: Any, path: str, accept: str) -> None:
    answer = await client.call("GET", path, project=None, headers={"Accept": accept})

    assert answer.error == (404, "general_route_not_found")


async def test_a_host_that_is_markup_stays_text(client: Any) -> None:
    answer = await client.raw(
        b"GET / HTTP/1.1\r\nHost: <script>alert(1)</script>\r\nAccept: text/html\r\nConnection: close\r\n\r\n"
    )

    assert b"<script" not in answer
