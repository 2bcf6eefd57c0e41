"""A database that is away is no fault of the server's: 503, and try again."""

import asyncpg
import pytest

from shared.postgres.errors import is_away


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(),
        asyncpg.CannotConnectNowError("starting"),
        asyncpg.ConnectionDoesNotExistError("gone"),
        asyncpg.InterfaceError("connection is closed"),
        TimeoutError(),
        asyncpg.TooManyConnectionsError("sorry, too many clients already"),
        asyncpg.OutOfMemoryError("out of shared memory"),
        asyncpg.DiskFullError("no space left on device"),
        asyncpg.ConfigurationLimitExceededError("a limit of Daypass's own"),
        asyncpg.IdleSessionTimeoutError("the session idled"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_may_pass_is_told_from_faults(error: Exception) -> None:
    assert is_away(error)


FAULTS = [asyncpg.DataError("invalid input"), asyncpg.UniqueViolationError("twice"), KeyError()]


@pytest.mark.parametrize("error", FAULTS, ids=lambda error: type(error).__name__)
def test_faults_are_faults(error: Exception) -> None:
    assert not is_away(error)
