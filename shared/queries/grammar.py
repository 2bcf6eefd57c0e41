"""The text of queries: JSON objects with a method, an attribute and values."""

from typing import Any

import msgspec

from shared.kernel.errors import ArgumentInvalid
from shared.queries.errors import QueryInvalid
from shared.queries.limits import LONGEST_QUERY, MOST_QUERIES


class Clause(msgspec.Struct, frozen=True, kw_only=True):
    """One query, as it is sent."""

    method: str
    attribute: str = ""
    values: list[Any] = []  # Any: JSON, checked for each method


_clause = msgspec.json.Decoder(Clause)


def decode(texts: list[str]) -> list[Clause]:
    """Return the clauses of query strings, without looking at what they mean.

    Raises `ArgumentInvalid("queries")` where there is too much, `QueryInvalid`.
    """
    if len(texts) > MOST_QUERIES or max(map(len, texts), default=0) > LONGEST_QUERY:
        raise ArgumentInvalid("queries", f"at most {MOST_QUERIES} queries of {LONGEST_QUERY} characters are allowed")
    return [_decode(text) for text in texts]


def clauses_in(clause: Clause) -> list[Clause]:
    """Return the clauses inside of an `and` or `or`; raises `QueryInvalid`."""
    try:
        return msgspec.convert(clause.values, list[Clause])
    except (msgspec.ValidationError, RecursionError) as error:
        raise QueryInvalid(f"{clause.method} needs queries") from error


def _decode(text: str) -> Clause:
    try:
        return _clause.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError) as error:
        raise QueryInvalid("it must be a JSON object with method, attribute and values") from error
