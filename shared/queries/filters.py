"""The grammar of filters: which methods there are, how many values each takes, and on which fields it works."""

from shared.queries.errors import QueryInvalid, UnfitQuery
from shared.queries.fields import Field, FieldOf
from shared.queries.grammar import Clause, clauses_in
from shared.queries.limits import LEAST_JOINED, MOST_CONDITIONS, MOST_NESTED, MOST_VALUES
from shared.queries.tree import Condition, Filter, Group, Values

NEGATIONS = {
    "notContains": "contains",
    "notBetween": "between",
    "notStartsWith": "startsWith",
    "notEndsWith": "endsWith",
    "notSearch": "search",
}
"""What each of these says is not so. Rows without a value fit neither way, but for `notSearch`."""

SAME = {"containsAny": "contains"}
SEVERAL = frozenset({"equal", "contains", "containsAll"})
"""These take one or more values; all others take a number of them that is fixed."""
NUMBERS = {
    **dict.fromkeys(("isNull", "isNotNull"), 0),
    **dict.fromkeys(("notEqual", "lessThan", "lessThanEqual", "greaterThan", "greaterThanEqual"), 1),
    **dict.fromkeys(("startsWith", "endsWith", "search"), 1),
    "between": 2,
}
JOINTS = frozenset({"and", "or"})
ON_TEXT = frozenset({"startsWith", "endsWith", "contains", "search"})
ON_ARRAY = frozenset({"contains", "containsAll", "isNull", "isNotNull"})


class FilterParser:
    """Reads the filters of one list.

    `values` grows by what each filter compares with. `unfit` is the first refusal that rests on what the fields are:
    what is wrong with a query in any list is raised before it.
    """

    def __init__(self, field_of: FieldOf) -> None:
        self._field_of = field_of
        self._count = 0
        self.values: Values = []
        self.unfit: UnfitQuery | None = None

    def parse(self, clause: Clause, *, depth: int = 1) -> Condition:
        """Return the condition of a clause, of no use where it is unfit; raises `QueryInvalid`."""
        self._count += 1
        if self._count > MOST_CONDITIONS:
            raise QueryInvalid(f"at most {MOST_CONDITIONS} conditions are allowed together")
        if clause.method in JOINTS:
            return self._group(clause, depth=depth)
        method = NEGATIONS.get(clause.method, SAME.get(clause.method, clause.method))
        _check_number(clause, method)
        field = self._field_of(clause.attribute)
        try:
            return self._filter(clause, method, field)
        except UnfitQuery as unfit:
            if field is not None and field.is_fixed:
                raise QueryInvalid(unfit.reason) from unfit
            self.unfit = self.unfit or unfit
            return Group(method=clause.method, parts=())

    def _filter(self, clause: Clause, method: str, field: Field | None) -> Filter:
        if field is None:
            raise unknown(clause.attribute)
        if field.is_encrypted:
            raise encrypted(field.key)
        _check_field(clause, method, field)
        values: Values = [_read(field, value) for value in clause.values]
        if method == "search" and field.search is not None:
            values = [field.search(values[0])]
        is_many = method in SEVERAL and (field.is_array or len(values) > 1)
        parsed = Filter(
            method=method,
            key=field.key,
            is_array=field.is_array,
            is_many=is_many,
            is_negated=clause.method in NEGATIONS,
            first=len(self.values),
        )
        self.values += [values] if is_many else values
        return parsed

    def _group(self, clause: Clause, *, depth: int) -> Group:
        if depth > MOST_NESTED:
            raise QueryInvalid(f"`and` and `or` can be nested at most {MOST_NESTED} deep")
        if len(clause.values) < LEAST_JOINED:
            raise QueryInvalid(f"{clause.method} needs at least two queries")
        parts = tuple(self.parse(one, depth=depth + 1) for one in clauses_in(clause))
        return Group(method=clause.method, parts=parts)


def unknown(key: str) -> UnfitQuery:
    """Return the refusal of a field that there is not."""
    return UnfitQuery(f"Attribute not found in schema: {key[:64]}")


def encrypted(key: str) -> UnfitQuery:
    """Return the refusal of a field that cannot be compared."""
    return UnfitQuery(f"Cannot query encrypted attribute: {key}")


def _check_number(clause: Clause, method: str) -> None:
    number = len(clause.values)
    if number > MOST_VALUES:
        raise QueryInvalid(f"at most {MOST_VALUES} values are allowed")
    if method in SEVERAL:
        if not number:
            raise QueryInvalid(f"{clause.method} needs at least one value")
    elif method not in NUMBERS:
        raise QueryInvalid(f"Invalid query method: {clause.method[:64]}")
    elif number != NUMBERS[method]:
        raise QueryInvalid(f"{clause.method} needs {NUMBERS[method]} values")


def _check_field(clause: Clause, method: str, field: Field) -> None:
    if field.is_array:
        if method not in ON_ARRAY:
            raise _unfit(clause, "it is an array")
    elif method == "containsAll":
        raise _unfit(clause, "it is not an array")
    elif method in ON_TEXT and not field.is_text:
        raise _unfit(clause, "it is not an array or string" if method == "contains" else "it is not a string")
    elif method == "search" and field.search is None:
        raise UnfitQuery(f'Searching by attribute "{clause.attribute}" requires a fulltext index on it alone.')


def _unfit(clause: Clause, reason: str) -> UnfitQuery:
    return UnfitQuery(f'Cannot query {clause.method} on attribute "{clause.attribute}" because {reason}.')


def _read(field: Field, value: object) -> object:
    try:
        return field.read(value)
    except ValueError as error:
        raise UnfitQuery(f'Query value is invalid for attribute "{field.key}": {error}') from error
