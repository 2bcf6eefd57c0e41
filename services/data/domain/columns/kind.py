"""What every kind of column has: how it is declared, stored, checked and shown."""

from collections.abc import Callable
from typing import Any

import msgspec

from shared.kernel.errors import ArgumentInvalid, ErrorType, Refusal

Value = Any
"""Any: a JSON value, which its kind checks."""

LONGEST_ARRAY = 10_000


class ValueInvalid(ValueError):
    """A value is not one of this column; the text says why, and is for the caller."""


class Options(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a column is declared with, beyond its kind. Each kind uses some of it."""

    size: int | None = None
    min: int | float | None = None
    max: int | float | None = None
    elements: tuple[str, ...] = ()
    encrypt: bool = False


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of column.

    `name` is how it is requested; `wire_type` and `format` are how it is shown; `postgres` is its type there. `options`
    checks and completes what a column is declared with (raises `Refusal`); `check` returns what is stored for a value
    (raises `ValueInvalid`). A column declared with `declared` takes the values `examples` as they are, and refuses
    `rejects`.
    """

    name: str
    wire_type: str
    postgres: str
    format: str = ""
    options: Callable[[Options], Options]
    check: Callable[[Value, Options], Value]
    width: Callable[[Options], int]
    """Bytes that a value takes of a row, by Appwrite's reckoning."""
    index_width: Callable[[Options], int]
    """What a value counts for in an index, likewise; 768 is the most of an index."""
    is_text: bool = False
    declared: Options = Options()
    examples: list[Value]
    rejects: list[Value]


def no_options(_: Options) -> Options:
    """Take nothing."""
    return Options()


def formatted(
    name: str,
    check: Callable[[Value, Options], str],
    *,
    size: int,
    examples: list[str],
    rejects: list[Value],
) -> Kind:
    """Return a kind of texts of a format, which have at most `size` characters."""
    return Kind(
        name=name,
        wire_type="string",
        format=name,
        postgres="text",
        options=lambda _: Options(size=size),
        check=check,
        width=fixed(size * 4 + 2),
        index_width=fixed(size),
        is_text=True,
        declared=Options(size=size),
        examples=examples,
        rejects=rejects,
    )


def fixed(width: int) -> Callable[[Options], int]:
    """The same for all columns of a kind."""
    return lambda _: width


def sized(least: int, most: int) -> Callable[[Options], Options]:
    """A required size, within bounds."""

    def check(options: Options) -> Options:
        if options.size is None or not least <= options.size <= most:
            raise ArgumentInvalid("size", f"it must be an integer from {least} to {most}")
        return Options(size=options.size)

    return check


def text(value: Value) -> str:
    """Return a value that must be a text; PostgreSQL holds no NUL."""
    if not isinstance(value, str):
        raise ValueInvalid("it must be a string")
    if "\0" in value:
        raise ValueInvalid("it must not contain NUL characters")
    return value


def characters(value: Value, options: Options) -> str:
    """Return a text of at most `size` characters."""
    string = text(value)
    if options.size is not None and len(string) > options.size:
        raise ValueInvalid(f"it must be at most {options.size} characters long")
    return string


def octets(most: int) -> Callable[[Value, Options], str]:
    """A text of at most so many bytes."""

    def check(value: Value, _: Options) -> str:
        string = text(value)
        if len(string.encode()) > most:
            raise ValueInvalid(f"it must be at most {most} bytes long")
        return string

    return check


def bounded(least: float, most: float) -> Callable[[Options], Options]:
    """Bounds `min` and `max`, the widest where they are missing."""

    def check(options: Options) -> Options:
        low = least if options.min is None else options.min
        high = most if options.max is None else options.max
        if low > high:
            raise Refusal(ErrorType.COLUMN_VALUE_INVALID, "Minimum value must be lesser than maximum value.")
        return Options(min=low, max=high)

    return check


def in_bounds(value: float, options: Options) -> None:
    """Raise `ValueInvalid` where a number lies outside its column's bounds."""
    low, high = options.min, options.max
    if (low is not None and value < low) or (high is not None and value > high):
        raise ValueInvalid(f"it must be a number between {low} and {high}")
