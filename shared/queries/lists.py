"""Lists of things that are no rows: users, keys, tables. Their queries are a parameter like any other."""

from collections.abc import Mapping

import msgspec

from shared.kernel.errors import ArgumentInvalid
from shared.queries.errors import QueryInvalid
from shared.queries.fields import Field
from shared.queries.limits import DEFAULT_LIMIT
from shared.queries.parser import parse_query
from shared.queries.tree import Query


class ListQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a list; `search` is searched for in the list's texts; without `total` nothing is counted."""

    query: Query = Query()
    search: str = ""
    total: bool = True


def parse_list_query(
    texts: list[str], fields: Mapping[str, Field], *, search: str = "", total: bool = True, limit: int = DEFAULT_LIMIT
) -> ListQuery:
    """Return the query of a list of these fields; raises `ArgumentInvalid("queries")`."""
    try:
        query = parse_query(texts, fields.get, limit=limit)
    except QueryInvalid as refusal:
        raise ArgumentInvalid("queries", refusal.message) from refusal
    if query.shape.selected is not None or query.shape.is_random:
        raise ArgumentInvalid("queries", "Invalid query method: these lists support neither select nor orderRandom")
    return ListQuery(query=query, search=search, total=total)
