"""What the driver raises, and what it means: no code above the stores has to know its exceptions.

A store translates what its own statements violate. What any statement may meet stays as it is until the edge, which
asks `as_refusal`: a refusal says that a rule was applied, and operations rely on that.
"""

import asyncpg

from shared.kernel.errors import ErrorType, Refusal, Unavailable

AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleSessionTimeoutError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.DeadlockDetectedError,
    OSError,
    TimeoutError,
)
"""What is raised where the database cannot be reached at the moment. `asyncpg.DataError`, one of these, is a fault.

`InsufficientResourcesError` is all that PostgreSQL lacks at the moment: connections, locks, memory, disk.
`InternalClientError` is what a connection raises that the server ended in the middle of an operation. A transaction
that stood still for too long, with its process, and one of two that waited for each other, may be tried again, too.
"""

DATABASE_ERRORS = (*AWAY, asyncpg.PostgresError)
"""What a statement may raise where PostgreSQL is away, slow or refuses."""


def is_away(error: BaseException) -> bool:
    """Say whether an error means that the database cannot be reached, and trying again may help."""
    return isinstance(error, AWAY) and not isinstance(error, asyncpg.DataError)


def as_refusal(error: BaseException) -> Refusal | None:
    """Return the refusal for an error that no store has translated; None for a fault."""
    if is_away(error):
        return Unavailable("The database cannot be reached at the moment. Try again.", type=ErrorType.GENERAL_BUSY)
    if isinstance(error, asyncpg.QueryCanceledError):
        return Refusal(ErrorType.DATABASE_TIMEOUT)
    return None
