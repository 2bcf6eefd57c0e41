"""What PostgreSQL raises about rows and their tables, translated."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import asyncpg

from shared.kernel.errors import ErrorType, Refusal

_DROPPED = (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError)
_CHANGED = (*_DROPPED, asyncpg.UndefinedColumnError, asyncpg.DeadlockDetectedError)
"""What a statement meets where its table changes under it; a deadlock is one with who drops the table."""


class StaleTable(Exception):
    """The definition that a statement was made for may not be the current one any more: read it again, and repeat."""


def row_too_large() -> Refusal:
    """Return the refusal of a row that PostgreSQL cannot hold."""
    return Refusal(
        ErrorType.ROW_INVALID_STRUCTURE, "Invalid document structure: the row, or an indexed value, is too long"
    )


@contextmanager
def translate_errors(too_large: Callable[[], Refusal] = row_too_large) -> Iterator[None]:
    """Translate PostgreSQL's errors into refusals and `StaleTable`; `too_large` is for what outgrows its limits."""
    try:
        yield
    except _CHANGED as error:
        raise StaleTable from error
    except asyncpg.UniqueViolationError as error:
        if (error.constraint_name or "").endswith("_id_key"):
            raise Refusal(ErrorType.ROW_ALREADY_EXISTS) from error
        raise Refusal(ErrorType.ROW_UNIQUE_CONSTRAINT_VIOLATION) from error
    except asyncpg.ProgramLimitExceededError as error:
        raise too_large() from error
    except asyncpg.QueryCanceledError as error:
        raise Refusal(ErrorType.DATABASE_TIMEOUT, "The database took too long. Narrow the query.") from error


@contextmanager
def translate_drops() -> Iterator[None]:
    """Raise `StaleTable` where a table is deleted while a statement looks at it."""
    try:
        yield
    except _DROPPED as error:
        raise StaleTable from error
