"""The query of a list, as a tree of values: fields by the names that callers know, and no SQL.

The values that filters compare with stand apart from the rest: many lists ask for the same but for values, and a store
can keep one statement for all of these.
"""

from typing import Any

import msgspec

from shared.queries.limits import DEFAULT_LIMIT

Values = list[Any]
"""Any: what a field's `read` makes of JSON."""


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """A condition on one field. Its values are `Query.values` from `first` on.

    `method` is the positive one: with `is_negated` the field must have a value for which it does not hold.
    `is_many`: there is one value, which is a list: one of its elements must fit, or for `containsAll` each.
    """

    method: str
    key: str
    is_array: bool
    is_many: bool
    is_negated: bool
    first: int


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Conditions joined by `and` or `or`."""

    method: str
    parts: tuple["Filter | Group", ...]


Condition = Filter | Group


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order by one field."""

    key: str
    descending: bool


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """A query without its values. `cursor` is a method or empty; `selected` None means all fields."""

    filters: tuple[Condition, ...] = ()
    orders: tuple[Order, ...] = ()
    is_random: bool = False
    cursor: str = ""
    selected: tuple[str, ...] | None = None


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """A query. `values` are those of the filters, ready for the driver; `cursor` is an id."""

    shape: Shape = Shape()
    values: Values = []
    limit: int = DEFAULT_LIMIT
    offset: int = 0
    cursor: str = ""


def conditions_in(parts: tuple[Condition, ...]) -> int:
    """Return how many conditions there are, with those inside of others."""
    return sum(1 + (conditions_in(part.parts) if isinstance(part, Group) else 0) for part in parts)
