"""How much the queries of one list may ask for."""

MOST_QUERIES = 100
LONGEST_QUERY = 4_096
"""Characters of one query string."""

MOST_CONDITIONS = 100
"""Filters of one list, with those inside of `and` and `or`."""

MOST_NESTED = 8
"""How deep `and` and `or` stand in each other."""

LEAST_JOINED = 2
"""Queries inside of an `and` or `or`: one alone joins nothing."""

MOST_VALUES = 500
"""Of one filter."""

MOST_ORDERS = 32
"""As many columns as an index has. A condition on rows beyond a cursor grows by the square of their number."""

MOST_NUMBER = 2**31 - 1
"""The greatest limit and offset that a list looks at: no list has as many items, so a greater one is taken for it."""

TOO_GREAT = 2**63
"""For a number in a query."""

DEFAULT_LIMIT = 25
