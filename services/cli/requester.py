"""Asking a running instance over the bus, as all commands but those that start and stop it do."""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec
from redis.asyncio import Redis

from services.cli.data_dir import data_dir_of
from services.cli.exit_codes import CommandFailed, ExitCode
from services.embedded.run_file import find_running
from shared.contracts.requests import Request
from shared.kernel.errors import ErrorType, Refusal
from shared.kernel.settings import Secret, SettingsError, read_settings
from shared.messaging.bus import Bus
from shared.messaging.wire import REDIS_ERRORS, open_client

A = TypeVar("A", bound=msgspec.Struct)

TIMEOUT_S = 15.0
"""Longer than a revocation waits for its confirmation."""

UNANSWERED = frozenset(
    {
        ErrorType.PRINCIPAL_UNAVAILABLE,
        ErrorType.REVOCATION_UNCONFIRMED,
        ErrorType.GENERAL_BUSY,
        ErrorType.GENERAL_SERVER_ERROR,
    }
)
"""What says nothing against the request itself: exit code 1, not 4."""


@dataclass(frozen=True, kw_only=True)
class _Settings:
    redis_url: Secret = Secret("")  # noqa: RUF009 a string, and as immutable


def ask(data_dir: Path | None, request: Request[A]) -> A:
    """Ask the instance that DAYPASS_REDIS_URL names, else the one that runs on the data directory.

    Raises `CommandFailed` with what went wrong, in words.
    """
    return ask_url(_redis_url(data_dir), request)


def ask_url(url: str, request: Request[A]) -> A:
    """Ask the instance of this Redis; raises `CommandFailed` with what went wrong, in words."""
    try:
        return asyncio.run(_ask(url, request))
    except Refusal as refusal:
        code = ExitCode.FAILED if refusal.type in UNANSWERED else ExitCode.REFUSED
        raise CommandFailed(refusal.message, code) from refusal


def _redis_url(path: Path | None) -> str:
    data_dir = data_dir_of(path)
    try:
        if url := read_settings(_Settings, os.environ).redis_url.reveal():
            return url
        running = find_running(data_dir)
    except (SettingsError, OSError) as error:
        raise CommandFailed(str(error)) from error
    if running is None:
        message = f"Daypass is not running on {data_dir.path}; start it with: daypass up"
        raise CommandFailed(message, ExitCode.NOT_RUNNING)
    return running.redis_url


async def _reach(redis: Redis, url: str) -> None:
    try:
        await redis.ping()
    except REDIS_ERRORS as error:
        where = url.rpartition("@")[2]
        raise CommandFailed(f"Redis does not answer at {where}: {error}") from error


async def _ask(url: str, request: Request[A]) -> A:
    redis = open_client(url, name="daypass-cli")
    bus = Bus(redis=redis, service="cli")
    try:
        await _reach(redis, url)
        return await bus.ask(request, timeout_s=TIMEOUT_S)
    finally:
        await bus.close()
        await redis.aclose()
