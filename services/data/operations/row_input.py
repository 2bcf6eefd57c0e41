"""Rows as callers send them, and what of them may be written."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from services.data.domain.columns import KINDS
from services.data.domain.columns.kind import Options, ValueInvalid
from services.data.domain.row_json import Data, is_much
from services.data.operations.opening import logging_failures
from shared.contracts.principal import Kind, Principal
from shared.kernel.errors import ArgumentInvalid

T = TypeVar("T")


class RowInput(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be written: data (None: nothing), and permissions (None: the default of a new row, or unchanged)."""

    data: Data | None
    permissions: list[str] | None
    unchanged_since: datetime | None = None
    """A row that was changed later is not."""


async def aside(check: Callable[[], T], *rows: Data) -> T:
    """Return the result of a check of rows; run it in a thread if there is much in them, so that others go on."""
    with logging_failures():
        return await asyncio.to_thread(check) if is_much(*rows) else check()


def chosen_date(data: Data, name: str, principal: Principal) -> datetime | None:
    """Return a date that a key has chosen; those that clients send are dropped."""
    value: Any = data.get(name)  # Any: JSON
    if value is None or principal.kind is not Kind.KEY:
        return None
    try:
        date: datetime = KINDS["datetime"].check(value, Options())
    except ValueInvalid as error:
        raise ArgumentInvalid("data", f"{name}: {error}") from error
    return date
