import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from services.token.settings import Settings
from tests.eventually import eventually


@dataclass(frozen=True)
class Started:
    process: asyncio.subprocess.Process
    url: str


def environment(settings: Settings, **changed: str) -> dict[str, str]:
    return {
        "DAYPASS_DATABASE_URL": settings.database_url.reveal(),
        "DAYPASS_REDIS_URL": settings.redis_url.reveal(),
        "DAYPASS_MASTER_KEY": settings.master_key.reveal(),
        **changed,
    }


async def run(environ: dict[str, str]) -> tuple[int | None, str]:
    """Run token to its end; return exit code and what it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.token", env=environ, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    return process.returncode, said.decode()


@asynccontextmanager
async def running(environ: dict[str, str], port: int) -> AsyncIterator[Started]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.token", env=environ | {"DAYPASS_PORT": str(port)}
    )
    try:
        yield Started(process, f"http://127.0.0.1:{port}")
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def status(http: aiohttp.ClientSession, url: str) -> int:
    try:
        async with http.get(url) as answer:
            return answer.status
    except aiohttp.ClientConnectionError:
        return 0


async def test_a_process_serves_and_ends_in_order(settings: Settings, unused_port: int) -> None:
    async with running(environment(settings), unused_port) as token, aiohttp.ClientSession() as http:
        await eventually(lambda: status(http, f"{token.url}/readyz"), 200)
        assert await status(http, f"{token.url}/v1/.well-known/jwks.json") == 200

        token.process.send_signal(signal.SIGTERM)

        assert await token.process.wait() == 0


async def test_metrics_are_served_on_their_port_and_on_no_other(settings: Settings, unused_port: int) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        metrics_port = probe.getsockname()[1]
    environ = environment(settings, DAYPASS_METRICS_PORT=str(metrics_port))
    async with running(environ, unused_port) as token, aiohttp.ClientSession() as http:
        await eventually(lambda: status(http, f"{token.url}/readyz"), 200)
        async with http.get(f"http://127.0.0.1:{metrics_port}/metrics") as answer:
            assert "daypass_lease_seconds" in await answer.text()

        assert await status(http, f"{token.url}/metrics") == 404
        assert await status(http, f"http://127.0.0.1:{metrics_port}/v1/.well-known/jwks.json") == 404


async def test_a_metrics_port_that_is_in_use_is_named(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, said = await run(environment(settings, DAYPASS_METRICS_PORT=str(taken.getsockname()[1])))

    assert code == 1
    assert "DAYPASS_METRICS_PORT: cannot listen on 127.0.0.1" in said


async def test_a_wrong_master_key_ends_the_start_in_words(settings: Settings, unused_port: int) -> None:
    async with running(environment(settings), unused_port) as token, aiohttp.ClientSession() as http:
        await eventually(lambda: status(http, f"{token.url}/livez"), 200)

    secret = "another-secret-" + "x" * 20
    code, said = await run(environment(settings, DAYPASS_MASTER_KEY=secret))

    assert code == 1
    assert "DAYPASS_MASTER_KEY does not hold the key" in said
    assert "Traceback" not in said
    assert secret not in said


async def test_settings_that_are_missing_or_wrong_are_named_and_not_shown(settings: Settings) -> None:
    code, said = await run({"DAYPASS_SIGNING_ALGORITHM": "HS256", "DAYPASS_REDIS_URL": "redis://:hidden@nowhere"})
    short_code, short_said = await run(environment(settings, DAYPASS_MASTER_KEY="short-secret"))

    assert (code, short_code) == (1, 1)
    assert "DAYPASS_DATABASE_URL is not set" in said
    assert "DAYPASS_SIGNING_ALGORITHM: must be one of ES256, RS256, EdDSA" in said
    assert "hidden" not in said
    assert "DAYPASS_MASTER_KEY: a key has at least 32" in short_said
    assert "short-secret" not in short_said
