"""A database that is away is no fault of the server's: 503, and try again."""

from typing import Any

import asyncpg
import msgspec
import pytest

from shared.postgres.errors import is_away
from tests.integration.web.conftest import Deps


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
def test_a_passing_failure_is_told_from_a_fault(error: Exception) -> None:
    assert is_away(error)


FAULTS = [asyncpg.DataError("invalid input"), asyncpg.UniqueViolationError("twice"), KeyError()]


@pytest.mark.parametrize("error", FAULTS, ids=lambda error: type(error).__name__)
def test_faults_are_faults(error: Exception) -> None:
    assert not is_away(error)


ANSWERS = [
    (asyncpg.CannotConnectNowError("starting"), 503, "general_busy", "1"),
    (ConnectionResetError(), 503, "general_busy", "1"),
    (asyncpg.QueryCanceledError("statement timeout"), 408, "database_timeout", None),
    (asyncpg.UniqueViolationError("twice"), 500, "general_server_error", None),
    (asyncpg.DataError("invalid input"), 500, "general_server_error", None),
]


@pytest.mark.parametrize(("error", "status", "type_", "retry_after"), ANSWERS, ids=lambda one: type(one).__name__)
async def test_an_error_that_no_store_has_translated_is_answered_whole(
    serve: Any, deps: Deps, error: Exception, status: int, type_: str, retry_after: str | None
) -> None:
    client = await serve(msgspec.structs.replace(deps, failure=error))

    answer = await client.call("GET", "/v1/broken")

    assert (answer.error, answer.headers.get("Retry-After")) == ((status, type_), retry_after)
