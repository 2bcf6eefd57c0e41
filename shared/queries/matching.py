"""Whether a row of JSON fits a tree, without a database: the same answer as PostgreSQL's, on which a test insists.

- A row without a value for a field, or with null, fits no condition on that field but `isNull`, and no negated one.
- The JSON of a row shows an array that was never set as `[]`. To PostgreSQL it has no value; a row is passed here with
  null for it, or without it, where that matters: to `isNull`, `isNotNull` and `notContains`.
- Text compares code point by code point, with its case and accents, in the order of PostgreSQL's collation "C".
- A field's `read` makes of a row's value what it makes of a filter's: moments of dates, floats of the numbers of a
  float column. It refuses values of another type, so a number is never compared with a text, nor in an array.
- `search` and `notSearch` have no answer here: they need PostgreSQL's parser of text. Give a list whose queries are
  evaluated no field with a `search`, and queries that search are refused.
"""

from collections.abc import Callable, Mapping
from typing import Any

from shared.queries.fields import Field, FieldOf
from shared.queries.tree import Condition, Filter, Group, Query, Values

Row = Mapping[str, Any]
"""Any: JSON, by the names that callers know."""

_TESTS: dict[str, Callable[[Any, Values], bool]] = {
    "equal": lambda own, values: own == values[0],
    "notEqual": lambda own, values: own != values[0],
    "lessThan": lambda own, values: own < values[0],
    "lessThanEqual": lambda own, values: own <= values[0],
    "greaterThan": lambda own, values: own > values[0],
    "greaterThanEqual": lambda own, values: own >= values[0],
    "between": lambda own, values: values[0] <= own <= values[1],
    "startsWith": lambda own, values: own.startswith(values[0]),
    "endsWith": lambda own, values: own.endswith(values[0]),
    "contains": lambda own, values: values[0] in own,
}
"""Of one value, or of the two of `between`."""


def matches(row: Row, query: Query, field_of: FieldOf) -> bool:
    """Say whether a row fits all filters of a query."""
    return all(_fits(row, part, query.values, field_of) for part in query.shape.filters)


def value_in(row: Row, field: Field) -> Any:
    """Return a row's value of a field, ready to be compared; None where it has none."""
    value = row.get(field.key)
    if value is None or field.is_text:
        return value
    return [field.read(one) for one in value] if field.is_array else field.read(value)


def _fits(row: Row, part: Condition, values: Values, field_of: FieldOf) -> bool:
    if isinstance(part, Group):
        quantifier = all if part.method == "and" else any
        return quantifier(_fits(row, one, values, field_of) for one in part.parts)
    field = field_of(part.key)
    own = None if field is None else value_in(row, field)
    if part.method in {"isNull", "isNotNull"}:
        return (own is None) == (part.method == "isNull")
    return own is not None and _holds(part, own, values) != part.is_negated


def _holds(part: Filter, own: Any, values: Values) -> bool:
    if not part.is_many:
        return _TESTS[part.method](own, values[part.first :])
    quantifier, method = (all, "contains") if part.method == "containsAll" else (any, part.method)
    return quantifier(_TESTS[method](own, [value]) for value in values[part.first])
