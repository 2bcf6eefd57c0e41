"""The conditions of a query tree as SQL: columns by the names that a store gives, and every value a parameter."""

from collections.abc import Mapping

from shared.queries.tree import Condition, Filter, Group

COMPARISONS = {
    "equal": "=",
    "notEqual": "<>",
    "lessThan": "<",
    "lessThanEqual": "<=",
    "greaterThan": ">",
    "greaterThanEqual": ">=",
}
MOST_SEARCHED = 100_000


def condition(part: Condition, columns: Mapping[str, str], first: int) -> str:
    """Return the SQL of a condition. `columns` has the SQL of each field; values are the parameters from `first` on."""
    if isinstance(part, Group):
        return "(" + f" {part.method.upper()} ".join(condition(one, columns, first) for one in part.parts) + ")"
    column = columns[part.key]
    positive = _positive(part, column, first)
    if not part.is_negated:
        return positive
    without_value = "IS NULL OR" if part.method == "search" else "IS NOT NULL AND"
    return f"({column} {without_value} NOT {positive})"


def _positive(part: Filter, column: str, first: int) -> str:
    value = f"${first + part.first}"
    match part.method:
        case "isNull" | "isNotNull":
            return f"{column} IS {'NOT ' if part.method == 'isNotNull' else ''}NULL"
        case "equal" if part.is_many:
            return f"{column} = ANY({value})"
        case "between":
            return f"({column} BETWEEN {value} AND ${first + part.first + 1})"
        case "contains" if part.is_array:
            return f"({column} && {value})"
        case "containsAll":
            return f"({column} @> {value})"
        case "contains" | "startsWith" | "endsWith" | "search":
            return _on_text(part, column, value)
    return f"{column} {COMPARISONS[part.method]} {value}"


def _on_text(part: Filter, column: str, value: str) -> str:
    match part.method:
        case "startsWith":
            return f"starts_with({column}, {value})"
        case "endsWith":
            return f"(right({column}, length({value})) = {value})"
        case "search":
            return f"({searched(column)} @@ to_tsquery('simple', {value}))"
    if part.is_many:
        return f"EXISTS (SELECT FROM unnest({value}::text[]) AS part WHERE strpos({column}, part) > 0)"
    return f"(strpos({column}, {value}) > 0)"


def searched(column: str) -> str:
    """Return what a full-text index holds of a column: as many characters as its words always have room for.

    Words end at everything but letters, digits and underscores, as in a search: PostgreSQL's own parser would make one
    word of an address, a host, a path or a version.
    """
    text = f'left({column}, {MOST_SEARCHED}) COLLATE "default"'  # in "C", which columns have, only ASCII has letters
    return f"to_tsvector('simple', regexp_replace({text}, '[^[:alnum:]_]+', ' ', 'g'))"
