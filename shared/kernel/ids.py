"""Identifiers as Appwrite writes them."""

import re
import secrets
import time
from typing import TypeVar, cast

ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,35}\Z"
"""1 to 36 characters, the first alphanumeric. `\\Z`, since `$` would let a trailing newline through."""

CUSTOM_ID_PATTERN = r"^([A-Za-z0-9][A-Za-z0-9._-]{0,35}|unique\(\))\Z"
"""An id chosen at creation, or the literal `unique()`: the server makes one."""

PROJECT_ID_PATTERN = r"^[a-z0-9][a-z0-9-]{0,35}\Z"

IdT = TypeVar("IdT", bound=str)

UNIQUE = "unique()"
_ID = re.compile(ID_PATTERN)
_PROJECT_ID = re.compile(PROJECT_ID_PATTERN)
_RESERVED_PROJECTS = frozenset({"console"})


def unique_id() -> str:
    """Make an id: 13 hex digits of the time in microseconds, then 7 random ones, so that ids sort by age."""
    microseconds = time.time_ns() // 1000
    return f"{microseconds:x}"[-13:].rjust(13, "0") + secrets.token_hex(4)[:7]


def chosen_id(requested: IdT) -> IdT:
    """Return the requested id, or a new one for `unique()`, of the same type."""
    return cast("IdT", unique_id()) if requested == UNIQUE else requested


def is_id(text: str) -> bool:
    """Say whether a text is a plain id."""
    return _ID.match(text) is not None


def is_project_id(text: str) -> bool:
    """Say whether a text may name a project; `console` is reserved by Appwrite."""
    return _PROJECT_ID.match(text) is not None and text not in _RESERVED_PROJECTS
