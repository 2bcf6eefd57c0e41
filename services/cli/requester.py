"""Asking a running instance over the bus, as all commands but those that start and stop it do."""

import asyncio
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import click
import msgspec
from redis.asyncio import Redis

from services.cli.data_dir import data_dir_of, hint
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

_INVALID = re.compile(r"Invalid `(\w+)` param: (.*)", re.DOTALL)
"""The message of an `ArgumentInvalid`."""

_OPTIONS = {
    "projectId": "ID",
    "userId": "--id",
    "auth_methods": "--enable, --disable",
    "membership_fields": "--show, --hide",
}
"""What the command line calls the parameters whose names its options do not have."""


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
        raise as_failure(refusal) from refusal


def as_failure(refusal: Refusal) -> click.ClickException:
    """Return what ends the command; of a parameter that is wrong, what names its option."""
    invalid, context = _INVALID.fullmatch(refusal.message), click.get_current_context(silent=True)
    if invalid is None or context is None:
        return CommandFailed(refusal.message, ExitCode.FAILED if refusal.type in UNANSWERED else ExitCode.REFUSED)
    name, reason = invalid.groups()
    option = next((param.opts[0] for param in context.command.params if param.name == name), _OPTIONS.get(name, name))
    return click.BadParameter(reason, ctx=context, param_hint=option)


def _redis_url(path: Path | None) -> str:
    data_dir = data_dir_of(path)
    try:
        if url := read_settings(_Settings, os.environ).redis_url.reveal():
            return url
        running = find_running(data_dir)
    except (SettingsError, OSError) as error:
        raise CommandFailed(str(error)) from error
    if running is None:
        message = f"Daypass is not running on {data_dir.path}; start it with: {hint(data_dir, 'up')}"
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
