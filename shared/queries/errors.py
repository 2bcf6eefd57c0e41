"""Refusals of queries, in Appwrite's words where it has some."""

from shared.kernel.errors import ErrorType, Refusal


class QueryInvalid(Refusal):
    """A query is malformed, or asks for something that no list has."""

    def __init__(self, reason: str) -> None:
        super().__init__(ErrorType.GENERAL_QUERY_INVALID, f"Invalid query: {reason}")
        self.reason = reason


class UnfitQuery(QueryInvalid):
    """A query does not fit the fields of its list: for callers who may know what these are."""
