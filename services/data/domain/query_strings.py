"""The SDKs' query strings: JSON objects with a method, an attribute and values."""

from typing import Any

import msgspec

from shared.kernel.errors import ErrorType, Refusal

MOST_QUERIES = 100
LONGEST_QUERY = 4096


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """One query, as it is sent."""

    method: str
    attribute: str = ""
    values: list[Any] = []  # Any: JSON, checked for each method


class UnfitQuery(Refusal):
    """A query does not fit the columns of its table: for callers who may know what these are."""

    def __init__(self, reason: str) -> None:
        super().__init__(ErrorType.GENERAL_QUERY_INVALID, f"Invalid query: {reason}")


def decode(texts: list[str]) -> list[Query]:
    """Read query strings, without looking at what they mean.

    Raises `Refusal(GENERAL_ARGUMENT_INVALID)` where there is too much, `Refusal(GENERAL_QUERY_INVALID)`.
    """
    if len(texts) > MOST_QUERIES or any(len(text) > LONGEST_QUERY for text in texts):
        raise Refusal(
            ErrorType.GENERAL_ARGUMENT_INVALID,
            f"Invalid `queries` param: at most {MOST_QUERIES} queries of {LONGEST_QUERY} characters are allowed",
        )
    return [_decode(text) for text in texts]


def query_invalid(reason: str) -> Refusal:
    """Return the refusal of a query that fits no table."""
    return Refusal(ErrorType.GENERAL_QUERY_INVALID, f"Invalid query: {reason}")


def _decode(text: str) -> Query:
    try:
        return msgspec.json.decode(text, type=Query)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError) as error:
        raise query_invalid("it must be a JSON object with method, attribute and values") from error
