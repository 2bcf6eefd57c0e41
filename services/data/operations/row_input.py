"""Rows as callers send them, and what of them may be written."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from services.data.domain.columns import KINDS
from services.data.domain.columns.kind import Options, ValueInvalid
from services.data.domain.row_json import Data, is_much
from shared.appwrite.permissions import (
    ROW_ACTIONS,
    Permission,
    check_assignable,
    owner_permissions,
    parse_permissions,
)
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
    return await asyncio.to_thread(check) if is_much(*rows) else check()


def new_permissions(texts: list[str] | None, principal: Principal) -> list[Permission]:
    """Return the permissions of a new row (None: the default)."""
    if texts is None:
        return owner_permissions(principal.user_id) if principal.user_id else []
    return row_permissions(texts, principal)


def changed_permissions(texts: list[str] | None, principal: Principal) -> list[Permission] | None:
    """Return the permissions that a change gives a row (None: those that it has)."""
    return None if texts is None else row_permissions(texts, principal)


def row_permissions(texts: list[str], principal: Principal) -> list[Permission]:
    """Return permissions of a row; raises `Refusal` where this caller may not give them."""
    permissions = parse_permissions(texts, ROW_ACTIONS)
    if principal.kind is not Kind.KEY:
        check_assignable(permissions, principal.roles)
    return permissions


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
