"""SQL of filters, orders and cursors: names from the catalogue, every value a parameter."""

from services.data.domain.queries import Both, Filter, Order

COMPARISONS = {"notEqual": "<>", "lessThan": "<", "lessThanEqual": "<=", "greaterThan": ">", "greaterThanEqual": ">="}


class Parameters:
    """Collects the values of a statement."""

    def __init__(self, *values: object) -> None:
        self.values: list[object] = list(values)

    def add(self, value: object) -> str:
        """Keep a value; return the placeholder that stands for it."""
        self.values.append(value)
        return f"${len(self.values)}"


def condition(one: Filter | Both, parameters: Parameters) -> str:
    """Return the SQL of a condition on a row `t`."""
    if isinstance(one, Both):
        return "(" + f" {one.method.upper()} ".join(condition(part, parameters) for part in one.parts) + ")"
    column = f"t.{one.column}"
    if one.method in {"isNull", "isNotNull"}:
        return f"{column} IS {'NOT ' if one.method == 'isNotNull' else ''}NULL"
    if one.array:
        return _any([f"{parameters.add(value)} = ANY({column})" for value in one.values])
    places = [parameters.add(value) for value in one.values]
    match one.method:
        case "equal":
            return _any([f"{column} = {place}" for place in places])
        case "between":
            return f"{column} BETWEEN {places[0]} AND {places[1]}"
        case "startsWith":
            return f"starts_with({column}, {places[0]})"
        case "endsWith":
            return f"right({column}, length({places[0]})) = {places[0]}"
        case "contains":
            return _any([f"strpos({column}, {place}) > 0" for place in places])
    return f"{column} {COMPARISONS[one.method]} {places[0]}"


def complete(orders: list[Order]) -> list[Order]:
    """Return orders that leave no two rows equal: the sequence decides last."""
    if any(order.column in {"id", "seq"} for order in orders):
        return orders
    descending = bool(orders) and orders[0].column in {"created_at", "updated_at"} and orders[0].descending
    return [*orders, Order(column="seq", descending=descending)]


def order_by(orders: list[Order], *, backwards: bool = False) -> str:
    """Return the ORDER BY of rows `t`: nulls first ascending, last descending; `backwards` turns all round."""
    parts = []
    for order in orders:
        descending = order.descending != backwards
        parts.append(f"t.{order.column} {'DESC NULLS LAST' if descending else 'ASC NULLS FIRST'}")
    return ", ".join(parts)


def beyond(orders: list[Order], *, before: bool) -> str:
    """Return the condition that a row `t` comes strictly after (or before) the cursor's row `at` in these orders."""
    alternatives = []
    for place, order in enumerate(orders):
        descending = order.descending != before
        own, its = f"t.{order.column}", f"(SELECT {order.column} FROM at)"
        # Nulls stand at the low end: beyond every value where the order goes down.
        step = f"({own} < {its} OR {own} IS NULL)" if descending else f"{own} > {its}"
        equal = [f"t.{one.column} = (SELECT {one.column} FROM at)" for one in orders[:place]]
        alternatives.append(" AND ".join([*equal, step]))
    return _any(alternatives)


def _any(conditions: list[str]) -> str:
    return conditions[0] if len(conditions) == 1 else "(" + " OR ".join(conditions) + ")"
